/* What a contrastive run refuses and says before it begins, and its scores. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/task/task.h"

static const char TINY[] =
    "[task]\nkind = contrastive\n[data]\nsource = glyphs\nsynthetic_count = 60\n"
    "augment = crop:2, flip\n[model]\nwidth = 16\ndepth = 1\nheads = 2\npatch = 7\n"
    "[train]\nsteps = 4\nbatch = 16\nthreads = 1\n";

/* The recipe lives as long as the task. */
static Recipe *tiny(const char *words) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Err err = ERR_NONE;
    char *copy = mem_strdup(words), *rest = copy, *word;
    *recipe = recipe_default();
    if (recipe_read(recipe, "tiny", TINY, &err)) fail_msg("%s", err.text);
    while ((word = strsep(&rest, " ")))
        if (*word && recipe_set(recipe, word, &err)) fail_msg("%s", err.text);
    mem_free(copy);
    return recipe;
}

static void refused(const char *words, Status status, const char *part) {
    Err err = ERR_NONE;
    Recipe *recipe = tiny(words);
    Status is = recipe_check(recipe, &err);
    Task *task = is ? NULL : task_open(recipe, NULL, &err);
    if (task) fail_msg("%s is taken", words);
    if (err.status != status || !strstr(err.text, part))
        fail_msg("%s: exit %d, `%s` lacks `%s`", words, err.status, err.text, part);
    mem_free(recipe);
}

static void a_loss_that_compares_needs_two_pictures(void **state) {
    (void)state;
    refused("train.batch=1", FAIL_USAGE, "train.batch = 1 with train.accumulate = 1");
    refused("train.accumulate=16", FAIL_USAGE, "needs at least two");
    refused("data.synthetic_count=1", FAIL_DATA, "the train split has one picture");
    refused("data.synthetic_count=5 train.batch=4", FAIL_DATA,
            "the test split has one picture");
}

static void what_needs_labels_is_refused_without_them(void **state) {
    (void)state;
    refused(
        "train.best=probe_top1 contrast.probe_lr=0", FAIL_USAGE,
        "train.best = probe_top1: there is no online probe, because contrast.probe_lr");
    refused("train.best=probe_top1 data.classes=1", FAIL_USAGE, "of one class");
    refused("schedule.name=plateau schedule.watch=probe_top1 contrast.probe_lr=0",
            FAIL_USAGE, "schedule.watch = probe_top1");
    refused("train.best=top1", FAIL_USAGE, "has no such score");
    refused("contrast.probe_lr=0 intervene.at=2 intervene.contrast.probe_lr=0.1",
            FAIL_USAGE, "from 0 during");
}

static Task *open_tiny(const char *words) {
    Err err = ERR_NONE;
    Recipe *recipe = tiny(words);
    if (recipe_check(recipe, &err)) fail_msg("%s", err.text);
    Task *task = task_open(recipe, NULL, &err);
    if (!task) fail_msg("%s", err.text);
    task_initialize(task);
    model_start(task->model, NULL);
    return task;
}

static void close_tiny(Task *task) {
    Recipe *recipe = (Recipe *)task->recipe;
    task_free(task);
    mem_free(recipe);
}

static bool noted(const Task *task, const char *part) {
    for (size_t i = 0; i < task->notes.notes; i++)
        if (strstr(task->notes.note[i].text, part)) return true;
    return false;
}

/* 0 by definition, which looked like a perfect score. */
static void an_evaluation_of_one_picture_at_a_time_is_refused(void **state) {
    (void)state;
    Task *task = open_tiny("");
    Recipe *recipe = (Recipe *)task->recipe;
    Tape *tape = tape_new();
    Score score = {0};
    Err err = ERR_NONE;
    ForwardMode mode = {.temperature = 1};
    recipe->train.batch = 1;
    assert_int_equal(task->ops->evaluate(task, tape, &mode, SPLIT_TEST, true, &score,
                                         &err),
                     FAIL_USAGE);
    assert_non_null(strstr(err.text, "train.batch = 1"));
    recipe->train.batch = recipe->train.accumulate = 4;
    err = (Err)ERR_NONE;
    assert_int_equal(task->ops->evaluate(task, tape, &mode, SPLIT_TEST, true, &score,
                                         &err),
                     FAIL_USAGE);
    assert_non_null(strstr(err.text, "train.batch = 4 with train.accumulate = 4"));
    recipe->train.accumulate = 1;
    tape_free(tape);
    err = (Err)ERR_NONE;
    assert_int_equal(task->ops->sample(task, SPLIT_TRAIN, 2, &err), OK);
    assert_int_equal(task->ops->sample(task, SPLIT_TRAIN, 1, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "a sample of one picture"));
    close_tiny(task);
}

