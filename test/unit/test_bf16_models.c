/* A training step of a small model of each kind, as the bench makes it, in bf16: loss
 * and gradients near those of fp32, the same again when blocks are recomputed and when
 * nothing changes, in less memory. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "models/step.h"
#include "precisions.h"
#include "tools/bench/bench.h"

typedef struct Kind {
    const char *model;
    double most;          /* how far gradients may be apart, in u */
    const char *words[6]; /* after them a NULL */
} Kind;

static const Kind KINDS[] = {
    {"small", 8, {"model.width=48", "train.batch=3", "model.pool=mean"}},
    /* batch norm takes away what all views have in common, but not of the rounding */
    {"cifar-simclr", 40, {"model.width=48", "model.depth=2", "train.batch=4"}},
    {"shakespeare-char", 8, {"model.width=48", "model.depth=2", "train.batch=3"}},
    {"mt-6l", 8, {"model.width=48", "model.heads=3", "model.depth=2", "train.batch=4"}},
    {"asr-12l", 8, {"model.width=48", "model.heads=3", "model.depth=2", "train.batch=2"}},
};

typedef struct Run {
    BenchSubject subject;
    BenchWork work;
    Step step;
    StepBatch batch;
} Run;

static Tensor *loss_of(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                       size_t to) {
    Run *r = context;
    return task_bench(r->subject.recipe.task)->loss(&r->work, tape, mode, from, to);
}

/* With `extra` words, of which there may be none. */
static Run *run_begin(const Kind *kind, const char *extra) {
    Run *r = mem_zalloc(sizeof *r);
    char *words[8];
    size_t count = 0;
    Err err = ERR_NONE;
    Bench bench = {.force = true};
    for (; kind->words[count]; count++)
        words[count] = (char *)(uintptr_t)kind->words[count];
    if (extra) words[count++] = (char *)(uintptr_t)extra;
    const BenchModel *model = bench_model_find(kind->model);
    assert_non_null(model);
    if (bench_subject(&bench, &r->subject, model, words, count, &err))
        fail_msg("%s: %s", kind->model, err.text);
    bench_work_make_batch(&r->work, &r->subject);
    bench_work_make_model(&r->work);
    model_start(r->work.model, NULL);
    step_begin(&r->step, r->work.model, NULL, NULL);
    r->step.seed = 1, r->step.context = r, r->step.loss_of = loss_of;
    r->batch = (StepBatch){.number = 1, .examples = r->subject.batch};
    r->batch.mode.temperature = 1;
    return r;
}

static void run_end(Run *r) {
    step_end(&r->step);
    bench_work_release(&r->work);
    mem_free(r);
}

/* A copy of the gradients; u and v stay as they are. */
static real *gradients(Run *r, Precision precision, bool recompute) {
    const ParamSet *params = r->work.model->params;
    r->batch.mode.precision = precision;
    r->batch.mode.recompute = recompute;
    assert_null(step_watch(&r->step, &r->batch).op);
    real *copy = mem_array(params->trained, sizeof *copy);
    return memcpy(copy, params->grads, params->trained * sizeof *copy);
}

static double loss(Run *r, Precision precision) {
    r->batch.mode.precision = precision;
    r->step.still = true;
    step_gradients(&r->step, &r->batch);
    return r->step.loss;
}

static const Precision HALF = {.products = PRECISION_BF16};

/* Ten roundings and more on each way; without them nothing differs. */
static void loss_and_gradients_are_near_those_of_fp32(void **state) {
    (void)state;
    static const char *const METHODS[] = {"model.reparam=none", "model.reparam=sigma"};
    for (size_t i = 0; i < COUNT(KINDS); i++)
        for (size_t m = 0; m < COUNT(METHODS); m++) {
            Run *r = run_begin(&KINDS[i], METHODS[m]);
            size_t n = r->work.model->params->trained;
            double full = loss(r, (Precision){0}), half = loss(r, HALF);
            real *wide = gradients(r, (Precision){0}, false);
            real *narrow = gradients(r, HALF, false);
            double off = apart(narrow, wide, n);
            if (!(fabs(half - full) < ROUNDING * full) || half == full)
                fail_msg("%s, %s: loss %.9g in bf16, %.9g in fp32", KINDS[i].model,
                         METHODS[m], half, full);
            if (!(off < KINDS[i].most * ROUNDING && off > ROUNDING / 8))
                fail_msg("%s, %s: gradients %.3g apart", KINDS[i].model, METHODS[m], off);
            mem_free(wide);
            mem_free(narrow);
            run_end(r);
        }
}

/* Norms, matrices and what is left out at random decide what is let go when. */
static const Kind WAYS[] = {
    {"small", 0, {"model.width=48", "model.norm=none", "model.drop_path=0.3"}},
    {"small", 0, {"model.width=48", "model.norm=post", "model.dropout=0.2"}},
    {"small",
     0,
     {"model.qkv=separate", "model.width=48", "model.freeze=patch_embed blocks.0"}},
    {"shakespeare-char",
     0,
     {"model.width=48", "model.depth=2", "train.batch=3", "model.norm=none"}},
    {"mt-6l",
     0,
     {"model.width=48", "model.depth=2", "train.batch=4", "model.norm=deepnorm"}},
    {"mt-6l", 0, {"model.width=48", "model.depth=2", "train.batch=4", "model.norm=none"}},
    {"mt-6l",
     0,
     {"model.width=48", "model.depth=2", "train.batch=4", "model.qkv=separate"}},
    {"asr-12l",
     0,
     {"model.width=48", "model.depth=4", "train.batch=2", "model.layer_drop=0.4"}},
    {"asr-12l",
     0,
     {"model.width=48", "model.depth=2", "train.batch=2", "model.norm=none"}},
};

