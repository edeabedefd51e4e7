/* The reader of CIFAR-10's and CIFAR-100's binary files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"

enum { AREA = 32 * 32, RECORD = 1 + 3 * AREA, RECORD_100 = 2 + 3 * AREA };

/* `count` records; item i has label (first + i) mod classes, in the last label byte. */
static void write_records(const char *root, const char *name, size_t count, size_t first,
                          bool hundred) {
    size_t record = hundred ? RECORD_100 : RECORD;
    uint8_t *bytes = mem_zalloc(count * record);
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = bytes + i * record;
        at[hundred] = (uint8_t)((first + i) % (hundred ? 100 : 10));
        for (size_t p = 0; p < 3 * AREA; p++)
            at[1 + hundred + p] = (uint8_t)(p * 3 + p / AREA + i);
    }
    files_write(root, name, bytes, count * record);
    mem_free(bytes);
}

static DataConfig config_for(const char *root) {
    DataConfig config = data_config_default();
    config.source = SOURCE_CIFAR;
    text_format(config.path, sizeof config.path, "%s", root);
    return config;
}

static void planes_become_interleaved_pixels(void **state) {
    DataConfig config = config_for(*state);
    write_records(*state, "data_batch_1.bin", 3, 4, false);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->classes, 10);
    assert_int_equal(set->channels, 3);
    Image image = {0};
    size_t label;
    assert_int_equal(dataset_get(set, 2, &image, &label, NULL), OK);
    assert_int_equal(label, 6);
    for (size_t p = 0; p < AREA; p++)
        for (size_t c = 0; c < 3; c++)
            assert_int_equal(image.pixels[3 * p + c],
                             (uint8_t)((c * AREA + p) * 3 + c + 2));
    image_free(&image);
    dataset_free(set);
}

static void items_run_on_from_file_to_file(void **state) {
    DataConfig config = config_for(*state);
    write_records(*state, "data_batch_1.bin", 3, 0, false);
    write_records(*state, "data_batch_2.bin", 2, 3, false);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, 5);
    Image image = {0};
    for (size_t i = 0; i < 5; i++) {
        size_t label;
        assert_int_equal(dataset_get(set, i, &image, &label, NULL), OK);
        assert_int_equal(label, i);
    }
    image_free(&image);
    dataset_free(set);
}

static void a_gap_in_the_numbered_files_is_named(void **state) {
    DataConfig config = config_for(*state);
    write_records(*state, "data_batch_1.bin", 1, 0, false);
    write_records(*state, "data_batch_3.bin", 1, 0, false);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "data_batch_2.bin[.gz] is missing");
}

static void cifar_100_gives_fine_labels(void **state) {
    DataConfig config = config_for(*state);
    write_records(*state, "train.bin", 3, 97, true);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->classes, 100);
    assert_int_equal(set->count, 3);
    Image image = {0};
    size_t label;
    assert_int_equal(dataset_get(set, 2, &image, &label, NULL), OK);
    assert_int_equal(label, 99);
    image_free(&image);
    dataset_free(set);
    files_refuse(&config, SPLIT_TEST, FAIL_DATA, "test.bin[.gz] is missing");
}

static void names_of_classes_are_read_where_they_are(void **state) {
    static const char names[] = "a\nb\r\nc\nd\ne\nf\ng\nh\ni\nlast one\n\n";
    DataConfig config = config_for(*state);
    write_records(*state, "data_batch_1.bin", 1, 0, false);
    files_write(*state, "batches.meta.txt", names, strlen(names));
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_string_equal(set->class_names[1], "b");
    assert_string_equal(set->class_names[9], "last one");
    dataset_free(set);
    files_write(*state, "batches.meta.txt", "a\nb\n", 4);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "names 2 classes, expected 10");
}

static void files_that_are_there_twice_are_named(void **state) {
    DataConfig config = config_for(*state);
    write_records(*state, "data_batch_1.bin", 1, 0, false);
    write_records(*state, "train.bin", 1, 0, true);
    files_write(*state, "data_batch_1.bin.gz", "", 0);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->facts.notes, 2);
    assert_non_null(
        strstr(set->facts.note[0].text, "also has CIFAR-100, which is not used"));
    assert_non_null(strstr(set->facts.note[1].text,
                           "data_batch_1.bin is read; the .gz file of the same name"));
    dataset_free(set);
}

