/* Some of many labelled items, of each class its share; and the keys that draw them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "data/stratify.h"
#include "files.h"

enum { MOST = 2000, CLASSES = 12 };

/* Random class sizes and wants: every rule at once. */
static void each_class_has_its_share_and_one_at_least(void **state) {
    (void)state;
    static size_t label[MOST], count[CLASSES], got[CLASSES];
    static bool chosen[MOST];
    for (uint64_t trial = 0; trial < 3000; trial++) {
        RngCursor dice = {rng_make(trial, 5, 6), 0};
        size_t classes = 1 + (size_t)(rng_next(&dice) * CLASSES), n = 0, present = 0;
        for (size_t k = 0; k < classes; k++) {
            size_t items = (size_t)(pow(rng_next(&dice), 4) * 150);
            for (size_t i = 0; i < items; i++) label[n++] = k;
            present += items > 0;
        }
        if (!n) continue;
        size_t leave = trial % 2, want = (size_t)(rng_next(&dice) * (double)(n + 1));
        size_t taken =
            stratify(label, n, classes, want, leave, rng_make(0, 7, 8), chosen);
        class_counts(label, n, count, classes);
        memset(got, 0, sizeof got);
        size_t all = 0, most = 0;
        for (size_t i = 0; i < n; i++) got[label[i]] += chosen[i], all += chosen[i];
        for (size_t k = 0; k < classes; k++)
            most += count[k] > leave ? count[k] - leave : 0;
        assert_int_equal(all, taken);
        assert_int_equal(taken, MIN(want, most));
        for (size_t k = 0; k < classes; k++) {
            double share = (double)count[k] * (double)want / (double)n;
            assert_true(got[k] + (count[k] ? leave : 0) <= count[k]);
            if (want >= present && count[k] > leave) assert_true(got[k] >= 1);
            if (want >= 3 * classes && want < n / 2 && share >= 2)
                assert_true(fabs((double)got[k] - share) <= (double)classes);
        }
    }
}

static void equal_classes_give_equally_many(void **state) {
    (void)state;
    static size_t label[MOST], count[10];
    static bool chosen[MOST];
    for (size_t i = 0; i < 1000; i++) label[i] = i / 100;
    for (size_t want = 10; want <= 1000; want += 10) {
        memset(count, 0, sizeof count);
        stratify(label, 1000, 10, want, 0, rng_make(0, 1, 2), chosen);
        for (size_t i = 0; i < 1000; i++) count[label[i]] += chosen[i];
        for (size_t k = 0; k < 10; k++) assert_int_equal(count[k], want / 10);
    }
}

/* Videos and sittings stand side by side: the first items of a class are no sample of
 * it. */
static void the_items_of_a_class_are_drawn(void **state) {
    (void)state;
    static size_t label[MOST];
    static bool chosen[MOST];
    size_t late = 0;
    stratify(label, 1000, 1, 100, 0, rng_make(0, 1, 2), chosen);
    for (size_t i = 500; i < 1000; i++) late += chosen[i];
    assert_in_range(late, 30, 70);
}

/* ---- data.limit and data.val_fraction ---- */

static DataConfig sorted_set(const char *root, size_t a, size_t b) {
    DataConfig config = data_config_default();
    config.source = SOURCE_FOLDER;
    text_format(config.path, sizeof config.path, "%s", root);
    for (size_t i = 0; i < a + b; i++) {
        char name[100];
        text_format(name, sizeof name, "train/%s/%zu.png", i < a ? "a" : "b", i);
        files_write_png(root, name, 6, (unsigned)i);
    }
    files_write_png(root, "test/a/1.png", 6, 1);
    files_write_png(root, "test/b/1.png", 6, 1);
    return config;
}

static void counts(const DataConfig *config, Split split, size_t a, size_t b) {
    size_t count[2] = {0};
    Dataset *set = files_open(config, split);
    for (size_t i = 0; i < set->count; i++) count[set->label(set, i)]++;
    assert_int_equal(count[0], a);
    assert_int_equal(count[1], b);
    assert_int_equal(set->facts.count, a + b);
    dataset_free(set);
}

static void a_limit_of_sorted_pictures_has_all_classes(void **state) {
    DataConfig config = sorted_set(*state, 8, 8);
    config.limit = 8;
    counts(&config, SPLIT_TRAIN, 4, 4);
    config.val_fraction = 0.5;
    counts(&config, SPLIT_TRAIN, 2, 2);
    counts(&config, SPLIT_VAL, 2, 2);
    config.limit = 12;
    counts(&config, SPLIT_VAL, 3, 3);
    config.limit = 0;
    counts(&config, SPLIT_VAL, 4, 4);
}

