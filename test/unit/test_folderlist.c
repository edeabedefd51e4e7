/* What stands in folders of pictures and is none, or is one under another name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"

static DataConfig make_set(const char *root) {
    DataConfig config = data_config_default();
    config.source = SOURCE_FOLDER;
    text_format(config.path, sizeof config.path, "%s", root);
    static const char *const names[] = {"train/cat/1.png", "train/dog/1.png",
                                        "test/cat/1.png", "test/dog/1.png"};
    for (unsigned k = 0; k < COUNT(names); k++) files_write_png(root, names[k], 6, k);
    return config;
}

/* One note of the split holds `part`, and is about `count` things. */
static void noted(const DataConfig *config, Split split, size_t count, const char *part) {
    Dataset *set = files_open(config, split);
    size_t found = 0;
    for (size_t i = 0; i < set->facts.notes; i++)
        if (strstr(set->facts.note[i].text, part)) {
            assert_int_equal(set->facts.note[i].count, count);
            found++;
        }
    if (found != 1) {
        for (size_t i = 0; i < set->facts.notes; i++)
            print_message("%s\n", set->facts.note[i].text);
        fail_msg("%zu notes with \"%s\"", found, part);
    }
    dataset_free(set);
}

static void nothing_odd_needs_no_note(void **state) {
    DataConfig config = make_set(*state);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->facts.notes, 0);
    dataset_free(set);
}

static void pictures_in_deeper_folders_are_counted(void **state) {
    DataConfig config = make_set(*state);
    files_write_png(*state, "train/cat/more/1.png", 6, 1);
    files_write_png(*state, "train/cat/more/2.png", 6, 1);
    files_write_png(*state, "train/dog/a/b/c/3", 6, 1);
    files_write(*state, "train/dog/a/b/c/notes.txt", "x", 1);
    noted(&config, SPLIT_TRAIN, 3, "3 pictures in folders below train/CLASS are used");
    noted(&config, SPLIT_TRAIN, 3, "train/cat/more/1.png)");
    Err err = ERR_NONE;
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, 5);
    char path[DATASET_PATH];
    set->path(set, 1, path);
    assert_non_null(strstr(path, "train/cat/more/1.png"));
    assert_int_equal(set->label(set, 1), 0);
    dataset_free(set);
    assert_int_equal(files_walk(&config, SPLIT_TRAIN, &err), OK);
}

/* It may lead back, or to a whole disk. */
static void a_folder_that_is_a_link_is_counted_and_not_looked_into(void **state) {
    DataConfig config = make_set(*state);
    char path[1200];
    text_format(path, sizeof path, "%s/train/cat/loop", (char *)*state);
    assert_int_equal(symlink("..", path), 0);
    noted(&config, SPLIT_TRAIN, 1,
          "1 folder that is a link below train/CLASS is not followed");
}

static void what_systems_leave_behind_is_passed_over(void **state) {
    static const char *const LITTER[] = {"Thumbs.db", "desktop.ini", ".DS_Store",
                                         "THUMBS.DB", "Icon\r"};
    DataConfig config = make_set(*state);
    for (size_t k = 0; k < COUNT(LITTER); k++) {
        char name[80];
        text_format(name, sizeof name, "train/cat/%s", LITTER[k]);
        files_write(*state, name, "x", 1);
        text_format(name, sizeof name, "train/%s", LITTER[k]);
        files_write(*state, name, "x", 1);
    }
    files_write_png(*state, "train/__MACOSX/cat/1.png", 6, 1);
    files_write_png(*state, "train/cat/@eaDir/1.png", 6, 1);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->classes, 2);
    assert_int_equal(set->count, 2);
    assert_int_equal(set->facts.notes, 0);
    dataset_free(set);
}

static void folders_too_deep_are_named(void **state) {
    DataConfig config = make_set(*state);
    char name[200] = "train/cat";
    for (int k = 0; k < 17; k++) strcat(name, "/d");
    strcat(name, "/1.png");
    files_write_png(*state, name, 6, 1);
    noted(&config, SPLIT_TRAIN, 1, "1 folder too deep");
}

static void other_files_are_counted_with_their_endings(void **state) {
    DataConfig config = make_set(*state);
    files_write(*state, "train/cat/2.webp", "RIFF\1\0\0\0WEBPVP8 ", 16);
    files_write(*state, "train/dog/2.WEBP", "RIFF\1\0\0\0WEBPVP8 ", 16);
    files_write(*state, "train/dog/2.bmp", "BM", 2);
    files_write(*state, "train/dog/README", "x", 1);
    files_write(*state, "train/labels.csv", "x", 1);
    noted(&config, SPLIT_TRAIN, 5,
          "5 files with other suffixes (.bmp, .csv, .webp, none) in train are not used");
    files_write(*state, "test/dog/2.gif", "GIF89a", 6);
    noted(&config, SPLIT_TEST, 1,
          "1 file with another suffix (.gif) in test is not used");
}