static void pictures_of_one_class_have_no_probe(void **state) {
    (void)state;
    Task *task = open_tiny("data.classes=1");
    assert_null(params_find(task->model->params, "probe.weight"));
    assert_true(noted(task, "there is no online probe"));
    close_tiny(task);
    task = open_tiny("");
    assert_non_null(params_find(task->model->params, "probe.weight"));
    assert_false(noted(task, "probe"));
    assert_float_equal(task->chance, log(31), 1e-12);
    close_tiny(task);
}

static void micro_batches_and_equal_views_are_noted(void **state) {
    (void)state;
    Task *task = open_tiny("train.accumulate=2 data.augment=none");
    assert_true(noted(task, "only its own 8 pictures"));
    assert_true(noted(task, "both views of a picture are the same"));
    assert_float_equal(task->chance, log(15), 1e-12);
    close_tiny(task);
}

static Score score_of(Task *task) {
    Err err = ERR_NONE;
    Score score;
    Tape *tape = tape_new();
    ForwardMode mode = {.temperature = 1};
    model_freeze(task->model);
    if (task->ops->evaluate(task, tape, &mode, SPLIT_TEST, true, &score, &err))
        fail_msg("%s", err.text);
    tape_free(tape);
    return score;
}

static void scores_do_not_depend_on_the_seed_and_say_what_guessing_does(void **state) {
    (void)state;
    Task *a = open_tiny("train.batch=4"), *b = open_tiny("train.batch=4 train.seed=9");
    memcpy(b->model->params->values, a->model->params->values,
           a->model->params->trained * sizeof(real));
    memcpy(b->model->params->buffers, a->model->params->buffers,
           a->model->params->buffered * sizeof(real));
    model_start(b->model, NULL);
    Score one = score_of(a), two = score_of(b);
    assert_true(one.value[METRIC_LOSS] == two.value[METRIC_LOSS]);
    assert_true(one.value[METRIC_FEATURE_STD] == two.value[METRIC_FEATURE_STD]);
    assert_float_equal(one.value[METRIC_LOSS], log(7), 1);
    assert_int_equal(one.count, 12);
    assert_true(one.value[METRIC_FEATURE_STD] > 0 &&
                one.value[METRIC_FEATURE_STD] < 1 / sqrt(16));
    close_tiny(a);
    close_tiny(b);
}

/* At so high a temperature all pictures are alike: the loss is that of guessing. */
static void evaluation_compares_as_many_pictures_as_chance_says(void **state) {
    (void)state;
    static const char *const WORDS[] = {
        "contrast.temperature=100 train.batch=8",
        "contrast.temperature=100 train.batch=8 train.accumulate=2",
        "contrast.temperature=100 train.batch=8 train.accumulate=4"};
    for (size_t i = 0; i < COUNT(WORDS); i++) {
        Task *task = open_tiny(WORDS[i]);
        Score score = score_of(task);
        assert_float_equal(task->chance, log((16 >> i) - 1), 1e-12);
        assert_float_equal(score.value[METRIC_LOSS], task->chance, 0.02);
        close_tiny(task);
    }
    Task *task = open_tiny("train.batch=24 train.accumulate=2"); /* 12 are tested */
    assert_int_equal(task->ops->facts(task, SPLIT_TEST)->notes, 0);
    close_tiny(task);
    task = open_tiny("train.batch=48 train.accumulate=2");
    assert_non_null(strstr(task->ops->facts(task, SPLIT_TEST)->note[0].text,
                           "fewer pictures than train.batch / train.accumulate = 24"));
    close_tiny(task);
}

/* At so low a temperature the loss is the distance between the views of a picture, less
 * that to the nearest other: below chance where the views are equal. */
static void evaluation_compares_two_views_that_differ(void **state) {
    (void)state;
    static const char *const WORDS[] = {
        "contrast.temperature=1e-6 data.augment=none",
        "contrast.temperature=1e-6 data.augment=random-resized-crop"};
    for (size_t differ = 0; differ < 2; differ++) {
        Task *task = open_tiny(WORDS[differ]);
        Score score = score_of(task);
        assert_true((score.value[METRIC_LOSS] > log(2 * 12 - 1)) == differ);
        close_tiny(task);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_that_compares_needs_two_pictures),
        cmocka_unit_test(what_needs_labels_is_refused_without_them),
        cmocka_unit_test(an_evaluation_of_one_picture_at_a_time_is_refused),
        cmocka_unit_test(pictures_of_one_class_have_no_probe),
        cmocka_unit_test(micro_batches_and_equal_views_are_noted),
        cmocka_unit_test(scores_do_not_depend_on_the_seed_and_say_what_guessing_does),
        cmocka_unit_test(evaluation_compares_as_many_pictures_as_chance_says),
        cmocka_unit_test(evaluation_compares_two_views_that_differ),
    };
    return cmocka_run_group_tests_name("contrastive", tests, NULL, NULL);
}
