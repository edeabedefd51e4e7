/* Folders of pictures, and the pictures themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/picture/read.h"
#include "files.h"

static DataConfig config_for(const char *root) {
    DataConfig config = data_config_default();
    config.source = SOURCE_FOLDER;
    text_format(config.path, sizeof config.path, "%s", root);
    config.image_size = 6;
    return config;
}

/* Classes b, a (made in this order) with 2 and 1 pictures, in train and `test`. */
static DataConfig make_set(const char *root, const char *test) {
    static const char *const names[] = {"b/2.png", "b/10.PNG", "a/x.png"};
    for (unsigned k = 0; k < 6; k++) {
        char name[100];
        text_format(name, sizeof name, "%s/%s", k < 3 ? "train" : test, names[k % 3]);
        files_write_png(root, name, 6, k % 3);
    }
    return config_for(root);
}

static void classes_and_files_are_sorted_by_name(void **state) {
    DataConfig config = make_set(*state, "test");
    files_write(*state, "train/a/notes.txt", "x", 1);
    files_write(*state, "train/.hidden/1.txt", "x", 1);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, 3);
    assert_int_equal(set->classes, 2);
    assert_string_equal(set->class_names[0], "a");
    /* a/x.png is picture 2, b/10.PNG is 1, b/2.png is 0: byte order puts 10 before 2. */
    Image image = {0};
    for (size_t i = 0; i < 3; i++) {
        size_t label;
        assert_int_equal(dataset_get(set, i, &image, &label, NULL), OK);
        assert_int_equal(label, i > 0);
        assert_int_equal(image.pixels[0], 31 * (2 - i));
    }
    image_free(&image);
    dataset_free(set);
}

static void a_missing_split_is_named(void **state) {
    DataConfig config = config_for(*state);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "no folder train");
    files_refuse(&config, SPLIT_TEST, FAIL_DATA, "no folder test");
    files_folder(*state, "train");
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "no class folders");
}

static void a_class_without_pictures_is_named(void **state) {
    DataConfig config = make_set(*state, "test");
    files_folder(*state, "train/c");
    files_folder(*state, "test/c");
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "train/c has no PNG or JPEG");
}

static void splits_with_different_classes_are_refused(void **state) {
    DataConfig config = make_set(*state, "test");
    files_write_png(*state, "test/aa/1.png", 6, 0);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "class \"aa\"");
    files_refuse(&config, SPLIT_TEST, FAIL_DATA, "class \"aa\"");
}

static void without_image_size_pictures_keep_their_own(void **state) {
    DataConfig config = make_set(*state, "test");
    config.image_size = 0;
    files_write_png(*state, "train/b/2.png", 9, 0);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->height, 0);
    assert_int_equal(set->width, 0);
    Image image = {0};
    size_t label;
    assert_int_equal(dataset_get(set, 0, &image, &label, NULL), OK);
    assert_int_equal(image.width, 6);
    assert_int_equal(dataset_get(set, 2, &image, &label, NULL), OK);
    assert_int_equal(image.width, 9);
    image_free(&image);
    dataset_free(set);
}

static size_t count_of(const DataConfig *config, Split split) {
    Dataset *set = files_open(config, split);
    size_t count = set->count;
    dataset_free(set);
    return count;
}

static void val_beside_test_is_a_split_of_its_own(void **state) {
    DataConfig config = make_set(*state, "test");
    assert_int_equal(count_of(&config, SPLIT_VAL), 0);
    files_write_png(*state, "val/a/1.png", 6, 0);
    files_write_png(*state, "val/b/1.png", 6, 0);
    assert_int_equal(count_of(&config, SPLIT_TRAIN), 3);
    assert_int_equal(count_of(&config, SPLIT_VAL), 2);
    assert_int_equal(count_of(&config, SPLIT_TEST), 3);
}

