/* step: pieces cover the batch, layer drop's numbers follow the recipe alone, and what a
 * step makes does not depend on how its batch is cut. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/step.h"
#include "toy_models.h"

/* ---- how a batch is cut ---- */

enum { PART = 24 };

/* Items 0 ... 23 weigh 1 ... 24; pieces have like weights, as those of speech have. */
static size_t weighed_edge(void *context, size_t i, size_t pieces) {
    size_t count = *(size_t *)context;
    size_t all = count * (count + 1) / 2, sum = 0, at = 0;
    while (at < count && sum * pieces < all * i) sum += ++at;
    return at;
}

typedef struct Cut {
    Model model;
    StepBatch batch;
    Step step;
} Cut;

static void cut_begin(Cut *c, size_t accumulate, double layer_drop, size_t examples) {
    *c = (Cut){.batch = {.examples = examples, .tokens = 50}};
    c->model.config = model_config_default();
    c->model.config.width = 8;
    c->model.config.layer_drop = layer_drop;
    c->step = (Step){.model = &c->model,
                     .accumulate = accumulate,
                     .context = &c->batch.examples};
}

/* Which forward pass each example is in, with micro-batches cut for this cache. */
static void passes_of(Cut *c, size_t cache, size_t *pass) {
    const Step *s = &c->step;
    c->step.cache = cache;
    size_t pieces = step_pieces(s, &c->batch), next = 0;
    for (size_t i = 0; i < pieces; i++) {
        size_t from = step_edge(s, &c->batch, i, pieces);
        size_t to = step_edge(s, &c->batch, i + 1, pieces);
        assert_int_equal(from, next);
        for (size_t k = from; k < to; k++) pass[k] = step_pass(s, &c->batch, from);
        next = to;
    }
    assert_int_equal(next, c->batch.examples);
}

static void what_an_example_draws_does_not_depend_on_the_cache(void **state) {
    (void)state;
    static const size_t caches[] = {0, 1, 1 << 14, 1 << 15, 1 << 16, 1 << 20};
    for (size_t accumulate = 1; accumulate <= 30; accumulate++)
        for (int w = 0; w < 2; w++) {
            Cut cut;
            cut_begin(&cut, accumulate, 0.3, PART);
            if (w) cut.step.edge_of = weighed_edge;
            size_t wanted[PART], seen[PART], most = 0;
            passes_of(&cut, 0, wanted);
            for (size_t c = 0; c < COUNT(caches); c++) {
                passes_of(&cut, caches[c], seen);
                assert_memory_equal(seen, wanted, sizeof seen);
                most = MAX(most, step_pieces(&cut.step, &cut.batch));
            }
            /* some cache cut further */
            assert_true(most > accumulate || accumulate > 16);
            for (size_t k = 0; k < PART; k++) assert_true(wanted[k] < accumulate);
        }
}

static void each_micro_batch_draws_for_itself(void **state) {
    (void)state;
    Cut c;
    cut_begin(&c, 4, 0.3, PART);
    size_t pass[PART];
    passes_of(&c, 1, pass);
    for (size_t k = 0; k < PART; k++) assert_int_equal(pass[k], k / (PART / 4));
}

static size_t pieces_of(Cut *c, size_t cache, size_t examples) {
    c->step.cache = cache;
    c->batch.examples = examples;
    return step_pieces(&c->step, &c->batch);
}

static void without_layer_drop_pieces_are_those_of_the_cache(void **state) {
    (void)state;
    Cut c;
    cut_begin(&c, 3, 0, PART);
    size_t fitting = model_parts(&c.model.config, 50, PART, 1 << 16);
    if (fitting <= 3 || fitting % 3 == 0) fail_msg("%zu pieces show nothing", fitting);
    assert_int_equal(pieces_of(&c, 1 << 16, PART), fitting);
    assert_int_equal(pieces_of(&c, 0, PART), 3);
    assert_int_equal(pieces_of(&c, 0, 2), 2);
    assert_int_equal(pieces_of(&c, 0, 0), 1);
    assert_int_equal(step_last_piece(&c.step, &c.batch, 1), 1);
}

static void the_last_piece_has_an_example(void **state) {
    (void)state;
    Cut c;
    cut_begin(&c, 8, 0.3, 2);
    c.step.edge_of = weighed_edge;
    size_t pieces = step_pieces(&c.step, &c.batch);
    size_t last = step_last_piece(&c.step, &c.batch, pieces);
    assert_int_equal(pieces, 8);
    assert_true(step_edge(&c.step, &c.batch, last, pieces) < 2);
    assert_int_equal(step_edge(&c.step, &c.batch, last + 1, pieces), 2);
}

/* ---- steps ---- */

enum { BATCH = 6, LENGTH = 5, VOCAB = 11, LAPS_MOST = 40 };

typedef struct Run {
    Language *lm;
    Step step;
    StepBatch batch;
    uint32_t ids[BATCH * LENGTH];
    StepPhase laps[LAPS_MOST];
    size_t lap_count;
    size_t first[BATCH]; /* where the first pieces began */
    size_t pieces;       /* all so far */
    Precision seen;      /* of the pass that was last */
} Run;

