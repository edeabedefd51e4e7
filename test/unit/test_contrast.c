/* contrast: names and shapes, what the projector and the probe are, and how a batch of
 * views meets the training step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "models/contrast.h"
#include "models/step.h"

enum { PICTURES = 12, SIDE = 8, NUMBERS = 3 * SIDE * SIDE, CLASSES = 3 };

static const PictureShape SHAPE = {3, SIDE, SIDE};

static ModelConfig model_config(ReparamMethod method) {
    ModelConfig c = model_config_default();
    c.width = 16, c.depth = 2, c.heads = 2, c.patch = 4, c.position = POSITION_SINCOS;
    c.reparam = method;
    return c;
}

static ContrastConfig contrast_config(void) {
    return (ContrastConfig){.temperature = 0.1,
                            .projector_depth = 2,
                            .projector_out = 6,
                            .probe_lr = 0.1,
                            .reparam_projector = true};
}

static Contrast *make(ModelConfig model, ContrastConfig contrast) {
    Contrast *c = contrast_new(&model, &contrast, SHAPE, CLASSES);
    contrast_initialize(c, 3);
    model_start(&c->vit.model, NULL);
    return c;
}

/* ---- parameters ---- */

static const Param *find(const Contrast *c, const char *name) {
    const Param *p = params_find(c->vit.model.params, name);
    if (!p) fail_msg("no parameter %s", name);
    return p;
}

static void names_shapes_and_roles_are_the_contract(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t shape[2];
        int dims;
        ParamRole role;
    } WANTED[] = {{"projector.0.weight", {20, 16}, 2, PARAM_MATRIX},
                  {"projector.0.gamma", {1}, 1, PARAM_GAIN},
                  {"projector.0.norm.weight", {20}, 1, PARAM_VECTOR},
                  {"projector.0.norm.bias", {20}, 1, PARAM_VECTOR},
                  {"projector.0.norm.mean", {20}, 1, PARAM_BUFFER},
                  {"projector.0.norm.var", {20}, 1, PARAM_BUFFER},
                  {"projector.1.weight", {20, 20}, 2, PARAM_MATRIX},
                  {"projector.2.weight", {6, 20}, 2, PARAM_MATRIX},
                  {"projector.2.norm.weight", {6}, 1, PARAM_VECTOR},
                  {"projector.2.norm.var", {6}, 1, PARAM_BUFFER},
                  {"probe.weight", {CLASSES, 16}, 2, PARAM_BUFFER},
                  {"probe.bias", {CLASSES}, 1, PARAM_BUFFER},
                  {"probe.mean", {16}, 1, PARAM_BUFFER}};
    static const char *const ABSENT[] = {"head.weight", "head.bias", "projector.0.bias",
                                         "projector.2.norm.bias", "projector.3.weight"};
    ContrastConfig k = contrast_config();
    k.projector_depth = 3, k.projector_width = 20;
    Contrast *c = make(model_config(REPARAM_SIGMA), k);
    for (size_t i = 0; i < COUNT(WANTED); i++) {
        const Param *p = find(c, WANTED[i].name);
        assert_int_equal(p->role, WANTED[i].role);
        assert_int_equal(p->tensor.dims, WANTED[i].dims);
        for (int d = 0; d < WANTED[i].dims; d++)
            assert_int_equal(p->tensor.shape[d], WANTED[i].shape[d]);
    }
    for (size_t i = 0; i < COUNT(ABSENT); i++)
        assert_null(params_find(c->vit.model.params, ABSENT[i]));
    contrast_free(c);
}

static void a_projector_can_stay_plain(void **state) {
    (void)state;
    ContrastConfig k = contrast_config();
    k.reparam_projector = false;
    Contrast *c = make(model_config(REPARAM_SIGMA), k);
    assert_null(params_find(c->vit.model.params, "projector.0.gamma"));
    find(c, "blocks.0.attn.qkv.gamma");
    contrast_free(c);
    k.reparam_projector = true, k.probe_lr = 0;
    ModelConfig blocks = model_config(REPARAM_SIGMA);
    blocks.reparam_scope = SCOPE_BLOCKS;
    c = make(blocks, k);
    assert_null(params_find(c->vit.model.params, "projector.0.gamma"));
    assert_null(params_find(c->vit.model.params, "probe.weight"));
    contrast_free(c);
}

static double deviation(const Param *p) {
    double squares = 0;
    for (size_t i = 0; i < p->tensor.size; i++)
        squares += (double)p->tensor.value[i] * (double)p->tensor.value[i];
    return sqrt(squares / (double)p->tensor.size);
}

static void projector_weights_are_simclrs_or_like_other_layers(void **state) {
    (void)state;
    ContrastConfig k = contrast_config();
    k.projector_width = 200;
    for (int method = REPARAM_NONE; method <= REPARAM_SIGMA; method++) {
        ModelConfig m = model_config((ReparamMethod)method);
        m.init_std = 0.05;
        Contrast *c = make(m, k);
        double wanted = method == REPARAM_SIGMA ? 0.05 : 0.01;
        assert_true(fabs(deviation(find(c, "projector.0.weight")) / wanted - 1) < 0.05);
        contrast_free(c);
    }
}