static void val_fraction_wins_over_the_folder_val(void **state) {
    DataConfig config = make_set(*state, "test");
    files_write_png(*state, "val/a/1.png", 6, 0);
    files_write_png(*state, "val/b/1.png", 6, 0);
    config.val_fraction = 0.4;
    assert_int_equal(count_of(&config, SPLIT_TRAIN), 2);
    assert_int_equal(count_of(&config, SPLIT_VAL), 1);
}

static void val_alone_is_the_validation_split_and_no_other(void **state) {
    DataConfig config = make_set(*state, "val");
    assert_true(dataset_has_val(&config) && !dataset_has_test(&config));
    assert_int_equal(count_of(&config, SPLIT_VAL), 3);
    files_refuse(&config, SPLIT_TEST, FAIL_DATA, "no folder test");
    config.test_limit = 2; /* of what is scored */
    assert_int_equal(count_of(&config, SPLIT_VAL), 2);
    files_write_png(*state, "test/a/1.png", 6, 0);
    files_write_png(*state, "test/b/1.png", 6, 0);
    assert_int_equal(count_of(&config, SPLIT_VAL), 3);
}

/* As with ImageNet: a part of train chooses, val is scored at the end. */
static void val_alone_is_the_test_split_where_train_is_cut(void **state) {
    DataConfig config = make_set(*state, "val");
    config.val_fraction = 0.4;
    assert_true(dataset_has_val(&config) && dataset_has_test(&config));
    assert_int_equal(count_of(&config, SPLIT_VAL), 1);
    assert_int_equal(count_of(&config, SPLIT_TEST), 3);
    Dataset *train = files_open(&config, SPLIT_TRAIN);
    assert_non_null(strstr(train->facts.note[0].text, "/val is the test split"));
    dataset_free(train);
}

static void val_and_test_need_no_training_split(void **state) {
    DataConfig config = config_for(*state);
    files_write_png(*state, "test/a/1.png", 6, 0);
    files_write_png(*state, "val/a/1.png", 6, 0);
    assert_int_equal(count_of(&config, SPLIT_VAL), 1);
    assert_int_equal(count_of(&config, SPLIT_TEST), 1);
    files_write_png(*state, "val/b/1.png", 6, 0);
    files_refuse(&config, SPLIT_TEST, FAIL_DATA, "class \"b\"");
    files_refuse(&config, SPLIT_VAL, FAIL_DATA, "class \"b\"");
}

static void the_splits_of_a_flat_folder_are_drawn_from_each_class(void **state) {
    DataConfig config = config_for(*state);
    for (unsigned k = 0; k < 15; k++) {
        char name[40];
        text_format(name, sizeof name, "%s/%u.%s", k < 5 ? "b" : "a", k,
                    k % 2 ? "PNG" : "png");
        files_write_png(*state, name, 6, k);
    }
    config.val_fraction = -1; /* auto */
    assert_true(dataset_held_out(&config) == 0.2 && !dataset_has_test(&config));
    assert_true(dataset_has_val(&config));
    Dataset *train = files_open(&config, SPLIT_TRAIN);
    Dataset *val = files_open(&config, SPLIT_VAL);
    assert_int_equal(train->count, 12);
    assert_int_equal(val->count, 3);
    assert_int_equal(val->classes, 2);
    size_t of_b = 0;
    for (size_t i = 0; i < val->count; i++) of_b += val->label(val, i);
    assert_int_equal(of_b, 1);
    for (size_t i = 0; i < val->count * train->count; i++) {
        char one[DATASET_PATH], other[DATASET_PATH];
        val->path(val, i / train->count, one);
        train->path(train, i % train->count, other);
        assert_string_not_equal(one, other);
    }
    assert_non_null(strstr(train->facts.note[0].text, "20 % of each"));
    dataset_free(val);
    val = files_open(&config, SPLIT_VAL);
    config.val_fraction = 0.4;
    assert_int_equal(count_of(&config, SPLIT_VAL), 6);
    assert_int_equal(count_of(&config, SPLIT_TRAIN), 9);
    files_refuse(&config, SPLIT_TEST, FAIL_DATA, "no folder test");
    config.val_fraction = 0; /* asked for */
    assert_true(dataset_held_out(&config) == 0 && !dataset_has_val(&config));
    assert_int_equal(count_of(&config, SPLIT_VAL), 0);
    assert_int_equal(count_of(&config, SPLIT_TRAIN), 15);
    dataset_free(train);
    dataset_free(val);
}

