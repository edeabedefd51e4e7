/* The reader of MNIST's format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"

enum { ITEMS = 12, HEIGHT = 3, WIDTH = 5, AREA = HEIGHT * WIDTH };
enum { IMAGE_BYTES = 16 + ITEMS * AREA, LABEL_BYTES = 8 + ITEMS };

#define TRAIN_IMAGES "train-images-idx3-ubyte"
#define TRAIN_LABELS "train-labels-idx1-ubyte"
#define TEST_IMAGES "t10k-images-idx3-ubyte"
#define TEST_LABELS "t10k-labels-idx1-ubyte"

static uint8_t images[IMAGE_BYTES], labels[LABEL_BYTES];

static void put(uint8_t *to, uint32_t value) {
    for (int k = 0; k < 4; k++) to[k] = (uint8_t)(value >> (24 - 8 * k));
}

/* Fresh good bytes; labels 0 ... 3. */
static void make_bytes(void) {
    uint32_t header[] = {2051, ITEMS, HEIGHT, WIDTH, 2049, ITEMS};
    for (int k = 0; k < 4; k++) put(images + 4 * k, header[k]);
    for (int k = 0; k < 2; k++) put(labels + 4 * k, header[4 + k]);
    for (int p = 16; p < IMAGE_BYTES; p++) images[p] = (uint8_t)(p * 13);
    for (int i = 0; i < ITEMS; i++) labels[8 + i] = (uint8_t)(i % 4);
}

static DataConfig make_set(const char *root) {
    DataConfig config = data_config_default();
    config.source = SOURCE_IDX;
    text_format(config.path, sizeof config.path, "%s", root);
    make_bytes();
    files_write(root, TRAIN_IMAGES, images, sizeof images);
    files_write(root, TRAIN_LABELS, labels, sizeof labels);
    return config;
}

static void check_items(const DataConfig *config, Split split) {
    Dataset *set = files_open(config, split);
    assert_int_equal(set->count, ITEMS);
    assert_int_equal(set->height, HEIGHT);
    assert_int_equal(set->width, WIDTH);
    assert_int_equal(set->channels, 1);
    Image image = {0};
    for (size_t i = 0; i < ITEMS; i++) {
        size_t label;
        assert_int_equal(dataset_get(set, i, &image, &label, NULL), OK);
        assert_int_equal(label, i % 4);
        assert_memory_equal(image.pixels, images + 16 + i * AREA, AREA);
    }
    image_free(&image);
    dataset_free(set);
}

static void items_come_back_as_they_were_written(void **state) {
    DataConfig config = make_set(*state);
    check_items(&config, SPLIT_TRAIN);
}

static void gzip_files_read_like_plain_ones(void **state) {
    DataConfig config = make_set(*state);
    files_write_gz(*state, TEST_IMAGES ".gz", images, sizeof images);
    files_write_gz(*state, TEST_LABELS ".gz", labels, sizeof labels);
    check_items(&config, SPLIT_TEST);
}

static void classes_are_counted_over_both_splits(void **state) {
    DataConfig config = make_set(*state);
    labels[9] = 6;
    files_write(*state, TEST_LABELS, labels, sizeof labels);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->classes, 7);
    dataset_free(set);
}

static void a_stray_label_is_refused_and_a_gap_is_not(void **state) {
    DataConfig config = make_set(*state);
    labels[8 + 5] = 255;
    files_write(*state, TRAIN_LABELS, labels, sizeof labels);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA,
                 TRAIN_LABELS ": item 5 has label 255, but labels 4 to 254 are unused");
    config.label_gap = 0;
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->classes, 256);
    dataset_free(set);
    config.label_gap = 16;
    labels[8 + 5] = 20;
    files_write(*state, TRAIN_LABELS, labels, sizeof labels);
    set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->classes, 21);
    dataset_free(set);
    labels[8 + 5] = 21;
    files_write(*state, TRAIN_LABELS, labels, sizeof labels);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "item 5 has label 21");
}

