/* The front end: which parameters it is, its own learning rate, and a convolution of
 * speech that is reparametrised. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/optim/optim.h"
#include "models/language.h"
#include "models/speech.h"
#include "models/translator.h"
#include "models/vit.h"

static ModelConfig small_config(void) {
    ModelConfig c = model_config_default();
    c.width = 16, c.heads = 2, c.depth = 1, c.mlp_ratio = 2;
    return c;
}

/* names: separated by blanks, in the order of registration. */
static void expect_front(const Model *model, const char *names) {
    char seen[600] = "";
    for (size_t i = 0; i < model->params->count; i++) {
        size_t used = strlen(seen);
        const Param *p = model->params->list[i];
        if (p->front)
            snprintf(seen + used, sizeof seen - used, "%s%s", used ? " " : "", p->name);
    }
    assert_string_equal(seen, names);
}

static void a_vision_transformer_reads_patches_and_positions(void **state) {
    (void)state;
    ModelConfig c = small_config();
    c.reparam = REPARAM_SIGMA;
    Vit *vit = vit_new(&c, (PictureShape){.channels = 3, .height = 8, .width = 8}, 10);
    expect_front(&vit->model,
                 "cls_token pos_embed patch_embed.proj.weight patch_embed.proj.bias "
                 "patch_embed.proj.gamma patch_embed.proj.u patch_embed.proj.v");
    vit_free(vit);
}

static void texts_read_tables_and_positions(void **state) {
    (void)state;
    ModelConfig c = small_config();
    Language *lm = language_new(&c, 11);
    expect_front(&lm->model, "embed.weight pos_embed");
    language_free(lm);
    c.cutoffs[0] = 6, c.cutoff_count = 1, c.tied = TIED_DECODER;
    lm = language_new(&c, 11);
    expect_front(&lm->model, "embed.0.weight embed.0.proj.weight embed.1.weight "
                             "embed.1.proj.weight pos_embed");
    language_free(lm);
    c = small_config();
    c.tied = TIED_ALL;
    Translator *t = translator_new(&c, 11, 11, 20);
    expect_front(&t->model, "embed.weight encoder.pos_embed decoder.pos_embed");
    translator_free(t);
    c.tied = TIED_NONE;
    t = translator_new(&c, 11, 12, 20);
    expect_front(&t->model, "encoder.embed.weight encoder.pos_embed decoder.embed.weight "
                            "decoder.pos_embed");
    translator_free(t);
}

static void a_recogniser_reads_its_convolution(void **state) {
    (void)state;
    ModelConfig c = small_config();
    c.reparam = REPARAM_SIGMA;
    Speech *s = speech_new(&c, 80, 29);
    expect_front(&s->model, "input_norm.weight input_norm.bias conv.weight conv.bias "
                            "pos_embed");
    speech_free(s);
}

/* As layers are: first in the list, with companions of [in kernel] and [out]. */
static void a_reparametrised_convolution_is_a_layer(void **state) {
    (void)state;
    ModelConfig c = small_config();
    c.reparam = REPARAM_SIGMA, c.reparam_scope = SCOPE_ATTENTION, c.reparam_front = true;
    Speech *s = speech_new(&c, 80, 29);
    const ParamSet *params = s->model.params;
    assert_string_equal(s->model.layers[0]->name, "conv");
    assert_int_equal(params_find(params, "conv.gamma")->tensor.size, 1);
    assert_int_equal(params_find(params, "conv.u")->tensor.size, 80 * SPEECH_KERNEL);
    assert_int_equal(params_find(params, "conv.v")->tensor.size, 32);
    assert_null(params_find(params, "head.gamma"));
    speech_free(s);
    c.reparam = REPARAM_NONE;
    s = speech_new(&c, 80, 29);
    assert_null(params_find(s->model.params, "conv.gamma"));
    assert_string_not_equal(s->model.layers[0]->name, "conv");
    speech_free(s);
}

/* ---- its learning rate ---- */

enum { FRONT, WEIGHT, FRONT_GAIN, GAIN, TENSORS, SIZE = 48 };

static ParamSet *make_params(void) {
    static const char *const names[] = {"front", "weight", "front.gamma", "gamma"};
    ParamSet *set = params_new();
    for (size_t t = 0; t < TENSORS; t++) {
        if (t == FRONT || t == FRONT_GAIN) params_begin_front(set);
        params_add(set, t >= FRONT_GAIN ? PARAM_GAIN : PARAM_MATRIX, 1, (size_t[]){SIZE},
                   "%s", names[t]);
        params_end_front(set);
    }
    params_finish(set);
    for (size_t i = 0; i < set->trained; i++) {
        set->values[i] = (real)(1 + 0.5 * sin(0.7 * (double)(i % SIZE)));
        set->grads[i] = (real)cos(0.9 * (double)(i % SIZE));
    }
    return set;
}

#define KIND(KIND_, name) OPTIM_##KIND_,
static const OptimKind kinds[] = {OPTIM_LIST(KIND)};

static double moved(const ParamSet *set, const ParamSet *start, size_t t, size_t i) {
    return (double)set->list[t]->tensor.value[i] -
           (double)start->list[t]->tensor.value[i];
}

