/* What is said of pictures before they are used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/picture/survey.h"
#include "data/skips.h"
#include "files.h"
#include "pictures.h"

static DataConfig config_for(const char *root) {
    DataConfig config = data_config_default();
    config.source = SOURCE_FOLDER;
    text_format(config.path, sizeof config.path, "%s", root);
    return config;
}

/* Pictures from..to of a class of train, all different. */
static void fill(const char *root, const char *class, unsigned from, unsigned to) {
    for (unsigned k = from; k < to; k++) {
        char name[100];
        text_format(name, sizeof name, "train/%s/%u.png", class, k);
        files_write_png(root, name, 6 + k % 50, 7 * k + 1);
    }
}

static const char *note_with(const Dataset *set, const char *part) {
    for (size_t i = 0; i < set->facts.notes; i++)
        if (strstr(set->facts.note[i].text, part)) return set->facts.note[i].text;
    return NULL;
}

static void has_note(const Dataset *set, const char *part, bool wanted) {
    if (!note_with(set, part) == !wanted) return;
    for (size_t i = 0; i < set->facts.notes; i++)
        print_message("%s\n", set->facts.note[i].text);
    fail_msg("\"%s\" is %s", part, wanted ? "not noted" : "noted");
}

static Dataset *survey(const DataConfig *config, Split split, Status wanted,
                       const char *part) {
    Err err = ERR_NONE;
    Dataset *set = files_open(config, split);
    Status status = survey_classes(set, split == SPLIT_TRAIN, &err);
    if (!status) status = survey_pictures(set, config, NULL, &err);
    if (status != wanted) fail_msg("%d: %s", status, err.text);
    if (wanted && !strstr(err.text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    if (!wanted && part) has_note(set, part, true);
    return set;
}

/* ---- classes ---- */

static void one_class_cannot_be_learned(void **state) {
    DataConfig config = config_for(*state);
    fill(*state, "cat", 0, 3);
    dataset_free(survey(&config, SPLIT_TRAIN, FAIL_DATA,
                        "all 3 training pictures are of one class (cat)"));
}

static void a_large_class_is_named_with_its_share(void **state) {
    DataConfig config = config_for(*state);
    fill(*state, "cat", 0, 9);
    fill(*state, "dog", 9, 12);
    dataset_free(survey(
        &config, SPLIT_TRAIN, OK,
        "class cat has 9 of 12 pictures: always answering it is correct in 75.0 %"));
    fill(*state, "dog", 12, 17);
    Dataset *set = survey(&config, SPLIT_TRAIN, OK, NULL);
    has_note(set, "always answering", false);
    dataset_free(set);
}

static void class_names_that_differ_in_capitals_are_named(void **state) {
    DataConfig config = config_for(*state);
    fill(*state, "Dog", 0, 2);
    fill(*state, "cat", 2, 4);
    fill(*state, "dog", 4, 6);
    fill(*state, "dog2", 6, 8);
    dataset_free(survey(&config, SPLIT_TRAIN, OK,
                        "class names that differ only in case: 1 (first: "));
}

/* ---- a sample ---- */

static size_t parity(const Dataset *set, size_t i) { return (void)set, i % 2; }

static Status odd_ones_are_blank(const Dataset *set, size_t i, Image *image,
                                 size_t *label, Err *err) {
    (void)err;
    *label = parity(set, i);
    image_resize_buffer(image, 2, 2, 1);
    memset(image->pixels, 7, 4);
    if (*label == 0) image->pixels[3] = (uint8_t)i + 8;
    return OK;
}

static void blank_pictures_of_a_set_in_one_file_are_counted(void **state) {
    (void)state;
    DataConfig config = data_config_default();
    Err err = ERR_NONE;
    Dataset set = {.count = 5, .classes = 2, .get = odd_ones_are_blank, .label = parity};
    assert_int_equal(survey_pictures(&set, &config, NULL, &err), OK);
    has_note(&set, "2 of 5 pictures have one colour only (first: item 1)", true);
    facts_free(&set.facts);
}

static void good_pictures_need_no_note(void **state) {
    DataConfig config = config_for(*state);
    fill(*state, "cat", 0, 4);
    fill(*state, "dog", 4, 8);
    Dataset *set = survey(&config, SPLIT_TRAIN, OK, NULL);
    assert_int_equal(set->facts.notes, 0);
    dataset_free(set);
}

/* A drawing in black on nothing, one in white, and one that no background shows. */
static void pictures_that_alpha_hides_are_counted(void **state) {
    DataConfig config = config_for(*state);
    static const uint8_t ink[] = {0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 90};
    static const uint8_t chalk[] = {255, 255, 255, 255, 9, 9, 9, 0, 255, 255, 255, 90};
    static const uint8_t nothing[] = {1, 2, 3, 0, 40, 50, 60, 0, 70, 80, 90, 0};
    const uint8_t *const pixels[] = {ink, ink, chalk, nothing};
    for (unsigned k = 0; k < 4; k++) {
        char name[40];
        text_format(name, sizeof name, "train/%s/%u.png", k % 2 ? "cat" : "dog", k);
        pictures_write_png(*state, name, &(Spec){1, 3, 4, .pixels = pixels[k]});
    }
    Dataset *set =
        survey(&config, SPLIT_TRAIN, OK,
               "2 of 4 pictures have one colour only, after blending with black; "
               "data.background = white shows 2 of them");
    has_note(set, "1 of 4 pictures have one colour only (first:", true);
    has_note(set, "1 of 4 pictures have transparent pixels", true);
    dataset_free(set);
    strcpy(config.background, "white");
    dataset_free(
        survey(&config, SPLIT_TRAIN, OK,
               "after blending with white; data.background = black shows 1 of them"));
}

static void turned_grey_and_inked_pictures_are_counted(void **state) {
    DataConfig config = config_for(*state);
    static const uint8_t pixels[64] = {0, 40, 80, 120, 160, 200, 7, 3, 1};
    pictures_write_png(*state, "train/cat/1.png", &(Spec){2, 3, 1, .pixels = pixels});
    pictures_write_png(*state, "train/cat/2.png",
                       &(Spec){2, 3, 3, pixels, .orientation = 8});
    pictures_write_png(*state, "train/dog/1.png",
                       &(Spec){2, 3, 3, pixels, .orientation = 1});
    Dataset *set =
        survey(&config, SPLIT_TRAIN, OK,
               "1 of 3 pictures have an Exif orientation and are rotated accordingly");
    has_note(set, "1 of 3 pictures are grey and are read as RGB", true);
    dataset_free(set);
    strcpy(config.augment, "flip,jitter:0.4:0.4:0:0.1,grey");
    dataset_free(survey(&config, SPLIT_TRAIN, OK,
                        "(data.channels); data.augment: jitter:hue, grey: no effect on"));
    config.channels = 1;
    dataset_free(survey(&config, SPLIT_TRAIN, OK, "2 of 3 pictures have colours"));
    config.channels = 3;
    pictures_write_jpeg(*state, "train/dog/2.jpg", &(Spec){4, 4, 4, .pixels = pixels});
    dataset_free(survey(&config, SPLIT_TRAIN, OK, "1 of 4 pictures are CMYK"));
}

static void a_broken_picture_is_met_before_the_first_step(void **state) {
    DataConfig config = config_for(*state);
    fill(*state, "cat", 0, 4);
    fill(*state, "dog", 4, 8);
    files_cut(*state, "train/dog/6.png", 30);
    dataset_free(
        survey(&config, SPLIT_TRAIN, FAIL_DATA, "train/dog/6.png is a damaged PNG"));
    config.on_error = ON_ERROR_SKIP;
    dataset_free(survey(&config, SPLIT_TRAIN, OK, "1 of 8 pictures cannot be read"));
    for (unsigned k = 4; k < 8; k++) {
        char name[40];
        text_format(name, sizeof name, "train/dog/%u.png", k);
        files_cut(*state, name, k);
    }
    dataset_free(
        survey(&config, SPLIT_TRAIN, FAIL_DATA,
               "none of the 4 pictures of class dog can be read (4 of all 8 cannot"));
}

static void of_many_pictures_a_sample_is_read(void **state) {
    DataConfig config = config_for(*state);
    fill(*state, "cat", 0, 200);
    fill(*state, "dog", 200, 400);
    static const uint8_t pixels[6] = {0, 40, 80, 120, 160, 200};
    for (unsigned k = 0; k < 400; k++) {
        char name[40];
        text_format(name, sizeof name, "train/%s/%u.png", k < 200 ? "cat" : "dog", k);
        if (k % 2 == 0)
            pictures_write_png(*state, name, &(Spec){2, 3, 1, .pixels = pixels});
    }
    Dataset *set =
        survey(&config, SPLIT_TRAIN, OK, " of 256 pictures of a sample are grey");
    size_t count = 0;
    assert_int_equal(sscanf(note_with(set, "grey"), "%zu", &count), 1);
    assert_in_range(count, 100, 156);
    dataset_free(set);
}

static bool at_once(void) { return true; }

static void looking_can_be_interrupted(void **state) {
    DataConfig config = config_for(*state);
    fill(*state, "cat", 0, 2);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(survey_pictures(set, &config, at_once, NULL), FAIL_INTERRUPTED);
    dataset_free(set);
}

/* ---- two splits ---- */

static void copy(const char *root, const char *from, const char *to) {
    size_t n;
    uint8_t *bytes = files_read(root, from, &n);
    files_write(root, to, bytes, n);
    mem_free(bytes);
}

static void overlap(const DataConfig *config, const char *part) {
    Dataset *train = files_open(config, SPLIT_TRAIN),
            *test = files_open(config, SPLIT_TEST);
    survey_overlap(train, test, "test");
    has_note(test, "also training pictures", part);
    if (part) has_note(test, part, true);
    dataset_free(train);
    dataset_free(test);
}

/* Same names and sizes are no same pictures; other names can be. */
static void files_that_are_in_two_splits_are_counted(void **state) {
    DataConfig config = config_for(*state);
    static const uint8_t pixels[9] = {0, 40, 80, 120, 160, 200, 90, 1, 77};
    static const uint8_t others[9] = {0, 41, 80, 120, 160, 200, 90, 1, 77};
    pictures_write_png(*state, "train/cat/1.png", &(Spec){1, 3, 3, .pixels = pixels});
    pictures_write_png(*state, "test/cat/1.png", &(Spec){1, 3, 3, .pixels = others});
    fill(*state, "dog", 0, 9);
    files_write_png(*state, "test/dog/1.png", 90, 1);
    overlap(&config, NULL);
    copy(*state, "train/dog/5.png", "test/dog/other.png");
    overlap(&config, "1 of 3 pictures of test are also training pictures (first:");
    files_remove(*state, "test/dog/1.png");
    copy(*state, "train/cat/1.png", "test/cat/1.png");
    overlap(&config,
            "2 of 2 pictures of test are also training pictures: its score says nothing");
}

/* ---- what was met ---- */

static void items_that_were_met_come_back_from_their_text(void **state) {
    (void)state;
    Skips skips = {0}, back = {0};
    assert_false(skips_see(&skips, 3)); /* nothing is counted yet */
    skips_begin(&skips, 1000);
    assert_true(skips_see(&skips, 999) && skips_see(&skips, 0) && skips_see(&skips, 17));
    assert_false(skips_see(&skips, 17));
    assert_false(skips_see(&skips, 1000));
    char *text = skips_text(&skips);
    assert_string_equal(text, "0 17 999");
    skips_begin(&back, 1000);
    skips_see(&back, 5);
    skips_read(&back, text);
    assert_int_equal(back.count, 3);
    assert_true(!back.met[5] && back.met[999]);
    mem_free(text);
    skips_read(&back, "4 4 x 5");
    assert_int_equal(back.count, 1);
    skips_read(&back, "99999999999999999999999 7 1000");
    assert_int_equal(back.count, 1);
    skips_read(&back, NULL);
    assert_int_equal(back.count, 0);
    skips_end(&skips);
    skips_begin(&skips, 1000);
    /* the first twenty, and those that pass a hundred */
    for (size_t i = 0; i < 250; i++) {
        skips_see(&skips, i);
        assert_int_equal(skips_are_named(&skips, 1), i < 20 || i % 100 == 99);
    }
    assert_true(skips_are_named(&skips, 51)); /* 200 is among them */
    skips_end(&skips);
    skips_end(&back);
}

static uint64_t third(const Dataset *set, size_t i) { return (void)set, i / 3 + 1; }

/* Of one file in two classes which label is right?  Two of one class are no
 * contradiction. */
static void a_picture_of_two_classes_is_counted(void **state) {
    DataConfig config = config_for(*state);
    fill(*state, "cat", 0, 4);
    fill(*state, "dog", 4, 8);
    files_write_png(*state, "train/dog/9.png", 6 + 4, 7 * 4 + 1); /* dog/4.png */
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    survey_twice(set);
    assert_int_equal(set->facts.notes, 0);
    dataset_free(set);
    files_write_png(*state, "train/cat/9.png", 6 + 4, 7 * 4 + 1);
    set = files_open(&config, SPLIT_TRAIN);
    survey_twice(set);
    has_note(set, "3 of 10 pictures are also in another class (first:", true);
    dataset_free(set);
    /* 0 1 2 | 3 4 5 | 6: all but the last have a twin of the other parity. */
    Dataset file = {.count = 7, .classes = 2, .label = parity, .digest = third};
    survey_twice(&file);
    has_note(&file, "6 of 7 pictures are also in another class (first: item 0)", true);
    facts_free(&file.facts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(one_class_cannot_be_learned),
        FOLDER_TEST(a_large_class_is_named_with_its_share),
        FOLDER_TEST(class_names_that_differ_in_capitals_are_named),
        cmocka_unit_test(blank_pictures_of_a_set_in_one_file_are_counted),
        FOLDER_TEST(good_pictures_need_no_note),
        FOLDER_TEST(pictures_that_alpha_hides_are_counted),
        FOLDER_TEST(turned_grey_and_inked_pictures_are_counted),
        FOLDER_TEST(a_broken_picture_is_met_before_the_first_step),
        FOLDER_TEST(of_many_pictures_a_sample_is_read),
        FOLDER_TEST(looking_can_be_interrupted),
        FOLDER_TEST(files_that_are_in_two_splits_are_counted),
        FOLDER_TEST(a_picture_of_two_classes_is_counted),
        cmocka_unit_test(items_that_were_met_come_back_from_their_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
