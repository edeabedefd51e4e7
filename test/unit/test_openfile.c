/* Opening files that others may have made: what is refused, and what stays untouched. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/file/openfile.h"
#include "data/file/safetensors.h"
#include "files.h"

enum { PATH_SIZE = 1400 };

/* root/run is a run folder, root/else is not of it. */
typedef struct Case {
    char run[PATH_SIZE], path[PATH_SIZE], other[PATH_SIZE];
} Case;

static Case make_case(const char *root, const char *name) {
    Case c;
    text_format(c.run, sizeof c.run, "%s/run", root);
    text_format(c.path, sizeof c.path, "%s/run/%s", root, name);
    text_format(c.other, sizeof c.other, "%s/else/secret", root);
    files_folder(root, "run/checkpoints");
    files_write(root, "else/secret", "secret", 6);
    return c;
}

static void expect_untouched(const char *root) {
    size_t n;
    uint8_t *bytes = files_read(root, "else/secret", &n);
    assert_int_equal(n, 6);
    assert_memory_equal(bytes, "secret", 6);
    mem_free(bytes);
}

static void expect_text(const char *path, const char *root, const char *wanted) {
    Err err = ERR_NONE;
    size_t size;
    char *text = openfile_text(path, root, 1 << 20, &size, &err);
    if (!text) fail_msg("%s", err.text);
    assert_string_equal(text, wanted);
    mem_free(text);
}

/* Neither opened for reading nor for appending. */
static void refuse(const char *path, const char *root, const char *part) {
    int (*const opens[])(const char *, const char *, Err *) = {openfile_read,
                                                               openfile_append};
    for (size_t i = 0; i < COUNT(opens); i++) {
        Err err = ERR_NONE;
        assert_int_equal(opens[i](path, root, &err), -1);
        assert_int_equal(err.status, FAIL_DATA);
        if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
        assert_non_null(strstr(err.text, path));
    }
}

static void links_are_followed_outside_of_run_folders_alone(void **state) {
    Case c = make_case(*state, "train.jsonl");
    assert_false(symlink("../else/secret", c.path));
    expect_text(c.path, NULL, "secret");
    refuse(c.path, c.run, "symbolic link");
    assert_int_equal(errno, ELOOP);
    expect_untouched(*state);
}

static void the_run_folder_itself_may_be_a_link(void **state) {
    Case c = make_case(*state, "train.jsonl");
    char path[PATH_SIZE];
    files_write(*state, "run/train.jsonl", "rows", 4);
    text_format(c.other, sizeof c.other, "%s/latest", (char *)*state);
    text_format(path, sizeof path, "%s/latest/train.jsonl", (char *)*state);
    assert_false(symlink("run", c.other));
    expect_text(path, c.other, "rows");
}

static void folders_that_are_links_are_not_entered(void **state) {
    Case c = make_case(*state, "figures");
    char path[PATH_SIZE];
    Err err = ERR_NONE;
    text_format(path, sizeof path, "%s/secret", c.path);
    assert_false(symlink("../else", c.path));
    refuse(path, c.run, "symbolic link");
    assert_int_equal(openfile_create(path, c.run, &err), -1);
    assert_false(openfile_remove(path, c.run));
    assert_null(openfile_folder(c.path, c.run, &err));
    assert_int_equal(openfile_make_folder(c.path, c.run, &err), FAIL_DATA);
    text_format(path, sizeof path, "%s/checkpoints/../../else/secret", c.run);
    refuse(path, c.run, "");
    expect_untouched(*state);
}

static void pipes_and_devices_keep_nobody_waiting(void **state) {
    Case c = make_case(*state, "task.json");
    Err err = ERR_NONE;
    assert_false(mkfifo(c.path, 0666));
    refuse(c.path, c.run, "not a regular file");
    refuse(c.path, NULL, "not a regular file");
    refuse("/dev/zero", NULL, "not a regular file");
    refuse(c.run, NULL, "not a regular file");
    assert_null(openfile_json(c.path, c.run, &err));
}

static void a_draft_takes_the_place_of_a_link(void **state) {
    Case c = make_case(*state, "recipe.ini.new");
    Err err = ERR_NONE;
    assert_false(symlink("../else/secret", c.path));
    FILE *file = openfile_draft(c.path, c.run, &err);
    assert_non_null(file);
    fputs("draft", file);
    fclose(file);
    expect_untouched(*state);
    char final[PATH_SIZE];
    text_format(final, sizeof final, "%s/recipe.ini", c.run);
    assert_false(symlink("../else/secret", final));
    assert_int_equal(openfile_replace(c.path, final, c.run, &err), OK);
    expect_text(final, c.run, "draft");
    expect_untouched(*state);
}