/* What comes next is the same token again. */
static Tensor *loss_of(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                       size_t to) {
    Run *r = context;
    assert_int_equal(mode->first_example, from);
    if (r->pieces < BATCH) r->first[r->pieces] = from;
    r->pieces++;
    r->seen = tape_mode(tape)->precision;
    TokenRows rows = {.ids = r->ids + from * LENGTH,
                      .batch = to - from,
                      .length = LENGTH};
    VocabTarget target = {.label = rows.ids,
                          .ignore = TOY_PAD,
                          .divisor = (double)(r->batch.examples * LENGTH)};
    return language_loss(r->lm, tape, mode, &rows, &target);
}

static void lap(void *context, StepPhase phase) {
    Run *r = context;
    assert_true(r->lap_count < LAPS_MOST);
    r->laps[r->lap_count++] = phase;
}

static void run_begin(Run *r, ReparamMethod reparam, double dropout) {
    ModelConfig config = toy_config(NORM_PRE);
    config.reparam = reparam, config.dropout = dropout;
    OptimConfig optim = optim_config_default();
    optim.clip = 0.1;
    *r = (Run){.lm = toy_language(&config, VOCAB, 3)};
    for (size_t b = 0; b < BATCH; b++)
        toy_sentence(r->ids + b * LENGTH, LENGTH, VOCAB, b);
    step_begin(&r->step, &r->lm->model, &optim, NULL);
    r->step.seed = 1, r->step.context = r, r->step.loss_of = loss_of;
    r->batch = (StepBatch){.number = 1, .examples = BATCH, .tokens = LENGTH};
    r->batch.mode.temperature = 1;
}

static void run_end(Run *r) {
    step_end(&r->step);
    language_free(r->lm);
}

static real *gradients(Run *r) {
    const ParamSet *params = r->lm->model.params;
    real *copy = mem_alloc(params->trained * sizeof *copy);
    memcpy(copy, params->grads, params->trained * sizeof *copy);
    return copy;
}

static void micro_batches_add_up_to_the_batch(void **state) {
    (void)state;
    Run whole, cut;
    run_begin(&whole, REPARAM_SIGMA, 0.1);
    run_begin(&cut, REPARAM_SIGMA, 0.1);
    cut.step.accumulate = 4;
    step_gradients(&whole.step, &whole.batch);
    step_gradients(&cut.step, &cut.batch);
    assert_int_equal(whole.pieces, 1);
    assert_int_equal(cut.pieces, 4);
    static const size_t FIRST[4] = {0, 1, 3, 4};
    assert_memory_equal(cut.first, FIRST, sizeof FIRST);
    /* dropout draws by example: only the order of sums differs */
    assert_true(fabs(whole.step.loss - cut.step.loss) < 1e-5 * whole.step.loss);
    real *a = gradients(&whole), *b = gradients(&cut);
    assert_true(toy_apart(a, b, whole.lm->model.params->trained) < 1e-5);
    mem_free(a);
    mem_free(b);
    run_end(&whole);
    run_end(&cut);
}

static void passes_have_the_precision_of_the_batch(void **state) {
    (void)state;
    Run r;
    run_begin(&r, REPARAM_NONE, 0);
    step_gradients(&r.step, &r.batch);
    assert_int_equal(r.seen.products, PRECISION_FP32);
    r.batch.mode.precision = (Precision){PRECISION_BF16, .keep_reparam = true};
    step_gradients(&r.step, &r.batch);
    assert_int_equal(r.seen.products, PRECISION_BF16);
    assert_true(r.seen.keep_reparam && !r.seen.keep_attention);
    run_end(&r);
}

static void gradients_are_folded_before_their_norm_is_taken(void **state) {
    (void)state;
    Run r;
    run_begin(&r, REPARAM_SIGMA, 0);
    step_gradients(&r.step, &r.batch);
    const ParamSet *params = r.lm->model.params;
    double squares = 0, gamma = 0;
    for (size_t i = 0; i < params->trained; i++)
        squares += (double)params->grads[i] * (double)params->grads[i];
    assert_true(fabs(sqrt(squares) / r.step.grad_norm - 1) < 1e-5);
    /* of gamma, which no op writes: the fold does */
    const Param *p = r.lm->model.layers[0]->reparam->gamma;
    for (size_t i = 0; i < p->tensor.size; i++) gamma += fabs((double)p->tensor.grad[i]);
    assert_true(gamma > 0);
    run_end(&r);
}

static void scales_follow_the_weights_in_a_step_and_stay_in_a_watched_one(void **state) {
    (void)state;
    Run r;
    run_begin(&r, REPARAM_SIGMA, 0);
    const Reparam *own = r.lm->model.layers[0]->reparam;
    step_gradients(&r.step, &r.batch);
    double sigma = (double)own->sigma;
    for (size_t i = 0; i < own->w->tensor.size; i++) own->w->tensor.value[i] *= 2;
    step_watch(&r.step, &r.batch);
    assert_true((double)own->sigma == sigma);
    step_gradients(&r.step, &r.batch);
    assert_true((double)own->sigma > 1.9 * sigma);
    run_end(&r);
}