static void a_part_of_a_record_is_noticed(void **state) {
    DataConfig config = config_for(*state);
    write_records(*state, "data_batch_1.bin", 2, 0, false);
    files_cut(*state, "data_batch_1.bin", 2 * RECORD - 1);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "whole number of CIFAR-10 records");
    files_cut(*state, "data_batch_1.bin", 0);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "data_batch_1.bin");
}

/* Of two members of a record each the second is damaged: one record more is no whole
 * number of records less. */
static void a_damaged_second_gzip_member_is_no_end_of_the_records(void **state) {
    DataConfig config = config_for(*state);
    uint8_t *record = mem_zalloc(RECORD), *packed, *two;
    size_t n;
    files_write_gz(*state, "data_batch_1.bin.gz", record, RECORD);
    packed = files_read(*state, "data_batch_1.bin.gz", &n);
    two = mem_alloc(2 * n);
    memcpy(two, packed, n);
    memcpy(two + n, packed, n);
    files_write(*state, "data_batch_1.bin.gz", two, 2 * n);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, 2);
    dataset_free(set);
    two[n] ^= 1;
    files_write(*state, "data_batch_1.bin.gz", two, 2 * n);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "belong to no gzip member");
    mem_free(record);
    mem_free(packed);
    mem_free(two);
}

static void a_label_out_of_range_is_placed(void **state) {
    DataConfig config = config_for(*state);
    uint8_t *bytes = mem_zalloc(2 * RECORD);
    bytes[RECORD] = 10;
    files_write(*state, "data_batch_1.bin", bytes, 2 * RECORD);
    mem_free(bytes);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "record 1 has label 10");
}

static void a_folder_without_files_says_what_is_wanted(void **state) {
    DataConfig config = config_for(*state);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "data_batch_1.bin");
    text_format(config.path, sizeof config.path, "%s/nowhere", (char *)*state);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "nowhere");
}

static void damaged_files_are_read_or_refused(void **state) {
    DataConfig config = config_for(*state);
    write_records(*state, "data_batch_1.bin", 2, 0, false);
    size_t sizes[2], n;
    uint8_t *good[2] = {files_read(*state, "data_batch_1.bin", &sizes[0])};
    files_write_gz(*state, "data_batch_1.bin", good[0], sizes[0]);
    good[1] = files_read(*state, "data_batch_1.bin", &sizes[1]);
    for (unsigned trial = 0; trial < 600; trial++) {
        Err err = ERR_NONE;
        uint8_t *bad = files_damage(good[trial / 300], sizes[trial / 300], trial, &n);
        files_write(*state, "data_batch_1.bin", bad, n);
        mem_free(bad);
        Status status = files_walk(&config, SPLIT_TRAIN, &err);
        assert_true(status == OK || status == FAIL_DATA);
    }
    for (int k = 0; k < 2; k++) mem_free(good[k]);
}

static void the_real_cifar_10_is_balanced(void **state) {
    (void)state;
    DataConfig config = config_for(files_real("cifar10"));
    Dataset *set = files_open(&config, SPLIT_TEST);
    size_t seen[10] = {0};
    Image image = {0};
    for (size_t i = 0; i < set->count; i++) {
        size_t label;
        assert_int_equal(dataset_get(set, i, &image, &label, NULL), OK);
        seen[label]++;
    }
    for (size_t k = 0; k < 10; k++) assert_int_equal(seen[k], set->count / 10);
    assert_string_equal(set->class_names[9], "truck");
    image_free(&image);
    dataset_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(planes_become_interleaved_pixels),
        FOLDER_TEST(items_run_on_from_file_to_file),
        FOLDER_TEST(a_gap_in_the_numbered_files_is_named),
        FOLDER_TEST(cifar_100_gives_fine_labels),
        FOLDER_TEST(names_of_classes_are_read_where_they_are),
        FOLDER_TEST(files_that_are_there_twice_are_named),
        FOLDER_TEST(a_part_of_a_record_is_noticed),
        FOLDER_TEST(a_damaged_second_gzip_member_is_no_end_of_the_records),
        FOLDER_TEST(a_label_out_of_range_is_placed),
        FOLDER_TEST(a_folder_without_files_says_what_is_wanted),
        FOLDER_TEST(damaged_files_are_read_or_refused),
        cmocka_unit_test(the_real_cifar_10_is_balanced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
