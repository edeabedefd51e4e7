/* Gradients of whole models, a ViT and a speech recogniser, and of weights through their
 * reparametrisation, with u and v held. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gradcheck.h"
#include "models/speech.h"
#include "models/step.h"
#include "models/vit.h"

static const PictureShape PICTURE = {2, 6, 6};
enum { BATCH = 3, CLASSES = 5, SEED = 3, STEP = 2 };

enum { FILTERS = 4, FRAMES_MOST = 17, LABELS_MOST = 3 };
static const size_t FRAMES[BATCH] = {17, 12, 10};

typedef struct Run {
    Vit *vit; /* or: */
    Speech *speech;
    Model *model; /* of the one that is there */
    Step step;
    real features[BATCH * FRAMES_MOST * FILTERS];
    real pixels[BATCH * 2 * 6 * 6];
    bool recompute;
    real *at, *direction; /* [trained] */
} Run;

static Tensor *speech_loss(Run *r, Tape *tape, const ForwardMode *mode) {
    static const uint32_t LABELS[BATCH * LABELS_MOST] = {1, 1, 2, 0, 3, 0, 2};
    static const size_t COUNTS[BATCH] = {3, 2, 1}, ROWS[BATCH] = {5, 4, 3};
    SpeechRows rows = {.x = tape_wrap(tape, r->features, 3,
                                      (size_t[]){BATCH, FRAMES_MOST, FILTERS}),
                       .frames = FRAMES,
                       .before = 2};
    CtcTarget target = {.label = LABELS,
                        .length = LABELS_MOST,
                        .label_count = COUNTS,
                        .frame_count = ROWS,
                        .blank = CLASSES - 1,
                        .divisor = BATCH};
    return op_ctc(tape, speech_logits(r->speech, tape, mode, &rows), &target);
}

/* Of the whole batch, with u and v held. */
static Tensor *loss_of(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                       size_t to) {
    static const size_t LABELS[BATCH] = {1, 4, 0};
    Run *r = context;
    assert_true(from == 0 && to == BATCH);
    model_freeze(r->model);
    if (r->speech) return speech_loss(r, tape, mode);
    Tensor *x = tape_wrap(tape, r->pixels, 4, (size_t[]){BATCH, 2, 6, 6});
    Target target = {.label = LABELS, .smoothing = 0.1};
    return op_cross_entropy(tape, vit_logits(r->vit, tape, mode, x), &target);
}

static ForwardMode mode_of(const Run *r) {
    return (ForwardMode){.temperature = 0.8, .recompute = r->recompute};
}

static ModelConfig small_config(void) {
    ModelConfig c = model_config_default();
    c.width = 8, c.depth = 2, c.heads = 2, c.patch = 3, c.init_std = 0.4;
    return c;
}

static void begin_model(Run *r) {
    ParamSet *params = r->model->params;
    for (size_t i = 0; i < params->count; i++) { /* biases and tokens away from 0 */
        Param *p = params->list[i];
        if (p->role != PARAM_VECTOR) continue;
        Rng own = rng_make(6, i, 0);
        for (size_t j = 0; j < p->tensor.size; j++)
            p->tensor.value[j] += 0.3 * rng_normal(own, j);
    }
    model_start(r->model, NULL);
    step_begin(&r->step, r->model, NULL, NULL);
    r->step.seed = SEED, r->step.context = r, r->step.loss_of = loss_of;
    r->at = mem_alloc(2 * params->trained * sizeof(real));
    r->direction = r->at + params->trained;
    memcpy(r->at, params->values, params->trained * sizeof(real));
}

static void run_begin(Run *r, const ModelConfig *config) {
    *r = (Run){.vit = vit_new(config, PICTURE, CLASSES)};
    Rng rng = rng_make(4, 0, 0);
    for (size_t i = 0; i < COUNT(r->pixels); i++) r->pixels[i] = rng_normal(rng, i);
    vit_initialize(r->vit, 1);
    r->model = &r->vit->model;
    begin_model(r);
}

static void run_begin_speech(Run *r, const ModelConfig *config) {
    *r = (Run){.speech = speech_new(config, FILTERS, CLASSES)};
    Rng rng = rng_make(4, 0, 0);
    for (size_t b = 0; b < BATCH; b++)
        for (size_t i = 0; i < FRAMES[b] * FILTERS; i++)
            r->features[b * FRAMES_MOST * FILTERS + i] = rng_normal(rng, 1000 * b + i);
    speech_initialize(r->speech, 1);
    r->model = &r->speech->model;
    begin_model(r);
}

static void run_end(Run *r) {
    mem_free(r->at);
    step_end(&r->step);
    vit_free(r->vit);
    speech_free(r->speech);
}

static double value_along(double t, void *context) {
    Run *r = context;
    ParamSet *params = r->model->params;
    for (size_t i = 0; i < params->trained; i++)
        params->values[i] = r->at[i] + t * r->direction[i];
    ForwardMode mode = mode_of(r);
    tape_begin(r->step.tape, (TapeMode){.training = true, .seed = SEED, .step = STEP});
    return (double)loss_of(r, r->step.tape, &mode, 0, BATCH)->value[0];
}

static void backward(Run *r) {
    StepBatch batch = {.number = STEP, .examples = BATCH, .mode = mode_of(r)};
    assert_null(step_watch(&r->step, &batch).op);
}