static void splits_have_the_names_that_people_give_them(void **state) {
    static const struct {
        const char *train, *val, *test;
    } cases[] = {
        {"training", "valid", "testing"},
        {"Train", "Validation", "Test"},
        {"TRAIN", "VAL", "TEST"},
        {"train", "dev", "test"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char root[1200], name[100];
        text_format(root, sizeof root, "%s/%zu", (char *)*state, i);
        const char *const splits[] = {cases[i].train, cases[i].val, cases[i].test};
        for (size_t s = 0; s < 3; s++)
            for (size_t k = 0; k <= s; k++) {
                text_format(name, sizeof name, "%zu/%s/a/%zu.png", i, splits[s], k);
                files_write_png(*state, name, 6, 1);
            }
        DataConfig config = config_for(root);
        assert_true(dataset_has_test(&config) && dataset_held_out(&config) == 0);
        for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
            assert_int_equal(count_of(&config, s), s + 1);
    }
}

static void a_folder_around_the_set_is_named(void **state) {
    DataConfig config = config_for(*state);
    files_write_png(*state, "pictures/train/a/1.png", 6, 0);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "has only the folder pictures; use");
}

static void a_missing_folder_names_the_key(void **state) {
    static const Source sources[] = {SOURCE_FOLDER, SOURCE_IDX, SOURCE_CIFAR};
    for (size_t i = 0; i < COUNT(sources); i++) {
        DataConfig config = config_for(*state);
        config.source = sources[i];
        strcat(config.path, "/none");
        files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "none: no such folder; give");
        files_refuse(&config, SPLIT_TEST, FAIL_DATA, "data.path: ");
        strcpy(config.path, "~/pictures");
        files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "write $HOME");
    }
}

static Status read_as(const char *path, size_t channels, Image *image, Err *err) {
    return image_read(path, &(PictureReading){.channels = channels}, image, err);
}

