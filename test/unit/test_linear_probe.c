/* steady eval --linear-probe: features of a split, the printed object, refusals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/file/safetensors.h"
#include "files.h"
#include "tools/probe/features.h"
#include "tools/probe/linear_probe.h"
#include "tools/task/openrecipe.h"
#include "tools/task/pictures.h"

static char *WORDS[] = {"data.synthetic_count=90", "model.depth=2", "model.width=16",
                        "model.heads=2", "train.batch=32"};

static void open_recipe(OpenRun *run, const char *recipe, char *word) {
    char *words[COUNT(WORDS) + 1];
    Err err = ERR_NONE;
    memcpy(words, WORDS, sizeof WORDS);
    words[COUNT(WORDS)] = word;
    RunChoice choice = {.dir = recipe,
                        .words = words,
                        .command = "eval",
                        .word_count = COUNT(WORDS) + (word != NULL)};
    if (run_open_recipe(run, &choice, &err)) fail_msg("%s", err.text);
}

static LinearProbe small_wish(void) {
    LinearProbe wish = linear_probe_default();
    wish.plan.epochs = 5, wish.plan.batch = 30;
    return wish;
}

static json_t *probe(const LinearProbe *wish, char *word) {
    OpenRun run = {0};
    Err err = ERR_NONE;
    open_recipe(&run, "demo", word);
    json_t *row = linear_probe_row(&run, wish, &err);
    if (!row) fail_msg("%s", err.text);
    run_close(&run);
    return row;
}

static double number(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    if (!json_is_number(value)) fail_msg("no %s", key);
    return json_number_value(value);
}

/* ---- features ---- */

static void features_are_what_the_head_reads_in_the_datas_order(void **state) {
    (void)state;
    OpenRun run = {0};
    Err err = ERR_NONE;
    Features f;
    open_recipe(&run, "demo", NULL);
    assert_int_equal(features_of_split(&run, SPLIT_TEST, &f, &err), OK);
    const Dataset *set = picture_task_set((PictureTask *)run.task, SPLIT_TEST, &err);
    assert_int_equal(f.count, set->count);
    assert_int_equal(f.width, 16);
    Score score;
    ForwardMode mode = run_mode(&run);
    assert_int_equal(run.task->ops->evaluate(run.task, run.tape, &mode, SPLIT_TEST, true,
                                             &score, &err),
                     OK);
    Classifier *c = classifier_new(f.width, f.classes, 0);
    const ParamSet *params = run.task->model->params;
    const Tensor *w = &params_find(params, "head.weight")->tensor;
    memcpy(classifier_weight(c)->tensor.value, w->value, w->size * sizeof(real));
    ClassifierScore own = classifier_score(c, f.x, f.label, f.count);
    assert_true(fabs(own.loss - score.nll) < 1e-5);
    assert_true(fabs(own.top1 - score.value[METRIC_TOP1]) < 1e-9);
    score_clear(&score);
    classifier_free(c);
    features_free(&f);
    run_close(&run);
}

static void features_that_are_not_finite_are_named(void **state) {
    (void)state;
    OpenRun run = {0};
    Err err = ERR_NONE;
    LinearProbe wish = small_wish();
    open_recipe(&run, "demo", NULL);
    params_find(run.task->model->params, "cls_token")->tensor.value[3] = NAN;
    assert_null(linear_probe_row(&run, &wish, &err));
    assert_int_equal(err.status, FAIL_DIVERGED);
    assert_non_null(strstr(err.text, "train picture 0 are not finite"));
    run_close(&run);
}

static void expect_tensor(const Safetensors *file, const char *name, const real *wanted,
                          size_t count) {
    Err err = ERR_NONE;
    real *x = mem_array(count, sizeof *x);
    const SafetensorsEntry *e = safetensors_find(file, name);
    assert_non_null(e);
    assert_int_equal(safetensors_read(file, e, x, count, &err), OK);
    assert_memory_equal(x, wanted, count * sizeof *x);
    mem_free(x);
}

static void a_file_of_features_holds_rows_and_labels(void **state) {
    OpenRun run = {0};
    Err err = ERR_NONE;
    Features f;
    char path[500];
    real label[18];
    open_recipe(&run, "demo", NULL);
    text_format(path, sizeof path, "%s/features.safetensors", (const char *)*state);
    assert_int_equal(features_of_split(&run, SPLIT_TEST, &f, &err), OK);
    if (features_save(&run, SPLIT_TEST, &f, path, &err)) fail_msg("%s", err.text);
    Safetensors *file = safetensors_open(path, SAFETENSORS_VERIFY, &err);
    assert_non_null(file);
    assert_int_equal(f.count, COUNT(label));
    for (size_t i = 0; i < f.count; i++) label[i] = (real)f.label[i];
    assert_int_equal(safetensors_find(file, "features")->shape[1], 16);
    expect_tensor(file, "features", f.x, f.count * f.width);
    expect_tensor(file, "label", label, f.count);
    assert_string_equal(safetensors_metadata(file, "split"), "test");
    assert_string_equal(safetensors_metadata(file, "step"), "0");
    safetensors_close(file);
    features_free(&f);
    run_close(&run);
}

