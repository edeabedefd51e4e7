/* The built-in synthetic set, and the splits that every source has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"

static Image get(const Dataset *set, size_t i, size_t *label) {
    Image image = {0};
    assert_int_equal(dataset_get(set, i, &image, label, NULL), OK);
    return image;
}

static bool same_picture(const Dataset *a, size_t i, const Dataset *b, size_t j) {
    size_t label;
    Image x = get(a, i, &label), y = get(b, j, &label);
    assert_int_equal(x.height, y.height);
    bool same = !memcmp(x.pixels, y.pixels, x.height * x.width * x.channels);
    image_free(&x);
    image_free(&y);
    return same;
}

static void an_item_is_a_function_of_split_and_number(void **state) {
    (void)state;
    DataConfig config = data_config_default();
    Dataset *train = files_open(&config, SPLIT_TRAIN),
            *test = files_open(&config, SPLIT_TEST);
    config.synthetic_count = 50;
    Dataset *small = files_open(&config, SPLIT_TRAIN);
    for (size_t i = 0; i < 50; i++) {
        assert_true(same_picture(train, i, small, i));
        assert_false(same_picture(train, i, test, i));
        assert_false(same_picture(train, i, train, i + 10));
    }
    dataset_free(train);
    dataset_free(test);
    dataset_free(small);
}

static void sizes_and_labels_are_as_promised(void **state) {
    (void)state;
    DataConfig config = data_config_default();
    Dataset *train = files_open(&config, SPLIT_TRAIN),
            *test = files_open(&config, SPLIT_TEST);
    assert_int_equal(train->count, 10000);
    assert_int_equal(test->count, 2000);
    assert_int_equal(train->classes, 10);
    assert_int_equal(train->channels, 1);
    for (size_t i = 0; i < 30; i++) {
        size_t label;
        Image image = get(train, i, &label);
        assert_int_equal(label, i % 10);
        assert_int_equal(image.height, 28);
        image_free(&image);
    }
    dataset_free(train);
    dataset_free(test);
}

static double squared_distance(const Image *a, const Image *b) {
    double sum = 0;
    for (size_t p = 0; p < a->height * a->width; p++) {
        double difference = (double)a->pixels[p] - b->pixels[p];
        sum += difference * difference;
    }
    return sum;
}

/* 1-NN is right in 86 % of cases with 1,000 examples; lot would give 10 %. */
static void the_nearest_neighbour_mostly_has_the_same_label(void **state) {
    (void)state;
    enum { KNOWN = 1000, ASKED = 100 };
    DataConfig config = data_config_default();
    Dataset *train = files_open(&config, SPLIT_TRAIN),
            *test = files_open(&config, SPLIT_TEST);
    static Image known[KNOWN];
    size_t label, right = 0;
    for (size_t i = 0; i < KNOWN; i++) known[i] = get(train, i, &label);
    for (size_t i = 0; i < ASKED; i++) {
        Image image = get(test, i, &label);
        size_t nearest = 0;
        for (size_t k = 1; k < KNOWN; k++)
            if (squared_distance(&image, &known[k]) <
                squared_distance(&image, &known[nearest]))
                nearest = k;
        right += nearest % 10 == label;
        image_free(&image);
    }
    for (size_t i = 0; i < KNOWN; i++) image_free(&known[i]);
    if (right < 75) fail_msg("%zu of %d are right", right, ASKED);
    dataset_free(train);
    dataset_free(test);
}

static void other_sizes_show_the_same_figures(void **state) {
    (void)state;
    DataConfig config = data_config_default();
    config.image_size = 64;
    config.classes = 3;
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->height, 64);
    assert_int_equal(set->classes, 3);
    size_t label;
    Image image = get(set, 5, &label);
    assert_int_equal(label, 2);
    assert_int_equal(image.width, 64);
    image_free(&image);
    dataset_free(set);
}

static void keys_out_of_range_are_refused(void **state) {
    (void)state;
    DataConfig config = data_config_default();
    config.classes = 11;
    files_refuse(&config, SPLIT_TRAIN, FAIL_USAGE, "data.classes");
    config = data_config_default();
    config.image_size = 4;
    files_refuse(&config, SPLIT_TRAIN, FAIL_USAGE, "data.image_size");
    config = data_config_default();
    config.val_fraction = 1;
    files_refuse(&config, SPLIT_TRAIN, FAIL_USAGE, "data.val_fraction");
    config = data_config_default();
    config.source = SOURCE_IDX;
    files_refuse(&config, SPLIT_TRAIN, FAIL_USAGE, "data.path");
}

/* Every glyph in one of the two sets, none in both. */
static void validation_and_training_share_the_items_out(void **state) {
    (void)state;
    DataConfig config = data_config_default();
    config.synthetic_count = 40;
    Dataset *whole = files_open(&config, SPLIT_TRAIN);
    config.val_fraction = 0.25;
    Dataset *train = files_open(&config, SPLIT_TRAIN),
            *val = files_open(&config, SPLIT_VAL);
    assert_int_equal(train->count, 30);
    assert_int_equal(val->count, 10);
    for (size_t i = 0, t = 0, v = 0; i < 40; i++) {
        bool in_train = t < 30 && same_picture(whole, i, train, t);
        bool in_val = v < 10 && same_picture(whole, i, val, v);
        assert_true(in_train != in_val);
        t += in_train;
        v += in_val;
    }
    dataset_free(whole);
    dataset_free(train);
    dataset_free(val);
}

static void limit_keeps_the_first_items_of_training_alone(void **state) {
    (void)state;
    DataConfig config = data_config_default();
    config.limit = 20;
    Dataset *train = files_open(&config, SPLIT_TRAIN),
            *test = files_open(&config, SPLIT_TEST);
    Dataset *val = files_open(&config, SPLIT_VAL);
    assert_int_equal(train->count, 20);
    assert_int_equal(test->count, 2000);
    assert_int_equal(val->count, 0);
    dataset_free(train);
    dataset_free(test);
    dataset_free(val);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_is_a_function_of_split_and_number),
        cmocka_unit_test(sizes_and_labels_are_as_promised),
        cmocka_unit_test(the_nearest_neighbour_mostly_has_the_same_label),
        cmocka_unit_test(other_sizes_show_the_same_figures),
        cmocka_unit_test(keys_out_of_range_are_refused),
        cmocka_unit_test(validation_and_training_share_the_items_out),
        cmocka_unit_test(limit_keeps_the_first_items_of_training_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