static void the_clock_sees_each_phase_in_order(void **state) {
    (void)state;
    static const StepPhase WANTED[] = {
        STEP_REFRESH, STEP_FORWARD, STEP_BACKWARD, STEP_FORWARD, STEP_BACKWARD,
        STEP_FOLD,    STEP_UPDATE,  STEP_BETWEEN,  STEP_UPDATE,
    };
    Run r;
    run_begin(&r, REPARAM_NONE, 0);
    r.step.accumulate = 2, r.step.lap = lap;
    step_gradients(&r.step, &r.batch);
    step_update(&r.step, 0.1, 0);
    assert_int_equal(r.lap_count, COUNT(WANTED));
    assert_memory_equal(r.laps, WANTED, sizeof WANTED);
    run_end(&r);
}

/* Plain descent: how far the weights move is how long the gradient is. */
static double distance_of_an_update(double clip) {
    Run r;
    run_begin(&r, REPARAM_NONE, 0);
    OptimConfig sgd = optim_config_default();
    sgd.name = OPTIM_SGD, sgd.momentum = 0, sgd.clip = clip;
    step_end(&r.step);
    step_begin(&r.step, &r.lm->model, &sgd, NULL);
    r.step.context = &r, r.step.loss_of = loss_of;
    const ParamSet *params = r.lm->model.params;
    real *before = mem_alloc(params->trained * sizeof *before);
    memcpy(before, params->values, params->trained * sizeof *before);
    step_gradients(&r.step, &r.batch);
    double squares = 0, norm = r.step.grad_norm;
    step_update(&r.step, 0.5, 0);
    for (size_t i = 0; i < params->trained; i++)
        squares += pow((double)(params->values[i] - before[i]), 2);
    mem_free(before);
    run_end(&r);
    return sqrt(squares) / (0.5 * MIN(norm, clip > 0 ? clip : norm));
}

static void the_update_is_clipped_to_its_norm(void **state) {
    (void)state;
    assert_true(fabs(distance_of_an_update(0) - 1) < 1e-3);
    assert_true(fabs(distance_of_an_update(0.05) - 1) < 1e-3);
    assert_true(fabs(distance_of_an_update(1e6) - 1) < 1e-3);
}

static void steps_learn_and_their_average_follows(void **state) {
    (void)state;
    Run r;
    run_begin(&r, REPARAM_SIGMA, 0);
    ParamSet *params = r.lm->model.params;
    r.step.ema = ema_new(params, 0.5);
    step_gradients(&r.step, &r.batch);
    double first = r.step.loss;
    for (; r.batch.number <= 30; r.batch.number++) {
        step_gradients(&r.step, &r.batch);
        step_update(&r.step, 0.01, 0);
    }
    assert_true(r.step.loss < 0.5 * first);
    double apart = toy_apart(ema_values(r.step.ema), params->values, params->trained);
    assert_true(apart > 0 && apart < 0.1);
    run_end(&r);
}

static void a_watched_step_names_the_first_bad_number_and_keeps_the_loss(void **state) {
    (void)state;
    Run r;
    run_begin(&r, REPARAM_SIGMA, 0);
    step_gradients(&r.step, &r.batch);
    double loss = r.step.loss;
    real *wanted = gradients(&r);
    assert_null(step_watch(&r.step, &r.batch).op);
    assert_memory_equal(wanted, r.lm->model.params->grads,
                        r.lm->model.params->trained * sizeof *wanted);
    mem_free(wanted);
    r.lm->model.layers[2]->bias->tensor.value[0] = NAN;
    r.step.accumulate = 3, r.pieces = 0;
    TapeFault fault = step_watch(&r.step, &r.batch);
    assert_non_null(fault.op);
    assert_false(fault.backward);
    assert_int_equal(r.pieces, 1); /* and looks no further */
    assert_true(r.step.loss == loss);
    run_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_example_draws_does_not_depend_on_the_cache),
        cmocka_unit_test(each_micro_batch_draws_for_itself),
        cmocka_unit_test(without_layer_drop_pieces_are_those_of_the_cache),
        cmocka_unit_test(the_last_piece_has_an_example),
        cmocka_unit_test(micro_batches_add_up_to_the_batch),
        cmocka_unit_test(passes_have_the_precision_of_the_batch),
        cmocka_unit_test(gradients_are_folded_before_their_norm_is_taken),
        cmocka_unit_test(scales_follow_the_weights_in_a_step_and_stay_in_a_watched_one),
        cmocka_unit_test(the_clock_sees_each_phase_in_order),
        cmocka_unit_test(the_update_is_clipped_to_its_norm),
        cmocka_unit_test(steps_learn_and_their_average_follows),
        cmocka_unit_test(a_watched_step_names_the_first_bad_number_and_keeps_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