/* Its encoder's, and 16 x 16 + 6 x 16 weights of the projector, for both views. */
static void flops_are_those_of_two_views(void **state) {
    (void)state;
    ModelConfig m = model_config(REPARAM_NONE);
    Contrast *c = make(m, contrast_config());
    Vit *vit = vit_new(&m, SHAPE, CLASSES);
    double head = 2 * 16 * CLASSES, projector = 2 * (16 * 16 + 6 * 16);
    assert_true(contrast_flops(c) == 2 * (vit_flops(vit) - head + projector));
    assert_true(contrast_memory(c, 4, false) > vit_memory(vit, 8, false));
    vit_free(vit);
    contrast_free(c);
}

/* ---- running ---- */

typedef struct Run {
    Contrast *c;
    Step step;
    StepBatch batch;
    real *pixels; /* [2 PICTURES, ...] */
    size_t label[PICTURES];
    bool labels;
    NtXentStats stats;
} Run;

static Tensor *loss_of(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                       size_t to) {
    Run *r = context;
    size_t n = to - from, half = n * NUMBERS;
    real *views = tape_alloc(tape, 2 * half * sizeof *views);
    memcpy(views, r->pixels + from * NUMBERS, half * sizeof *views);
    memcpy(views + half, r->pixels + (PICTURES + from) * NUMBERS, half * sizeof *views);
    ContrastArgs args = {.label = r->labels ? r->label + from : NULL,
                         .pictures = PICTURES,
                         .stats = &r->stats};
    args.pixels = tape_wrap(tape, views, 4, (size_t[]){2 * n, 3, SIDE, SIDE});
    return contrast_loss(r->c, tape, mode, &args);
}

/* Pictures of a class have a colour of their own; the views differ in noise. */
static void begin(Run *r, ReparamMethod method, ContrastConfig k) {
    OptimConfig optim = optim_config_default();
    *r = (Run){.c = make(model_config(method), k), .labels = true};
    step_begin(&r->step, &r->c->vit.model, &optim, NULL);
    r->step.seed = 1, r->step.loss_of = loss_of, r->step.context = r;
    r->batch = (StepBatch){
        .number = 1, .examples = PICTURES, .tokens = 10, .mode = {.temperature = 1}};
    r->pixels = mem_alloc(2 * PICTURES * NUMBERS * sizeof *r->pixels);
    Rng rng = rng_make(5, 1, 0);
    for (size_t i = 0; i < (size_t)2 * PICTURES * NUMBERS; i++) {
        size_t picture = i / NUMBERS % PICTURES, channel = i % NUMBERS / (SIDE * SIDE);
        r->label[picture] = picture % CLASSES;
        r->pixels[i] = (real)(rng_normal(rng, i) + 2 * (channel == picture % CLASSES));
    }
}

static void end(Run *r) {
    step_end(&r->step);
    contrast_free(r->c);
    mem_free(r->pixels);
}

static void a_batch_is_cut_by_accumulate_alone(void **state) {
    (void)state;
    Run r;
    begin(&r, REPARAM_NONE, contrast_config());
    Model *model = &r.c->vit.model;
    r.step.cache = 1, r.batch.tokens = 1000;
    model->joint = false; /* as any other model is */
    assert_true(step_pieces(&r.step, &r.batch) > 3);
    model->joint = true;
    assert_int_equal(step_pieces(&r.step, &r.batch), 1);
    r.step.accumulate = 3;
    assert_int_equal(step_pieces(&r.step, &r.batch), 3);
    step_gradients(&r.step, &r.batch);
    assert_int_equal(r.stats.rows, 2 * PICTURES / 3);
    assert_true(r.step.loss < log(2 * PICTURES / 3.0 - 1) + 20 && r.step.loss > 0);
    end(&r);
}

/* The encoder is the same to the bit; the probe learns. */
static void a_probe_changes_nothing_but_itself(void **state) {
    (void)state;
    Run with, without;
    ContrastConfig k = contrast_config();
    begin(&with, REPARAM_SIGMA, k);
    k.probe_lr = 0;
    begin(&without, REPARAM_SIGMA, k);
    ParamSet *a = with.c->vit.model.params, *b = without.c->vit.model.params;
    for (size_t n = 1; n <= 60; n++) {
        with.batch.number = without.batch.number = n;
        step_gradients(&with.step, &with.batch);
        step_gradients(&without.step, &without.batch);
        assert_true(with.step.loss == without.step.loss);
        assert_true(with.step.grad_norm == without.step.grad_norm);
        step_update(&with.step, 1e-3, 0);
        step_update(&without.step, 1e-3, 0);
    }
    assert_int_equal(a->trained, b->trained);
    for (size_t i = 0; i < a->trained; i++) assert_true(a->values[i] == b->values[i]);
    Tape *tape = with.step.tape;
    tape_begin(tape, (TapeMode){0});
    Tensor *x = tape_wrap(tape, with.pixels, 4, (size_t[]){PICTURES, 3, SIDE, SIDE});
    Tensor *f = vit_features(&with.c->vit, tape, &with.batch.mode, x);
    const real *z = contrast_probe(with.c, tape, f)->value;
    for (size_t i = 0; i < PICTURES; i++, z += CLASSES)
        for (size_t j = 0; j < CLASSES; j++)
            assert_true(j == with.label[i] || z[j] < z[with.label[i]]);
    end(&with);
    end(&without);
}