static void a_picture_under_another_name_is_used_and_counted(void **state) {
    DataConfig config = make_set(*state);
    files_write_png(*state, "train/cat/download", 6, 1);
    files_write_png(*state, "train/cat/2.webp", 6, 1);
    files_write_png(*state, "train/dog/3.png", 6, 1);
    Dataset *set = files_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, 5);
    dataset_free(set);
    noted(&config, SPLIT_TRAIN, 2, "2 files in train without the suffix .png");
    Err err = ERR_NONE;
    assert_int_equal(files_walk(&config, SPLIT_TRAIN, &err), OK);
}

static void hidden_pictures_and_folders_are_counted(void **state) {
    DataConfig config = make_set(*state);
    files_write_png(*state, "train/cat/._1.png", 6, 1);
    files_write_png(*state, "train/.ipynb_checkpoints/1.png", 6, 1);
    files_write(*state, "train/.DS_Store", "x", 1);
    files_write(*state, "train/cat/.DS_Store", "x", 1);
    noted(&config, SPLIT_TRAIN, 2, "2 hidden pictures and folders in train");
}

static void pictures_of_no_class_are_counted(void **state) {
    DataConfig config = make_set(*state);
    files_write_png(*state, "train/1.png", 6, 1);
    noted(&config, SPLIT_TRAIN, 1,
          "1 picture in train itself, outside of a class folder, is not used");
}

static void folders_beside_the_splits_are_named(void **state) {
    DataConfig config = make_set(*state);
    files_write_png(*state, "extra/cat/1.png", 6, 1);
    files_write_png(*state, "__MACOSX/cat/1.png", 6, 1);
    noted(&config, SPLIT_TRAIN, 1, "/extra)");
}

static void a_val_folder_that_val_fraction_replaces_is_named(void **state) {
    DataConfig config = make_set(*state);
    files_write_png(*state, "train/cat/2.png", 6, 5);
    files_write_png(*state, "train/dog/2.png", 6, 6);
    files_write_png(*state, "val/cat/1.png", 6, 1);
    files_write_png(*state, "val/dog/1.png", 6, 1);
    config.val_fraction = 0.5;
    config.limit = 9;
    noted(&config, SPLIT_TRAIN, 1,
          "/val is not used; to validate on it: data.val_fraction=0");
    noted(&config, SPLIT_TRAIN, 1,
          "data.limit = 9 has no effect: there are only 4 examples");
}

static void a_class_of_other_files_says_what_is_there(void **state) {
    DataConfig config = make_set(*state);
    files_write(*state, "train/owl/1.webp", "RIFF\1\0\0\0WEBPVP8 ", 16);
    files_write_png(*state, "test/owl/1.png", 6, 1);
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "train/owl has no PNG or JPEG");
    files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "but 1 other files");
}

static void a_name_that_fits_no_path_is_counted(void **state) {
    DataConfig config = make_set(*state);
    char deep[1400], here[1000], name[260];
    size_t n = (size_t)snprintf(deep, sizeof deep, "%s/", (char *)*state);
    memset(name, 'n', 250);
    strcpy(name + 250, ".png");
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(*state), 0);
    memset(config.path, 0, sizeof config.path);
    /* A path of 1000 bytes for the set: class, 250 bytes, and picture, 250, are too
     * many. */
    while (n + 2 < 1000) {
        size_t length = MIN((size_t)200, 1000 - n - 1);
        memset(deep, 'd', length);
        deep[length] = 0;
        assert_true(!mkdir(deep, 0777) && !chdir(deep));
        n += length + 1;
    }
    char root[1400];
    assert_non_null(getcwd(root, sizeof root));
    assert_int_equal(chdir(here), 0);
    text_format(config.path, sizeof config.path, "%s", root);
    for (int k = 0; k < 2; k++) {
        char file[800];
        text_format(file, sizeof file, "train/%.245s%d/1.png", name, k);
        files_write_png(root, file, 6, 1);
    }
    char file[800];
    text_format(file, sizeof file, "train/%.245s0/%s", name, name);
    files_write_png(root, file, 6, 1);
    noted(&config, SPLIT_TRAIN, 1,
          "1 file in train with a name that is too long is not used");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(nothing_odd_needs_no_note),
        FOLDER_TEST(pictures_in_deeper_folders_are_counted),
        FOLDER_TEST(a_folder_that_is_a_link_is_counted_and_not_looked_into),
        FOLDER_TEST(what_systems_leave_behind_is_passed_over),
        FOLDER_TEST(folders_too_deep_are_named),
        FOLDER_TEST(other_files_are_counted_with_their_endings),
        FOLDER_TEST(a_picture_under_another_name_is_used_and_counted),
        FOLDER_TEST(hidden_pictures_and_folders_are_counted),
        FOLDER_TEST(pictures_of_no_class_are_counted),
        FOLDER_TEST(folders_beside_the_splits_are_named),
        FOLDER_TEST(a_val_folder_that_val_fraction_replaces_is_named),
        FOLDER_TEST(a_class_of_other_files_says_what_is_there),
        FOLDER_TEST(a_name_that_fits_no_path_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
