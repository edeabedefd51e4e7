/* The speech recogniser: its names and numbers of parameters, that neighbours and padding
 * do not change an utterance, layer drop, and its initial values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/speech.h"
#include "models/step.h"

enum { FILTERS = 80, LABELS = 29, BATCH = 3, LONGEST = 40 };
static const size_t FRAMES[BATCH] = {40, 23, 3};

static ModelConfig config_of(NormPlace norm) {
    ModelConfig c = model_config_default();
    c.width = 16, c.depth = 3, c.heads = 2;
    c.norm = norm;
    c.position = POSITION_CAPE;
    c.cape_shift = 5;
    c.init_std = 0.1;
    return c;
}

static Speech *make(const ModelConfig *config) {
    Speech *s = speech_new(config, FILTERS, LABELS);
    speech_initialize(s, 3);
    model_start(&s->model, NULL);
    return s;
}

static void expect_shape(const Speech *s, const char *name, int dims,
                         const size_t *shape) {
    const Param *p = params_find(s->model.params, name);
    if (!p) fail_msg("there is no %s", name);
    assert_int_equal(p->tensor.dims, dims);
    for (int i = 0; i < dims; i++) assert_int_equal(p->tensor.shape[i], shape[i]);
}

static void names_are_those_of_the_documentation(void **state) {
    (void)state;
    ModelConfig c = config_of(NORM_PRE);
    Speech *s = speech_new(&c, FILTERS, LABELS);
    expect_shape(s, "conv.weight", 3, (size_t[]){32, 80, 7});
    expect_shape(s, "conv.bias", 1, (size_t[]){32});
    expect_shape(s, "input_norm.weight", 1, (size_t[]){1});
    expect_shape(s, "blocks.2.attn.qkv.weight", 2, (size_t[]){48, 16});
    expect_shape(s, "blocks.2.attn.shift", 1, (size_t[]){1});
    expect_shape(s, "blocks.2.mlp.fc1.weight", 2, (size_t[]){64, 16});
    expect_shape(s, "norm.weight", 1, (size_t[]){16});
    expect_shape(s, "head.weight", 2, (size_t[]){29, 16});
    expect_shape(s, "head.bias", 1, (size_t[]){29});
    assert_null(params_find(s->model.params, "blocks.0.attn.qkv.bias"));
    assert_null(params_find(s->model.params, "blocks.0.mlp.fc2.bias"));
    assert_null(params_find(s->model.params, "pos_embed"));
    speech_free(s);
}

/* 12 D^2 + 1 a block, 4 D of its norms, 2 D of the last; 560 x 2 D + 2 D of
 * the convolution, 29 D + 29 of the head, 2 of the input's norm; sigma adds
 * one gamma a matrix. */
static void the_papers_models_have_the_parameters_of_the_reference(void **state) {
    (void)state;
    static const struct {
        NormPlace norm;
        ReparamMethod reparam;
        QkvGrouping qkv;
        size_t depth, parameters;
    } rows[] = {
        {NORM_PRE, REPARAM_NONE, QKV_QK_V, 36, 255800131},
        {NORM_POST, REPARAM_NONE, QKV_JOINT, 36, 255798595},
        {NORM_NONE, REPARAM_SIGMA, QKV_JOINT, 36, 255688148},
        {NORM_POST, REPARAM_SIGMA, QKV_QK_V, 36, 255798776},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        ModelConfig c = config_of(rows[i].norm);
        c.width = 768, c.heads = 4, c.depth = rows[i].depth;
        c.reparam = rows[i].reparam, c.qkv = rows[i].qkv;
        Speech *s = speech_new(&c, FILTERS, LABELS);
        assert_int_equal(params_trained_count(s->model.params), rows[i].parameters);
        speech_free(s);
    }
}

/* ---- running ---- */

static real *features(void) {
    real *x = mem_zalloc(BATCH * LONGEST * FILTERS * sizeof *x);
    for (size_t b = 0; b < BATCH; b++) {
        Rng rng = rng_make(7, b, 0);
        for (size_t i = 0; i < FRAMES[b] * FILTERS; i++)
            x[b * LONGEST * FILTERS + i] = (real)rng_normal(rng, i);
    }
    return x;
}

static Tensor *logits_of(Speech *s, Tape *tape, real *x, size_t first, size_t count,
                         size_t length) {
    static size_t before[BATCH];
    for (size_t b = 0; b < BATCH; b++) before[b] = frames_before_same(FRAMES[b], 7, 3);
    SpeechRows rows = {.x = tape_wrap(tape, x, 3, (size_t[]){count, length, FILTERS}),
                       .frames = FRAMES + first,
                       .each_before = before + first};
    return speech_logits(s, tape,
                         &(ForwardMode){.temperature = 1, .first_example = first}, &rows);
}