static void what_is_let_go_does_not_count(void **state) {
    (void)state;
    static const Precision KEPT[] = {
        {.products = PRECISION_BF16},
        {.products = PRECISION_BF16, .keep_attention = true},
        {.products = PRECISION_BF16, .keep_reparam = true},
    };
    for (size_t i = 0; i < COUNT(WAYS); i++)
        for (size_t k = 0; k < COUNT(KEPT); k++) {
            Run *r = run_begin(&WAYS[i], "model.reparam=sigma");
            size_t n = r->work.model->params->trained;
            real *once = gradients(r, KEPT[k], false);
            r->batch.mode.measure = MEASURE_HEADS;
            real *seen = gradients(r, KEPT[k], false);
            real *again = gradients(r, KEPT[k], true);
            assert_memory_equal(once, seen, n * sizeof *once);
            assert_memory_equal(once, again, n * sizeof *once);
            mem_free(once);
            mem_free(seen);
            mem_free(again);
            run_end(r);
        }
}

static void the_same_again_recomputed_and_by_plain_loops(void **state) {
    (void)state;
    Precision plain = HALF;
    plain.plain = true;
    for (size_t i = 0; i < COUNT(KINDS); i++) {
        Run *r = run_begin(&KINDS[i], NULL);
        size_t n = r->work.model->params->trained;
        real *once = gradients(r, HALF, false), *twice = gradients(r, HALF, false);
        real *again = gradients(r, HALF, true), *slow = gradients(r, plain, false);
        assert_memory_equal(once, twice, n * sizeof *once);
        assert_memory_equal(once, again, n * sizeof *once);
        assert_true(apart(slow, once, n) < 2 * ROUNDING); /* a rounding may go the other
                                                           * way */
        mem_free(once);
        mem_free(twice);
        mem_free(again);
        mem_free(slow);
        run_end(r);
    }
}

/* What stays in fp32 goes through the same ops as in a pass of fp32. */
static void a_pass_in_fp32_is_not_touched_by_one_in_bf16_before_it(void **state) {
    (void)state;
    Run *r = run_begin(&KINDS[0], NULL);
    size_t n = r->work.model->params->trained;
    real *before = gradients(r, (Precision){0}, false), *half = gradients(r, HALF, false);
    real *after = gradients(r, (Precision){0}, false);
    assert_memory_equal(before, after, n * sizeof *before);
    assert_memory_not_equal(before, half, n * sizeof *before);
    mem_free(before);
    mem_free(half);
    mem_free(after);
    run_end(r);
}

static void micro_batches_add_up(void **state) {
    (void)state;
    Run *r = run_begin(&KINDS[0], "train.batch=6");
    size_t n = r->work.model->params->trained;
    real *whole = gradients(r, HALF, false);
    r->step.accumulate = 3;
    real *cut = gradients(r, HALF, false);
    assert_true(apart(cut, whole, n) < 2 * ROUNDING);
    mem_free(whole);
    mem_free(cut);
    run_end(r);
}

static double bytes(const Run *r) {
    TapeMemory memory = tape_memory(r->step.tape);
    return (double)(memory.used + memory.gradients);
}

/* Of a block in fp32 ten numbers a token and width stay, in bf16 as many of 16 bits: the
 * sums after its branches, as products or norms read them, too. */
static void activations_take_little_more_than_half_the_memory(void **state) {
    (void)state;
    static const Kind DEEP[] = {
        {"small", 0, {"model.depth=8", "train.batch=2"}},
        {"small", 0, {"model.depth=8", "train.batch=2", "model.norm=none"}},
        {"small", 0, {"model.depth=8", "train.batch=2", "model.norm=post"}},
        {"small", 0, {"model.depth=8", "train.batch=2", "model.qkv=separate"}},
    };
    for (size_t i = 0; i < COUNT(DEEP); i++) {
        Run *wide = run_begin(&DEEP[i], NULL), *narrow = run_begin(&DEEP[i], NULL);
        mem_free(gradients(wide, (Precision){0}, false));
        mem_free(gradients(narrow, HALF, false));
        double share = bytes(narrow) / bytes(wide);
        if (!(share < 0.65)) fail_msg("%zu: %.3f of the memory", i, share);
        run_end(wide);
        run_end(narrow);
    }
}

static void memory_does_not_grow_from_step_to_step(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(KINDS); i++)
        for (int recompute = 0; recompute < 2; recompute++) {
            Run *r = run_begin(&KINDS[i], NULL);
            for (int step = 0; step < 2; step++) mem_free(gradients(r, HALF, recompute));
            double before = bytes(r);
            for (int step = 0; step < 3; step++) mem_free(gradients(r, HALF, recompute));
            assert_true(bytes(r) == before);
            run_end(r);
        }
}

/* Threads of small steps mostly wait for each other, and what these cases ask does not
 * depend on them. */
static int use_one_thread(void **state) {
    (void)state;
    omp_set_num_threads(1);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_and_gradients_are_near_those_of_fp32),
        cmocka_unit_test(the_same_again_recomputed_and_by_plain_loops),
        cmocka_unit_test(a_pass_in_fp32_is_not_touched_by_one_in_bf16_before_it),
        cmocka_unit_test(micro_batches_add_up),
        cmocka_unit_test_setup(what_is_let_go_does_not_count, use_one_thread),
        cmocka_unit_test_setup(activations_take_little_more_than_half_the_memory,
                               use_one_thread),
        cmocka_unit_test_setup(memory_does_not_grow_from_step_to_step, use_one_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