/* The test split's labels count too, and labels may begin above 0. */
static void a_stray_label_of_the_other_split_is_refused(void **state) {
    DataConfig config = make_set(*state);
    for (int i = 0; i < ITEMS; i++) labels[8 + i] = (uint8_t)(5 + i % 4);
    files_write(*state, TRAIN_LABELS, labels, sizeof labels);
    dataset_free(files_open(&config, SPLIT_TRAIN));
    labels[8 + 7] = 99;
    files_write(*state, TEST_LABELS, labels, sizeof labels);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, TEST_LABELS ": item 7 has label 99");
}

static void a_file_that_is_there_twice_is_named(void **state) {
    DataConfig config = make_set(*state);
    files_write(*state, TRAIN_IMAGES ".gz", "", 0);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->facts.notes, 1);
    assert_non_null(strstr(set->facts.note[0].text,
                           TRAIN_IMAGES " is read; the .gz file of the same name"));
    dataset_free(set);
}

static void a_missing_test_split_matters_only_when_it_is_opened(void **state) {
    DataConfig config = make_set(*state);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->classes, 4);
    dataset_free(set);
    files_refuse(&config, SPLIT_TEST, FAIL_DATA, TEST_LABELS);
}

static void a_missing_file_is_named(void **state) {
    DataConfig config = make_set(*state);
    files_remove(*state, TRAIN_IMAGES);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, TRAIN_IMAGES);
}

static void a_file_cut_short_is_named(void **state) {
    DataConfig config = make_set(*state);
    files_cut(*state, TRAIN_IMAGES, IMAGE_BYTES - 1);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, TRAIN_IMAGES " is truncated");
    files_cut(*state, TRAIN_IMAGES, 7);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, TRAIN_IMAGES " is truncated");
    files_cut(*state, TRAIN_IMAGES, 0);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, TRAIN_IMAGES " is truncated");
}

static void a_gzip_file_cut_anywhere_is_named(void **state) {
    DataConfig config = make_set(*state);
    files_remove(*state, TRAIN_IMAGES);
    files_write_gz(*state, TRAIN_IMAGES ".gz", images, sizeof images);
    size_t n;
    mem_free(files_read(*state, TRAIN_IMAGES ".gz", &n));
    while (n-- > 0) {
        files_cut(*state, TRAIN_IMAGES ".gz", n);
        files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, TRAIN_IMAGES ".gz");
    }
}

static void bytes_after_the_end_are_noticed(void **state) {
    DataConfig config = make_set(*state);
    uint8_t longer[LABEL_BYTES + 1] = {0};
    memcpy(longer, labels, LABEL_BYTES);
    files_write(*state, TRAIN_LABELS, longer, sizeof longer);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA,
                 TRAIN_LABELS " has data after the expected");
}

static void what_follows_a_gzip_file_is_noticed_but_for_zeros(void **state) {
    DataConfig config = make_set(*state);
    size_t n;
    files_remove(*state, TRAIN_IMAGES);
    files_write_gz(*state, TRAIN_IMAGES ".gz", images, sizeof images);
    uint8_t *packed = files_read(*state, TRAIN_IMAGES ".gz", &n);
    uint8_t *longer = mem_zalloc(n + 512);
    memcpy(longer, packed, n);
    files_write(*state, TRAIN_IMAGES ".gz", longer, n + 512);
    check_items(&config, SPLIT_TRAIN);
    longer[n + 300] = 'x';
    files_write(*state, TRAIN_IMAGES ".gz", longer, n + 512);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, ": 512 bytes after byte");
    mem_free(packed);
    mem_free(longer);
}

static void a_wrong_magic_number_is_shown(void **state) {
    DataConfig config = make_set(*state);
    files_write(*state, TRAIN_LABELS, images, sizeof images);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "2051, expected 2049");
}

static void images_and_labels_of_different_numbers_are_both_named(void **state) {
    DataConfig config = make_set(*state);
    put(labels + 4, ITEMS - 2);
    files_write(*state, TRAIN_LABELS, labels, LABEL_BYTES - 2);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, TRAIN_LABELS " has 10 items");
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, TRAIN_IMAGES " has 12");
}

