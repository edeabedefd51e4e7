/* A sample of a split (TaskOps.sample): examples from all of it as evaluation reads them,
 * of every kind of task that the program has data for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/spread.h"
#include "tools/task/pictures.h"
#include "tools/task/step.h"
#include "tools/task/texts.h"
#include "tools/task/transcribe/transcribe.h"

/* Built-in data, with everything on that a sample must not see. */
static const struct {
    const char *recipe, *words[9];
    double near; /* a text's evaluation also scores what fills no block */
} CASES[] = {
    {"demo",
     {"data.synthetic_count=60", "data.augment=crop:4,flip", "train.mixup=0.8",
      "model.dropout=0.3", "model.depth=2"},
     1e-5},
    {"grammar",
     {"data.synthetic_count=3000", "model.dropout=0.3", "model.context=16"},
     0.02},
    {"numbers-pre",
     {"data.synthetic_count=100", "train.batch=8", "model.dropout=0.3", "model.depth=2"},
     1e-5},
    {"tones",
     {"data.synthetic_count=20", "model.dropout=0.3", "model.depth=2",
      "data.augment=speed", "model.layer_drop=0.3", "train.batch_seconds=5"},
     1e-5},
};

typedef struct Opened {
    Recipe recipe;
    Task *task;
    Step step;
} Opened;

static void open_case(size_t i, const char *seed, Opened *o) {
    Err err = ERR_NONE;
    o->recipe = recipe_default();
    assert_int_equal(recipe_load(&o->recipe, CASES[i].recipe, &err), OK);
    for (size_t w = 0; CASES[i].words[w]; w++)
        if (recipe_set(&o->recipe, CASES[i].words[w], &err)) fail_msg("%s", err.text);
    assert_int_equal(recipe_set(&o->recipe, seed, &err), OK);
    if (recipe_check(&o->recipe, &err)) fail_msg("%s", err.text);
    o->task = task_open(&o->recipe, NULL, &err);
    if (!o->task) fail_msg("%s: %s", CASES[i].recipe, err.text);
    o->task->ops->initialize(o->task, 1);
    model_start(o->task->model, NULL);
    task_step_begin(o->task, 1, &o->step);
    o->step.still = true;
}

static void close_case(Opened *o) {
    step_end(&o->step);
    task_free(o->task);
}

/* The loss of a sample; its gradients stay with the parameters. */
static double loss_of(Opened *o, Split split, size_t count, size_t number) {
    Err err = ERR_NONE;
    if (o->task->ops->sample(o->task, split, count, &err)) fail_msg("%s", err.text);
    StepBatch batch = task_step_batch(o->task, number, (ForwardMode){.temperature = 1});
    step_gradients(&o->step, &batch);
    return o->step.loss;
}

static void a_whole_split_has_the_loss_of_its_evaluation(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Opened o;
        Err err = ERR_NONE;
        Score score;
        ForwardMode mode = {.temperature = 1};
        open_case(i, "train.seed=1", &o);
        double loss = loss_of(&o, SPLIT_TEST, 100000, 1);
        assert_int_equal(o.task->ops->evaluate(o.task, o.step.tape, &mode, SPLIT_TEST,
                                               false, &score, &err),
                         OK);
        double wanted = score.value[METRIC_LOSS];
        if (!(fabs(loss - wanted) <= CASES[i].near * wanted))
            fail_msg("%s: the sample's loss is %g, evaluation's %g", CASES[i].recipe,
                     loss, wanted);
        score_clear(&score);
        close_case(&o);
    }
}

/* Not of the seed, of the step's number, or of what was sampled before; and of so many
 * examples as were asked for. */