/* ---- the row ---- */

static bool same(const json_t *a, const json_t *b, const char *but) {
    const char *key;
    json_t *value;
    bool all = json_object_size(a) == json_object_size(b);
    json_object_foreach((json_t *)a, key, value) {
        if (!strcmp(key, "seconds") || !strcmp(key, but)) continue;
        all &= json_equal(value, json_object_get(b, key));
    }
    return all;
}

static void the_same_seed_gives_the_same_object_and_another_another(void **state) {
    (void)state;
    static const char *const AUGMENT[] = {"none", "random-resized-crop,flip"};
    for (size_t i = 0; i < COUNT(AUGMENT); i++) {
        LinearProbe wish = small_wish();
        wish.augment = AUGMENT[i];
        json_t *one = probe(&wish, NULL), *two = probe(&wish, NULL);
        wish.plan.seed = 1;
        json_t *other = probe(&wish, NULL);
        assert_true(same(one, two, ""));
        assert_false(same(one, other, "seed"));
        assert_string_equal(json_string_value(json_object_get(one, "augment")),
                            AUGMENT[i]);
        json_decref(one);
        json_decref(two);
        json_decref(other);
    }
}

static void no_augmentation_has_two_names(void **state) {
    (void)state;
    LinearProbe none = small_wish(), empty = small_wish();
    empty.augment = "";
    json_t *one = probe(&none, NULL), *two = probe(&empty, NULL);
    assert_true(same(one, two, ""));
    json_decref(one);
    json_decref(two);
}

/* The recipe's own mixing and order are not the probe's. */
static void what_training_does_to_its_batches_does_not_matter(void **state) {
    (void)state;
    LinearProbe wish = small_wish();
    wish.augment = "flip";
    json_t *plain = probe(&wish, NULL);
    static char *const OTHER[] = {"train.mixup=0.8", "data.shuffle=false",
                                  "model.dropout=0.5", "data.repeat=2",
                                  "model.drop_path=0.3"};
    for (size_t i = 0; i < COUNT(OTHER); i++) {
        json_t *row = probe(&wish, OTHER[i]);
        if (!same(plain, row, "")) fail_msg("%s changes the probe", OTHER[i]);
        json_decref(row);
    }
    json_decref(plain);
}

/* Of a recipe both encoders are random, and the same. */
static void random_weights_are_those_that_training_begins_with(void **state) {
    (void)state;
    LinearProbe wish = small_wish();
    wish.random = true;
    json_t *row = probe(&wish, NULL);
    assert_true(number(row, "top1") == number(row, "random_top1"));
    json_decref(row);
}

static void a_batch_by_default_is_of_all_pictures_where_they_are_few(void **state) {
    (void)state;
    LinearProbe wish = small_wish();
    wish.plan.batch = 0;
    json_t *row = probe(&wish, NULL);
    assert_true(number(row, "batch") == 90);
    assert_true(number(row, "train_count") == 90 && number(row, "count") == 18);
    assert_true(number(row, "top5") >= number(row, "top1"));
    json_decref(row);
}

/* ---- refusals ---- */

static void refuse(const char *recipe, char *word, const LinearProbe *wish, Status status,
                   const char *part) {
    OpenRun run = {0};
    Err err = ERR_NONE;
    open_recipe(&run, recipe, word);
    assert_null(linear_probe_row(&run, wish, &err));
    assert_int_equal(err.status, status);
    if (!strstr(err.text, part)) fail_msg("%s does not say %s", err.text, part);
    run_close(&run);
}

static void what_cannot_be_probed_is_refused(void **state) {
    (void)state;
    LinearProbe wish = small_wish();
    refuse("grammar", "train.batch=4", &wish, FAIL_USAGE,
           "task.kind = language has no picture features");
    wish.plan.batch = 91;
    refuse("demo", NULL, &wish, FAIL_USAGE,
           "--batch 91: the training split has only 90 pictures");
    wish = small_wish();
    wish.augment = "flop";
    refuse("demo", NULL, &wish, FAIL_USAGE, "--augment: ");
    wish = small_wish();
    wish.plan.base = 1e38;
    wish.form = FEATURES_PLAIN;
    refuse("demo", NULL, &wish, FAIL_DIVERGED, "choose a lower --lr");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_what_the_head_reads_in_the_datas_order),
        FOLDER_TEST(a_file_of_features_holds_rows_and_labels),
        cmocka_unit_test(features_that_are_not_finite_are_named),
        cmocka_unit_test(the_same_seed_gives_the_same_object_and_another_another),
        cmocka_unit_test(no_augmentation_has_two_names),
        cmocka_unit_test(what_training_does_to_its_batches_does_not_matter),
        cmocka_unit_test(random_weights_are_those_that_training_begins_with),
        cmocka_unit_test(a_batch_by_default_is_of_all_pictures_where_they_are_few),
        cmocka_unit_test(what_cannot_be_probed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