static void a_header_cannot_ask_for_more_than_the_file_holds(void **state) {
    DataConfig config = make_set(*state);
    for (int k = 1; k < 4; k++) put(images + 4 * k, 0xFFFFFFFF);
    put(labels + 4, 0xFFFFFFFF);
    files_write(*state, TRAIN_IMAGES, images, sizeof images);
    files_write(*state, TRAIN_LABELS, labels, sizeof labels);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, TRAIN_LABELS " is truncated");
    make_set(*state);
    put(images + 8, 0x80000000);
    put(images + 12, 0x80000000);
    files_write(*state, TRAIN_IMAGES, images, sizeof images);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "cannot be right");
    put(images + 12, 1);
    files_write_gz(*state, TRAIN_IMAGES, images, sizeof images);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "its header is wrong");
}

static void a_header_that_promises_nothing_is_refused(void **state) {
    DataConfig config = make_set(*state);
    put(images + 8, 0);
    files_write(*state, TRAIN_IMAGES, images, sizeof images);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "is 0");
}

static void a_folder_in_place_of_a_file_is_refused(void **state) {
    DataConfig config = make_set(*state);
    files_remove(*state, TRAIN_LABELS);
    files_folder(*state, TRAIN_LABELS);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "not a regular file");
}

static void damaged_files_are_read_or_refused(void **state) {
    DataConfig config = make_set(*state);
    files_remove(*state, TRAIN_IMAGES);
    files_write_gz(*state, TRAIN_IMAGES, images, sizeof images);
    size_t sizes[2], n;
    uint8_t *good[2] = {files_read(*state, TRAIN_IMAGES, &sizes[0]), images};
    sizes[1] = sizeof images;
    for (unsigned trial = 0; trial < 600; trial++) {
        Err err = ERR_NONE;
        uint8_t *bad = files_damage(good[trial / 300], sizes[trial / 300], trial, &n);
        files_write(*state, TRAIN_IMAGES, bad, n);
        mem_free(bad);
        Status status = files_walk(&config, SPLIT_TRAIN, &err);
        assert_true(status == OK || status == FAIL_DATA);
    }
    mem_free(good[0]);
}

static void the_real_mnist_has_its_known_counts(void **state) {
    (void)state;
    DataConfig config = data_config_default();
    config.source = SOURCE_IDX;
    strcpy(config.path, files_real("mnist"));
    for (int split = SPLIT_TRAIN; split <= SPLIT_TEST;
         split += SPLIT_TEST - SPLIT_TRAIN) {
        Dataset *set = files_open(&config, (Split)split);
        assert_int_equal(set->count, split == SPLIT_TEST ? 10000 : 60000);
        assert_int_equal(set->classes, 10);
        Image image = {0};
        size_t label;
        assert_int_equal(dataset_get(set, 0, &image, &label, NULL), OK);
        assert_int_equal(label, split == SPLIT_TEST ? 7 : 5);
        assert_int_equal(image.width * image.height, 784);
        image_free(&image);
        dataset_free(set);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(items_come_back_as_they_were_written),
        FOLDER_TEST(gzip_files_read_like_plain_ones),
        FOLDER_TEST(classes_are_counted_over_both_splits),
        FOLDER_TEST(a_stray_label_is_refused_and_a_gap_is_not),
        FOLDER_TEST(a_stray_label_of_the_other_split_is_refused),
        FOLDER_TEST(a_file_that_is_there_twice_is_named),
        FOLDER_TEST(a_missing_test_split_matters_only_when_it_is_opened),
        FOLDER_TEST(a_missing_file_is_named),
        FOLDER_TEST(a_file_cut_short_is_named),
        FOLDER_TEST(a_gzip_file_cut_anywhere_is_named),
        FOLDER_TEST(bytes_after_the_end_are_noticed),
        FOLDER_TEST(what_follows_a_gzip_file_is_noticed_but_for_zeros),
        FOLDER_TEST(a_wrong_magic_number_is_shown),
        FOLDER_TEST(images_and_labels_of_different_numbers_are_both_named),
        FOLDER_TEST(a_header_cannot_ask_for_more_than_the_file_holds),
        FOLDER_TEST(a_header_that_promises_nothing_is_refused),
        FOLDER_TEST(a_folder_in_place_of_a_file_is_refused),
        FOLDER_TEST(damaged_files_are_read_or_refused),
        cmocka_unit_test(the_real_mnist_has_its_known_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