static void read_fails(const char *root, const char *name, const char *part) {
    char path[1200];
    Err err = ERR_NONE;
    Image image = {0};
    text_format(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(read_as(path, 3, &image, &err), FAIL_DATA);
    if (!strstr(err.text, name)) fail_msg("\"%s\" is not in \"%s\"", name, err.text);
    if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    image_free(&image);
}

static void a_text_called_png_is_shown(void **state) {
    files_write(*state, "a.png", "Hello, world\n", 13);
    read_fails(*state, "a.png", "begins with \"Hello, w\"");
}

static void an_empty_or_missing_picture_is_named(void **state) {
    files_write(*state, "a.png", "", 0);
    read_fails(*state, "a.png", "is empty");
    read_fails(*state, "b.png", "No such file");
    files_folder(*state, "c.png");
    read_fails(*state, "c.png", "not a regular file");
}

static void a_png_cut_anywhere_is_named(void **state) {
    files_write_png(*state, "a.png", 9, 1);
    size_t n;
    mem_free(files_read(*state, "a.png", &n));
    while (n-- > 8) {
        files_cut(*state, "a.png", n);
        read_fails(*state, "a.png", "damaged PNG");
    }
}

static void a_broken_item_names_its_file(void **state) {
    DataConfig config = make_set(*state, "test");
    files_write(*state, "train/b/2.png", "text", 4);
    Err err = ERR_NONE;
    assert_int_equal(files_walk(&config, SPLIT_TRAIN, &err), FAIL_DATA);
    assert_non_null(strstr(err.text, "train/b/2.png"));
}

/* A header of 2^14 x 2^14 pixels over a few bytes. */
static void a_picture_larger_than_its_file_can_hold_is_refused(void **state) {
    files_write_png(*state, "a.png", 9, 1);
    size_t n;
    uint8_t *bytes = files_read(*state, "a.png", &n);
    static const uint8_t header[] = {0, 0, 0x40, 0, 0, 0, 0x40, 0, 8, 2, 0, 0, 0};
    memcpy(bytes + 16, header, sizeof header);
    static const uint8_t crc[] = {0x26, 0xAA, 0x87, 0xD3};
    memcpy(bytes + 29, crc, sizeof crc);
    files_write(*state, "a.png", bytes, n);
    mem_free(bytes);
    read_fails(*state, "a.png", "too short for its size");
}

static void png_files_come_back_as_they_were_written(void **state) {
    char path[1200];
    text_format(path, sizeof path, "%s/a.png", (char *)*state);
    for (size_t channels = 1; channels <= 3; channels += 2) {
        Image image = {0}, back = {0};
        image_resize_buffer(&image, 7, 11, channels);
        for (size_t p = 0; p < 77 * channels; p++) image.pixels[p] = (uint8_t)(p * 29);
        assert_int_equal(image_write_png(path, &image, NULL), OK);
        assert_int_equal(read_as(path, channels, &back, NULL), OK);
        assert_int_equal(back.width, 11);
        assert_memory_equal(image.pixels, back.pixels, 77 * channels);
        image_free(&image);
        image_free(&back);
    }
}

static void grey_survives_a_detour_through_colour(void **state) {
    char path[1200];
    text_format(path, sizeof path, "%s/a.png", (char *)*state);
    Image image = {0}, colour = {0}, grey = {0};
    image_resize_buffer(&image, 16, 16, 1);
    for (size_t p = 0; p < 256; p++) image.pixels[p] = (uint8_t)p;
    assert_int_equal(image_write_png(path, &image, NULL), OK);
    assert_int_equal(read_as(path, 3, &colour, NULL), OK);
    assert_int_equal(image_write_png(path, &colour, NULL), OK);
    assert_int_equal(read_as(path, 1, &grey, NULL), OK);
    assert_memory_equal(image.pixels, grey.pixels, 256);
    image_free(&image);
    image_free(&colour);
    image_free(&grey);
}

static void a_place_that_cannot_be_written_is_named(void **state) {
    char path[1200];
    Err err = ERR_NONE;
    Image image = {0};
    image_resize_buffer(&image, 2, 2, 1);
    text_format(path, sizeof path, "%s/none/a.png", (char *)*state);
    assert_int_equal(image_write_png(path, &image, &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "none/a.png"));
    if (access("/dev/full", W_OK) == 0) {
        image_resize_buffer(&image, 500, 500, 3);
        text_format(path, sizeof path, "%s/full.png", (char *)*state);
        assert_int_equal(symlink("/dev/full", path), 0);
        assert_int_equal(image_write_png(path, &image, &err), FAIL_RUN);
    }
    image_free(&image);
}

static void read_damaged(const char *root, const char *name, const uint8_t *good,
                         size_t size) {
    char path[1200];
    text_format(path, sizeof path, "%s/%s", root, name);
    Image image = {0};
    for (unsigned trial = 0; trial < 300; trial++) {
        size_t n;
        uint8_t *bad = files_damage(good, size, trial, &n);
        files_write(root, name, bad, n);
        mem_free(bad);
        Status status = read_as(path, trial % 4 ? 3 : 1, &image, NULL);
        assert_true(status == OK || status == FAIL_DATA);
    }
    image_free(&image);
}

static void damaged_png_files_are_read_or_refused(void **state) {
    files_write_png(*state, "a.png", 12, 1);
    size_t n;
    uint8_t *good = files_read(*state, "a.png", &n);
    read_damaged(*state, "a.png", good, n);
    mem_free(good);
}

static void the_real_pictures_can_all_be_read(void **state) {
    (void)state;
    DataConfig config = config_for(files_real("mnist-png"));
    Err err = ERR_NONE;
    config.channels = 1;
    assert_int_equal(files_walk(&config, SPLIT_TRAIN, &err), OK);
    Dataset *set = files_open(&config, SPLIT_TEST);
    assert_int_equal(set->count, 100);
    assert_int_equal(set->classes, 10);
    dataset_free(set);
}

#ifdef HAVE_JPEG

static void the_real_jpeg_pictures_can_all_be_read(void **state) {
    (void)state;
    DataConfig config = config_for(files_real("cifar10-jpg"));
    Err err = ERR_NONE;
    assert_int_equal(files_walk(&config, SPLIT_TRAIN, &err), OK);
    assert_int_equal(files_walk(&config, SPLIT_TEST, &err), OK);
}

static void damaged_jpeg_files_are_read_or_refused(void **state) {
    size_t n;
    uint8_t *good = files_read(files_real("cifar10-jpg"), "test/airplane/0700.jpg", &n);
    read_damaged(*state, "a.jpg", good, n);
    mem_free(good);
}

static void a_jpeg_cut_short_is_an_error(void **state) {
    size_t n;
    uint8_t *good = files_read(files_real("cifar10-jpg"), "test/airplane/0700.jpg", &n);
    for (size_t length = 3; length + 2 < n; length += 7) {
        files_write(*state, "a.jpg", good, length);
        read_fails(*state, "a.jpg", "a damaged or unsupported JPEG file");
    }
    mem_free(good);
}

#define JPEG_TESTS                                                                       \
    cmocka_unit_test(the_real_jpeg_pictures_can_all_be_read),                            \
        FOLDER_TEST(damaged_jpeg_files_are_read_or_refused),                             \
        FOLDER_TEST(a_jpeg_cut_short_is_an_error),

#else

static void a_jpeg_is_refused_with_what_to_install(void **state) {
    char path[1200];
    Err err = ERR_NONE;
    Image image = {0};
    files_write(*state, "a.jpg", "\xFF\xD8\xFF\xE0", 4);
    text_format(path, sizeof path, "%s/a.jpg", (char *)*state);
    assert_int_equal(read_as(path, 3, &image, &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "libjpeg-turbo"));
}

#define JPEG_TESTS FOLDER_TEST(a_jpeg_is_refused_with_what_to_install),

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(classes_and_files_are_sorted_by_name),
        FOLDER_TEST(a_missing_split_is_named),
        FOLDER_TEST(a_class_without_pictures_is_named),
        FOLDER_TEST(splits_with_different_classes_are_refused),
        FOLDER_TEST(without_image_size_pictures_keep_their_own),
        FOLDER_TEST(val_beside_test_is_a_split_of_its_own),
        FOLDER_TEST(val_fraction_wins_over_the_folder_val),
        FOLDER_TEST(val_alone_is_the_validation_split_and_no_other),
        FOLDER_TEST(val_alone_is_the_test_split_where_train_is_cut),
        FOLDER_TEST(val_and_test_need_no_training_split),
        FOLDER_TEST(the_splits_of_a_flat_folder_are_drawn_from_each_class),
        FOLDER_TEST(splits_have_the_names_that_people_give_them),
        FOLDER_TEST(a_folder_around_the_set_is_named),
        FOLDER_TEST(a_missing_folder_names_the_key),
        FOLDER_TEST(a_text_called_png_is_shown),
        FOLDER_TEST(an_empty_or_missing_picture_is_named),
        FOLDER_TEST(a_png_cut_anywhere_is_named),
        FOLDER_TEST(a_broken_item_names_its_file),
        FOLDER_TEST(a_picture_larger_than_its_file_can_hold_is_refused),
        FOLDER_TEST(png_files_come_back_as_they_were_written),
        FOLDER_TEST(grey_survives_a_detour_through_colour),
        FOLDER_TEST(a_place_that_cannot_be_written_is_named),
        FOLDER_TEST(damaged_png_files_are_read_or_refused),
        cmocka_unit_test(the_real_pictures_can_all_be_read),
        JPEG_TESTS};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