static void a_sample_is_always_the_same(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Opened a, b;
        open_case(i, "train.seed=1", &a);
        open_case(i, "train.seed=2", &b);
        double loss = loss_of(&a, SPLIT_TRAIN, 5, 1), norm = a.step.grad_norm;
        assert_int_equal(a.task->part, 5);
        assert_true(isfinite(loss) && norm > 0);
        assert_true(loss_of(&a, SPLIT_TRAIN, 7, 2) != loss);
        assert_true(loss_of(&a, SPLIT_TRAIN, 5, 3) == loss && a.step.grad_norm == norm);
        assert_true(loss_of(&b, SPLIT_TRAIN, 5, 9) == loss && b.step.grad_norm == norm);
        close_case(&a);
        close_case(&b);
    }
}

static const size_t *items_of(const Task *task) {
    switch (task_examples(task->recipe->task)) {
    case EXAMPLES_PICTURES: return picture_task_batch(task)->item;
    case EXAMPLES_SPEECH: return ((const Transcribe *)task)->batch->number;
    default: return text_task_batch(task)->item;
    }
}

/* In whatever order the batch has them. */
static void a_sample_has_an_example_of_each_stretch_of_the_split(void **state) {
    enum { SAMPLE = 6 };
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Opened o;
        bool met[SAMPLE] = {0};
        open_case(i, "train.seed=1", &o);
        loss_of(&o, SPLIT_TRAIN, SAMPLE, 1);
        size_t count = o.task->examples;
        assert_true(count > 2 * SAMPLE);
        for (size_t k = 0; k < SAMPLE; k++)
            for (size_t s = 0; s < SAMPLE; s++)
                met[s] |= items_of(o.task)[k] == spread_item(s, SAMPLE, count);
        for (size_t s = 0; s < SAMPLE; s++)
            if (!met[s]) fail_msg("%s: nothing of stretch %zu", CASES[i].recipe, s);
        close_case(&o);
    }
}

/* Sorted by class, or classes in turn: 10 of 1,000 examples, 100 sampled. */
static void classes_have_their_share_in_any_order(void **state) {
    (void)state;
    size_t sorted[10] = {0}, turns[10] = {0};
    for (size_t k = 0, last = 0; k < 100; k++) {
        size_t item = spread_item(k, 100, 1000);
        assert_true(!k || item > last);
        last = item;
        sorted[item / 100]++, turns[item % 10]++;
    }
    for (size_t c = 0; c < 10; c++) {
        assert_int_equal(sorted[c], 10);
        assert_in_range(turns[c], 8, 12);
    }
    for (size_t k = 0; k < 7; k++) assert_int_equal(spread_item(k, 7, 7), k);
}

/* More pieces, the same numbers but for the order of sums. */
static void pieces_do_not_matter(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Opened o;
        open_case(i, "train.seed=1", &o);
        double whole = loss_of(&o, SPLIT_TRAIN, 8, 1), norm = o.step.grad_norm;
        o.step.accumulate = 3;
        double cut = loss_of(&o, SPLIT_TRAIN, 8, 1);
        if (!(fabs(cut - whole) <= 1e-5 * whole &&
              fabs(o.step.grad_norm - norm) <= 1e-4 * norm))
            fail_msg("%s: loss %.9g, in pieces %.9g; gradient %g, %g", CASES[i].recipe,
                     whole, cut, norm, o.step.grad_norm);
        close_case(&o);
    }
}

/* u and v are the checkpoint's; training goes on from them as if nothing had been. */
static void singular_vectors_stay(void **state) {
    (void)state;
    Opened o;
    open_case(0, "model.reparam=sigma", &o);
    const ParamSet *params = o.task->model->params;
    size_t bytes = params->buffered * sizeof(real);
    real *before = mem_alloc(bytes);
    params->buffers[0] += (real)0.5; /* no fixed point of the power iteration */
    memcpy(before, params->buffers, bytes);
    loss_of(&o, SPLIT_TRAIN, 4, 1);
    assert_memory_equal(params->buffers, before, bytes);
    mem_free(before);
    close_case(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_split_has_the_loss_of_its_evaluation),
        cmocka_unit_test(a_sample_is_always_the_same),
        cmocka_unit_test(a_sample_has_an_example_of_each_stretch_of_the_split),
        cmocka_unit_test(classes_have_their_share_in_any_order),
        cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(singular_vectors_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