/* Along a random direction in one parameter at a time. */
static void check_param(Run *r, const Param *p, const char *what) {
    ParamSet *params = r->model->params;
    Rng rng = rng_make(8, 0, p->offset);
    double found = 0, squares = 0;
    memset(r->direction, 0, params->trained * sizeof(real));
    for (size_t j = 0; j < p->tensor.size; j++) {
        r->direction[p->offset + j] = 0.1 * rng_normal(rng, j);
        found += p->tensor.grad[j] * r->direction[p->offset + j];
        squares += p->tensor.grad[j] * p->tensor.grad[j];
    }
    double wanted = five_point(value_along, r);
    if (fabs(found - wanted) > GRAD_TOLERANCE * 0.1 * sqrt(squares) + 1e-11)
        fail_msg("%s: %s: backward says %.12g, differences say %.12g", what, p->name,
                 found, wanted);
}

/* Every trained parameter, and then the end of the run. */
static void check_run(Run *r, const char *what) {
    backward(r);
    ParamSet *params = r->model->params;
    for (size_t i = 0; i < params->count; i++)
        if (param_is_trained(params->list[i])) check_param(r, params->list[i], what);
    run_end(r);
}

static void check_config(const ModelConfig *config, bool recompute, const char *what) {
    Run r;
    run_begin(&r, config);
    r.recompute = recompute;
    check_run(&r, what);
}

static void check_speech(const ModelConfig *config, bool recompute, const char *what) {
    Run r;
    run_begin_speech(&r, config);
    r.recompute = recompute;
    check_run(&r, what);
}

static void every_norm_with_every_reparametrisation(void **state) {
    (void)state;
    for (NormPlace norm = NORM_PRE; norm <= NORM_NONE; norm++)
        for (ReparamMethod method = REPARAM_NONE; method < REPARAM_METHODS; method++) {
            ModelConfig c = small_config();
            c.norm = norm, c.reparam = method;
            char what[80];
            text_format(what, sizeof what, "norm %d reparam %s", (int)norm,
                        reparam_name(method));
            check_config(&c, false, what);
        }
}

static void every_grouping_scope_and_pooling(void **state) {
    (void)state;
    for (QkvGrouping qkv = QKV_JOINT; qkv <= QKV_SEPARATE; qkv++)
        for (ReparamScope scope = SCOPE_ALL; scope <= SCOPE_ATTENTION; scope++) {
            ModelConfig c = small_config();
            c.qkv = qkv, c.reparam = REPARAM_SIGMA, c.reparam_scope = scope;
            c.pool = scope == SCOPE_BLOCKS ? POOL_MEAN : POOL_TOKEN;
            c.final_norm = scope != SCOPE_ATTENTION;
            c.position = (PositionKind)qkv;
            check_config(&c, false, "grouping and scope");
        }
}

static void dropout_drop_path_and_recomputed_blocks(void **state) {
    (void)state;
    ModelConfig c = small_config();
    c.reparam = REPARAM_SIGMA, c.norm = NORM_POST, c.dropout = 0.2, c.drop_path = 0.4;
    check_config(&c, false, "dropout");
    check_config(&c, true, "dropout, recomputed");
}

static void recomputed_blocks_give_the_same_gradients_to_the_bit(void **state) {
    (void)state;
    ModelConfig c = small_config();
    c.dropout = 0.2, c.drop_path = 0.4, c.depth = 4;
    Run plain, again;
    run_begin(&plain, &c);
    run_begin(&again, &c);
    again.recompute = true;
    backward(&plain);
    backward(&again);
    assert_memory_equal(plain.model->params->grads, again.model->params->grads,
                        plain.model->params->trained * sizeof(real));
    run_end(&plain);
    run_end(&again);
}

static void speech_with_every_norm_and_reparametrisation(void **state) {
    (void)state;
    for (NormPlace norm = NORM_PRE; norm <= NORM_NONE; norm++)
        for (ReparamMethod method = REPARAM_NONE; method < REPARAM_METHODS; method++) {
            ModelConfig c = small_config();
            c.norm = norm, c.reparam = method, c.position = POSITION_CAPE;
            c.qkv = (QkvGrouping)(method % 3);
            char what[80];
            text_format(what, sizeof what, "speech, norm %d reparam %s", (int)norm,
                        reparam_name(method));
            check_speech(&c, method == REPARAM_SPECTRAL, what);
        }
}

/* With seed and step of loss_of one of the four blocks is left out. */
static void speech_with_a_reparametrised_convolution(void **state) {
    (void)state;
    for (ReparamMethod method = REPARAM_SIGMA; method < REPARAM_METHODS; method++) {
        ModelConfig c = small_config();
        c.norm = NORM_NONE, c.position = POSITION_CAPE;
        c.reparam = method, c.reparam_front = true;
        c.reparam_scope = SCOPE_ATTENTION;
        check_speech(&c, false, reparam_name(method));
    }
}

static void speech_with_dropout_and_blocks_left_out(void **state) {
    (void)state;
    ModelConfig c = small_config();
    c.depth = 4, c.dropout = 0.2, c.layer_drop = 0.4, c.reparam = REPARAM_SIGMA;
    c.context = 8;
    for (NormPlace norm = NORM_PRE; norm <= NORM_POST; norm++) {
        c.norm = norm;
        check_speech(&c, false, "layer drop");
        check_speech(&c, true, "layer drop, recomputed");
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_norm_with_every_reparametrisation),
        cmocka_unit_test(every_grouping_scope_and_pooling),
        cmocka_unit_test(dropout_drop_path_and_recomputed_blocks),
        cmocka_unit_test(recomputed_blocks_give_the_same_gradients_to_the_bit),
        cmocka_unit_test(speech_with_every_norm_and_reparametrisation),
        cmocka_unit_test(speech_with_a_reparametrised_convolution),
        cmocka_unit_test(speech_with_dropout_and_blocks_left_out),
    };
    return cmocka_run_group_tests_name("gradients of models", cases, NULL, NULL);
}