enum { SEEN = 8 };

static void train_on(Contrast *c, Tape *tape, real *f, const size_t *label) {
    tape_begin(tape, (TapeMode){.training = true});
    contrast_train_probe(c, tape, tape_wrap(tape, f, 2, (size_t[]){SEEN, 16}), label,
                         NULL);
}

static real logit_of(Contrast *c, Tape *tape, real *f, size_t i) {
    tape_begin(tape, (TapeMode){0});
    return contrast_probe(c, tape, tape_wrap(tape, f, 2, (size_t[]){SEEN, 16}))->value[i];
}

/* All features move by more than they differ; what the probe says of them stays. */
static void the_probe_follows_features_that_move_together(void **state) {
    (void)state;
    Contrast *c = make(model_config(REPARAM_NONE), contrast_config());
    Tape *tape = tape_new();
    static const size_t label[SEEN / 2] = {0, 1, 2, 1};
    real f[SEEN * 16], before[SEEN * CLASSES];
    for (size_t i = 0; i < COUNT(f); i++)
        f[i] = (real)(1 + 0.1 * rng_normal(rng_make(5, 0, 0), i));
    for (size_t n = 0; n < 20; n++) train_on(c, tape, f, label);
    for (size_t i = 0; i < COUNT(before); i++) before[i] = logit_of(c, tape, f, i);
    for (size_t i = 0; i < COUNT(f); i++) f[i] += (real)(i % 16 % 2 ? 2 : 0.5);
    c->config.probe_lr = 0;
    train_on(c, tape, f, label);
    for (size_t i = 0; i < COUNT(before); i++)
        assert_true(fabs((double)(logit_of(c, tape, f, i) - before[i])) < 1e-4);
    tape_free(tape);
    contrast_free(c);
}

/* A measurement, or the search for a bad number, leaves all buffers as they are. */
static void only_training_moves_statistics_and_probe(void **state) {
    (void)state;
    Run r;
    begin(&r, REPARAM_NONE, contrast_config());
    step_gradients(&r.step, &r.batch);
    ParamSet *params = r.c->vit.model.params;
    size_t bytes = params->buffered * sizeof(real);
    real *kept = mem_alloc(bytes);
    memcpy(kept, params->buffers, bytes);
    step_watch(&r.step, &r.batch);
    r.step.still = true;
    step_gradients(&r.step, &r.batch);
    for (size_t i = 0; i < params->buffered; i++)
        assert_true(kept[i] == params->buffers[i]);
    r.step.still = false;
    step_gradients(&r.step, &r.batch);
    bool moved = false;
    for (size_t i = 0; i < params->buffered; i++)
        moved = moved || kept[i] != params->buffers[i];
    assert_true(moved);
    mem_free(kept);
    end(&r);
}

static void what_cannot_be_is_refused_by_its_key(void **state) {
    (void)state;
    Err err = ERR_NONE;
    ModelConfig m = model_config(REPARAM_NONE);
    ContrastConfig k = contrast_config();
    k.temperature = 0;
    assert_int_equal(contrast_check(&m, &k, SHAPE, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "contrast.temperature"));
    k = contrast_config(), k.projector_depth = 0;
    assert_int_equal(contrast_check(&m, &k, SHAPE, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "contrast.projector_depth"));
    k = contrast_config(), k.probe_lr = -1;
    assert_int_equal(contrast_check(&m, &k, SHAPE, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "contrast.probe_lr"));
    k = contrast_config(), m.patch = 3;
    assert_int_equal(contrast_check(&m, &k, SHAPE, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "model.patch"));
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(names_shapes_and_roles_are_the_contract),
        cmocka_unit_test(a_projector_can_stay_plain),
        cmocka_unit_test(projector_weights_are_simclrs_or_like_other_layers),
        cmocka_unit_test(flops_are_those_of_two_views),
        cmocka_unit_test(a_batch_is_cut_by_accumulate_alone),
        cmocka_unit_test(a_probe_changes_nothing_but_itself),
        cmocka_unit_test(the_probe_follows_features_that_move_together),
        cmocka_unit_test(only_training_moves_statistics_and_probe),
        cmocka_unit_test(what_cannot_be_is_refused_by_its_key),
    };
    return cmocka_run_group_tests_name("contrast", cases, NULL, NULL);
}