static void neighbours_and_padding_do_not_change_an_utterance(void **state) {
    (void)state;
    for (NormPlace norm = NORM_PRE; norm <= NORM_NONE; norm++) {
        ModelConfig c = config_of(norm);
        Speech *s = make(&c);
        Tape *tape = tape_new();
        real *x = features(), *kept = mem_alloc(BATCH * LONGEST * LABELS * sizeof *kept);
        tape_begin(tape, (TapeMode){0});
        Tensor *all = logits_of(s, tape, x, 0, BATCH, LONGEST);
        assert_int_equal(all->shape[1], 14);
        memcpy(kept, all->value, all->size * sizeof *kept);
        for (size_t b = 0; b < BATCH; b++) {
            Tensor *one = logits_of(s, tape, x + b * LONGEST * FILTERS, b, 1, FRAMES[b]);
            for (size_t i = 0; i < speech_rows(FRAMES[b]) * LABELS; i++)
                assert_true(fabs((double)(one->value[i] - kept[b * 14 * LABELS + i])) <
                            2e-4);
        }
        mem_free(x);
        mem_free(kept);
        tape_free(tape);
        speech_free(s);
    }
}

typedef struct Utterances {
    Speech *speech;
    real *x;
} Utterances;

static Tensor *loss_of(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                       size_t to) {
    static const uint32_t label[BATCH] = {1, 2, 3};
    static const size_t ones[BATCH] = {1, 1, 1}, rows[BATCH] = {13, 7, 1};
    (void)mode;
    const Utterances *u = context;
    CtcTarget target = {label, 1, ones, rows, LABELS - 1, 1, NULL};
    Tensor *z = logits_of(u->speech, tape, u->x, from, to - from, LONGEST);
    return op_ctc(tape, z, &target);
}

/* Blocks that are left out get no gradient, but their attention is measured. */
static void layer_drop_leaves_blocks_out_of_a_step(void **state) {
    (void)state;
    ModelConfig c = config_of(NORM_POST);
    c.layer_drop = 0.5;
    Speech *s = make(&c);
    size_t out = 0, steps = 40;
    Utterances utterances = {s, features()};
    Step step;
    step_begin(&step, &s->model, NULL, NULL);
    step.seed = 1, step.context = &utterances, step.loss_of = loss_of;
    for (size_t n = 1; n <= steps; n++) {
        StepBatch batch = {.number = n, .examples = BATCH, .mode = {.temperature = 1}};
        step_gradients(&step, &batch);
        for (size_t i = 0; i < c.depth; i++) {
            const Param *w = s->stack.blocks[i].fc2.weight;
            double sum = 0;
            for (size_t j = 0; j < w->tensor.size; j++) sum += fabs(w->tensor.grad[j]);
            out += sum == 0;
            assert_true(s->stack.blocks[i].self.site.weight == 21); /* 13 + 7 + 1 rows */
        }
    }
    assert_in_range(out, 40, 80); /* 60 of 120, deviation 5.5 */
    step_end(&step);
    mem_free(utterances.x);
    speech_free(s);
}

/* ---- initial values ---- */

static double largest(const Speech *s, const char *name) {
    const Param *p = params_find(s->model.params, name);
    double most = 0;
    for (size_t i = 0; i < p->tensor.size; i++)
        most = fmax(most, fabs((double)p->tensor.value[i]));
    return most;
}

static void expect_bound(const Speech *s, const char *name, double bound) {
    double most = largest(s, name);
    if (most > bound || most < 0.9 * bound) fail_msg("%s: %g of %g", name, most, bound);
}

static void initial_values_are_those_of_the_reference(void **state) {
    (void)state;
    ModelConfig c = config_of(NORM_PRE);
    c.width = 32, c.init = INIT_UNIFORM;
    Speech *s = make(&c);
    expect_bound(s, "conv.weight", sqrt(3.0 / 560));
    expect_bound(s, "conv.bias", 1 / sqrt(560));
    expect_bound(s, "blocks.0.attn.qkv.weight", 1 / sqrt(32));
    expect_bound(s, "blocks.0.mlp.fc2.weight", 1 / sqrt(128));
    expect_bound(s, "head.weight", sqrt(3.0 / 32));
    assert_true(largest(s, "blocks.0.attn.shift") == 0);
    speech_free(s);
    c.init = INIT_NORMAL, c.reparam = REPARAM_SIGMA, c.norm = NORM_NONE;
    s = make(&c);
    assert_true(largest(s, "head.weight") > 0.25 && largest(s, "head.weight") < 0.6);
    speech_free(s);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(names_are_those_of_the_documentation),
        cmocka_unit_test(the_papers_models_have_the_parameters_of_the_reference),
        cmocka_unit_test(neighbours_and_padding_do_not_change_an_utterance),
        cmocka_unit_test(layer_drop_leaves_blocks_out_of_a_step),
        cmocka_unit_test(initial_values_are_those_of_the_reference),
    };
    return cmocka_run_group_tests_name("speech", cases, NULL, NULL);
}