/* As -o /dev/stdout is a link to a pipe. */
static void an_output_goes_behind_a_link_but_replaces_no_device(void **state) {
    Case c = make_case(*state, "device");
    Err err = ERR_NONE;
    struct stat info;
    assert_false(symlink("/dev/full", c.path));
    assert_int_equal(openfile_save(c.path, NULL, "x", 1, &err), FAIL_DATA);
    assert_false(lstat(c.path, &info));
    assert_true(S_ISLNK(info.st_mode));
    files_write(*state, "run/device.new", "x", 1);
    char draft[PATH_SIZE];
    text_format(draft, sizeof draft, "%s.new", c.path);
    assert_false(openfile_rename(draft, c.path, NULL));
    assert_false(lstat(c.path, &info));
    assert_true(S_ISLNK(info.st_mode));
    assert_false(unlink(c.path));
    files_write(*state, "run/real", "old", 3);
    assert_false(symlink("real", c.path));
    SafetensorsWriter *writer = safetensors_writer_new();
    assert_int_equal(safetensors_save(writer, c.path, &err), OK);
    safetensors_writer_free(writer);
    assert_false(lstat(c.path, &info));
    assert_true(S_ISLNK(info.st_mode));
    assert_false(stat(c.path, &info));
    assert_true(info.st_size > 3);
}

static void a_failed_replacement_leaves_no_draft(void **state) {
    Case c = make_case(*state, "report.html.new");
    char final[PATH_SIZE];
    Err err = ERR_NONE;
    files_write(*state, "run/report.html.new", "x", 1);
    files_folder(*state, "run/report.html/full");
    text_format(final, sizeof final, "%s/report.html", c.run);
    assert_int_equal(openfile_replace(c.path, final, c.run, &err), FAIL_DATA);
    assert_false(openfile_exists(c.path, c.run));
    assert_true(openfile_exists(final, c.run));
}

static void a_log_with_other_names_is_not_appended_to(void **state) {
    Case c = make_case(*state, "train.jsonl");
    Err err = ERR_NONE;
    assert_false(link(c.other, c.path));
    assert_int_equal(openfile_append(c.path, c.run, &err), -1);
    assert_non_null(strstr(err.text, "hard links"));
    expect_text(c.path, c.run, "secret");
}

static void removing_takes_the_link_and_not_what_it_leads_to(void **state) {
    Case c = make_case(*state, "step.tmp");
    assert_false(symlink("../else/secret", c.path));
    assert_true(openfile_remove(c.path, c.run));
    assert_false(openfile_exists(c.path, c.run));
    assert_false(openfile_remove(c.path, c.run));
    assert_int_equal(errno, ENOENT);
    expect_untouched(*state);
}

static void a_text_is_limited_and_whole(void **state) {
    Case c = make_case(*state, "log");
    enum { LONG = 200000 };
    char *text = mem_alloc(LONG);
    memset(text, 'x', LONG);
    files_write(*state, "run/log", text, LONG);
    Err err = ERR_NONE;
    size_t size;
    assert_null(openfile_text(c.path, c.run, LONG - 1, &size, &err));
    assert_int_equal(err.status, FAIL_DATA);
    assert_non_null(strstr(err.text, "199999"));
    char *read = openfile_text(c.path, c.run, LONG, &size, &err);
    assert_int_equal(size, LONG);
    assert_memory_equal(read, text, LONG);
    assert_int_equal(read[size], 0);
    mem_free(read);
    mem_free(text);
    assert_null(openfile_text("nowhere", NULL, 1, &size, &err));
    assert_int_equal(errno, ENOENT);
}

static void json_is_refused_with_its_line(void **state) {
    Case c = make_case(*state, "task.json");
    Err err = ERR_NONE;
    files_write(*state, "run/task.json", "{\"a\":1,\n\"a\":2}", 14);
    assert_null(openfile_json(c.path, c.run, &err));
    assert_int_equal(err.status, FAIL_DATA);
    assert_non_null(strstr(err.text, "task.json:2: "));
    files_write(*state, "run/task.json", "{\"a\":1}", 7);
    json_t *value = openfile_json(c.path, c.run, &err);
    assert_int_equal(json_object_size(value), 1);
    json_decref(value);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(links_are_followed_outside_of_run_folders_alone),
        FOLDER_TEST(the_run_folder_itself_may_be_a_link),
        FOLDER_TEST(folders_that_are_links_are_not_entered),
        FOLDER_TEST(pipes_and_devices_keep_nobody_waiting),
        FOLDER_TEST(a_draft_takes_the_place_of_a_link),
        FOLDER_TEST(an_output_goes_behind_a_link_but_replaces_no_device),
        FOLDER_TEST(a_failed_replacement_leaves_no_draft),
        FOLDER_TEST(a_log_with_other_names_is_not_appended_to),
        FOLDER_TEST(removing_takes_the_link_and_not_what_it_leads_to),
        FOLDER_TEST(a_text_is_limited_and_whole),
        FOLDER_TEST(json_is_refused_with_its_line),
    };
    return cmocka_run_group_tests_name("openfile", cases, NULL, NULL);
}