static void a_test_limit_draws_from_the_test_split_alone(void **state) {
    DataConfig config = sorted_set(*state, 6, 2);
    for (unsigned i = 2; i < 8; i++) {
        char name[40];
        text_format(name, sizeof name, "test/%s/%u.png", i < 5 ? "a" : "b", i);
        files_write_png(*state, name, 6, i);
    }
    config.test_limit = 4;
    counts(&config, SPLIT_TRAIN, 6, 2);
    counts(&config, SPLIT_TEST, 2, 2);
    Dataset *set = files_open(&config, SPLIT_TEST);
    assert_string_equal(set->facts.note[0].text,
                        "4 of 8 examples are not used: data.test_limit = 4, drawn from "
                        "all classes");
    dataset_free(set);
    config.test_limit = 1;
    files_refuse(&config, SPLIT_TEST, FAIL_USAGE,
                 "data.test_limit = 1 is less than the 2 classes of the test split");
}

static void training_and_validation_share_no_item(void **state) {
    DataConfig config = sorted_set(*state, 9, 4);
    config.limit = 11;
    config.val_fraction = 0.4;
    Dataset *train = files_open(&config, SPLIT_TRAIN),
            *val = files_open(&config, SPLIT_VAL);
    assert_int_equal(train->count + val->count, 11);
    for (size_t i = 0; i < train->count; i++)
        for (size_t j = 0; j < val->count; j++) {
            char one[DATASET_PATH], other[DATASET_PATH];
            train->path(train, i, one);
            val->path(val, j, other);
            assert_string_not_equal(one, other);
        }
    assert_true(train->facts.hash != val->facts.hash);
    dataset_free(train);
    dataset_free(val);
}

static void a_limit_below_the_classes_is_refused(void **state) {
    DataConfig config = sorted_set(*state, 5, 5);
    config.limit = 1;
    files_refuse(&config, SPLIT_TRAIN, FAIL_USAGE,
                 "data.limit = 1 is less than the 2 classes");
}

static void a_class_keeps_a_picture_for_training(void **state) {
    DataConfig config = sorted_set(*state, 9, 1);
    config.val_fraction = 0.5;
    counts(&config, SPLIT_TRAIN, 4, 1);
    counts(&config, SPLIT_VAL, 5, 0);
    config.val_fraction = 0.9;
    files_refuse(&config, SPLIT_VAL, FAIL_USAGE, "data.val_fraction takes 9 of 10");
    config.val_fraction = 0.01;
    files_refuse(&config, SPLIT_VAL, FAIL_USAGE,
                 "data.val_fraction = 0.01 of 10 training images");
}

static uint64_t hash_of(const DataConfig *config) {
    Dataset *set = files_open(config, SPLIT_TRAIN);
    uint64_t hash = set->facts.hash;
    dataset_free(set);
    return hash;
}

static void the_hash_knows_names_sizes_and_classes(void **state) {
    DataConfig config = sorted_set(*state, 3, 3);
    uint64_t first = hash_of(&config);
    assert_true(first && hash_of(&config) == first);
    files_write_png(*state, "train/a/0.png", 6, 0);
    assert_true(hash_of(&config) == first);
    files_write_png(*state, "train/a/0.png", 7, 0);
    uint64_t larger = hash_of(&config);
    assert_true(larger != first);
    files_remove(*state, "train/a/1.png");
    uint64_t fewer = hash_of(&config);
    assert_true(fewer != larger);
    files_write_png(*state, "train/a/x.png", 6, 1);
    assert_true(hash_of(&config) != first && hash_of(&config) != fewer);
    config.limit = 4;
    assert_true(hash_of(&config) != first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_has_its_share_and_one_at_least),
        cmocka_unit_test(equal_classes_give_equally_many),
        cmocka_unit_test(the_items_of_a_class_are_drawn),
        FOLDER_TEST(a_limit_of_sorted_pictures_has_all_classes),
        FOLDER_TEST(a_test_limit_draws_from_the_test_split_alone),
        FOLDER_TEST(training_and_validation_share_no_item),
        FOLDER_TEST(a_limit_below_the_classes_is_refused),
        FOLDER_TEST(a_class_keeps_a_picture_for_training),
        FOLDER_TEST(the_hash_knows_names_sizes_and_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