static void the_front_end_learns_at_its_own_rate(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = optim_config_default();
        config.name = kinds[k];
        config.weight_decay = 0.1;
        config.front_lr_scale = 0.25, config.gamma_lr_scale = 2;
        ParamSet *set = make_params(), *start = make_params();
        Optimizer *o = optim_new(&config, set);
        optim_step(o, (real)0.01, 1);
        for (size_t i = 0; i < SIZE; i++) {
            double weight = moved(set, start, WEIGHT, i),
                   gain = moved(set, start, GAIN, i);
            double front = moved(set, start, FRONT, i);
            assert_true(fabs(front - 0.25 * weight) < 1e-6);
            assert_true(fabs(moved(set, start, FRONT_GAIN, i) - 0.25 * gain) < 1e-6);
        }
        optim_free(o);
        params_free(set);
        params_free(start);
    }
}

static void a_rate_of_zero_leaves_the_front_end_as_it_is(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = optim_config_default();
        config.name = kinds[k];
        config.weight_decay = 0.1;
        config.front_lr_scale = 0;
        ParamSet *set = make_params(), *start = make_params();
        Optimizer *o = optim_new(&config, set);
        for (size_t n = 0; n < 3; n++) optim_step(o, (real)0.01, 1);
        assert_memory_equal(set->list[FRONT]->tensor.value,
                            start->list[FRONT]->tensor.value, SIZE * sizeof(real));
        assert_true(moved(set, start, WEIGHT, 1) != 0);
        optim_free(o);
        params_free(set);
        params_free(start);
    }
}

/* ---- rates that fall from layer to layer ---- */

/* BEiT's rule: 0 for what the blocks read, i + 1 in block i, depth + 1 behind them. */
static size_t layer_by_name(const Param *p, size_t depth) {
    size_t block;
    if (sscanf(p->name, "blocks.%zu.", &block) == 1) return block + 1;
    return p->front ? 0 : depth + 1;
}

static void expect_layers(const Model *model) {
    const ParamSet *params = model->params;
    size_t depth = model->config.depth;
    OptimConfig config = optim_config_default();
    assert_int_equal(params->layer, depth + 1);
    for (size_t i = 0; i < params->count; i++) {
        const Param *p = params->list[i];
        size_t layer = layer_by_name(p, depth);
        if (p->layer != layer) fail_msg("%s is of layer %zu", p->name, p->layer);
        config.layer_decay = 0.7;
        double wanted = pow(0.7, (double)(depth + 1 - layer));
        assert_true(fabs(optim_layer_scale(&config, params, p->layer) - wanted) < 1e-15);
        config.layer_decay = 1;
        assert_true(optim_layer_scale(&config, params, p->layer) == 1);
    }
}

static void layers_count_from_the_front_end_to_the_output(void **state) {
    (void)state;
    ModelConfig c = small_config();
    c.depth = 3, c.reparam = REPARAM_SIGMA;
    for (int norm = NORM_PRE; norm <= NORM_NONE; norm++) {
        c.norm = (NormPlace)norm;
        Vit *vit = vit_new(&c, (PictureShape){3, 8, 8}, 10);
        Language *lm = language_new(&c, 11);
        Speech *s = speech_new(&c, 80, 29);
        expect_layers(&vit->model);
        expect_layers(&lm->model);
        expect_layers(&s->model);
        vit_free(vit);
        language_free(lm);
        speech_free(s);
    }
}

/* With the other two factors; test_golden compares trajectories (layer-decay-*). */
static void each_layer_learns_at_its_own_rate(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = optim_config_default();
        config.name = kinds[k];
        config.weight_decay = 0.1, config.front_lr_scale = 0.5, config.layer_decay = 0.6;
        ParamSet *set = make_params(), *start = make_params();
        set->list[WEIGHT]->layer = 2, set->list[GAIN]->layer = set->layer = 4;
        Optimizer *o = optim_new(&config, set);
        optim_step(o, (real)0.01, 1);
        for (size_t i = 0; i < SIZE; i++) {
            double gain = moved(set, start, GAIN, i),
                   weight = moved(set, start, WEIGHT, i);
            double front = moved(set, start, FRONT, i) / 0.5;
            assert_true(fabs(front - 0.36 * weight) < 1e-6);
            assert_true(fabs(moved(set, start, FRONT_GAIN, i) - 0.5 * 0.1296 * gain) <
                        1e-6);
        }
        optim_free(o);
        params_free(set);
        params_free(start);
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_vision_transformer_reads_patches_and_positions),
        cmocka_unit_test(texts_read_tables_and_positions),
        cmocka_unit_test(a_recogniser_reads_its_convolution),
        cmocka_unit_test(a_reparametrised_convolution_is_a_layer),
        cmocka_unit_test(the_front_end_learns_at_its_own_rate),
        cmocka_unit_test(a_rate_of_zero_leaves_the_front_end_as_it_is),
        cmocka_unit_test(layers_count_from_the_front_end_to_the_output),
        cmocka_unit_test(each_layer_learns_at_its_own_rate),
    };
    return cmocka_run_group_tests_name("front", cases, NULL, NULL);
}
