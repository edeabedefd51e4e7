/* Logs that are cut back at a resume: no row that belongs to the run is lost, whatever
 * stands between, and nothing is touched that cannot be read. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/unit/files.h"
#include "tools/run/log.h"

#define ROW(step) "{\"step\":" #step ",\"loss\":0.5}\n"

/* ---- system calls that fail: the program's own, for the library is linked statically ---- */

static int bad_disk;
static size_t bytes_read;

ssize_t pread(int file, void *bytes, size_t size, off_t at);
ssize_t pread(int file, void *bytes, size_t size, off_t at) {
    if (bad_disk) return errno = EIO, -1;
    ssize_t got = syscall(SYS_pread64, file, bytes, size, at);
    bytes_read += got > 0 ? (size_t)got : 0;
    return got;
}

int fdatasync(int file) {
    if (bad_disk) return errno = EIO, -1;
    return (int)syscall(SYS_fdatasync, file);
}

/* ---- helpers ---- */

static void put(const char *dir, const char *text) {
    files_write(dir, "train.jsonl", text, strlen(text));
}

static void expect_file(const char *dir, const char *name, const char *wanted,
                        size_t size) {
    size_t seen;
    char *text = (char *)files_read(dir, name, &seen);
    if (seen != size || memcmp(text, wanted, size))
        fail_msg("%s is \"%.*s\", wanted \"%s\"", name, (int)seen, text, wanted);
    mem_free(text);
}

static void expect(const char *dir, const char *name, const char *wanted) {
    expect_file(dir, name, wanted, strlen(wanted));
}

static bool is_there(const char *dir, const char *name) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "%s", name);
    return access(path, F_OK) == 0;
}

/* Opens and closes; what was said must hold `part`, or be nothing where it is "". */
static void cut(const char *dir, size_t every, size_t last_step, const char *part) {
    Log log;
    Err err = ERR_NONE;
    if (log_open(&log, dir, "train.jsonl", every, last_step, &err))
        fail_msg("%s", err.text);
    if (*part ? !strstr(log.note, part) : *log.note)
        fail_msg("said \"%s\", wanted \"%s\"", log.note, part);
    log_close(&log);
}

static void refuse(const char *dir, Status status, const char *part) {
    Log log;
    Err err = ERR_NONE;
    assert_int_equal(log_open(&log, dir, "train.jsonl", 1, 2, &err), status);
    if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    assert_null(log.file);
}

/* ---- cases ---- */

static void rows_behind_the_checkpoint_are_cut_and_no_other(void **state) {
    put(*state, ROW(1) ROW(2) ROW(3) ROW(4));
    cut(*state, 1, 2, "");
    expect(*state, "train.jsonl", ROW(1) ROW(2));
    cut(*state, 1, 2, "");
    expect(*state, "train.jsonl", ROW(1) ROW(2));
    assert_false(is_there(*state, "train.jsonl.bad"));
    cut(*state, 1, 0, "");
    expect(*state, "train.jsonl", "");
}

static void a_missing_log_is_made(void **state) {
    cut(*state, 1, 0, "");
    expect(*state, "train.jsonl", "");
    cut(*state, 1, 7, "train.jsonl: no row of steps 1 to 7");
}

static void rows_are_appended_behind_what_stays(void **state) {
    put(*state, ROW(1) ROW(2));
    Log log;
    Err err = ERR_NONE;
    assert_int_equal(log_open(&log, *state, "train.jsonl", 1, 1, &err), OK);
    assert_int_equal(log_row(&log, json_pack("{s:i}", "step", 2), &err), OK);
    assert_int_equal(log_sync(&log, &err), OK);
    expect(*state, "train.jsonl", ROW(1) "{\"step\":2}\n");
    log_close(&log);
}

static void a_bad_line_is_kept_apart_and_the_rows_behind_it_stay(void **state) {
    put(*state, ROW(1) "{\"step\":2,\"lo\n" ROW(3) ROW(4) ROW(5));
    cut(*state, 1, 4, "1 line that does not fit is moved to ");
    expect(*state, "train.jsonl", ROW(1) ROW(3) ROW(4));
    expect(*state, "train.jsonl.bad", "{\"step\":2,\"lo\n");
    put(*state, "no row\n[]\n{\"loss\":2}\n{\"step\":-4}\n{\"step\":1.5}\n" ROW(1));
    cut(*state, 1, 1, "5 lines that do not fit are moved to ");
    expect(*state, "train.jsonl", ROW(1));
    expect(*state, "train.jsonl.bad.2",
           "no row\n[]\n{\"loss\":2}\n{\"step\":-4}\n{\"step\":1.5}\n");
    expect(*state, "train.jsonl.bad", "{\"step\":2,\"lo\n");
}

static void what_is_said_names_the_line_and_the_steps(void **state) {
    put(*state, ROW(1) ROW(2) "{\"step\":3\n" ROW(4) ROW(5));
    cut(*state, 1, 5, "train.jsonl.bad (line 3: ");
    cut(*state, 1, 5, "train.jsonl: no row of step 3");
    put(*state, ROW(1) ROW(2));
    cut(*state, 1, 9, "no row of steps 3 to 9");
    put(*state, ROW(1) ROW(2) ROW(6) ROW(7) ROW(10));
    cut(*state, 1, 10, "no row of steps 3 to 5, and 1 more gaps");
}

static void a_spacing_that_was_changed_is_no_gap(void **state) {
    put(*state, ROW(10) ROW(20) ROW(25) ROW(26) ROW(27));
    cut(*state, 1, 27, "");
    put(*state, ROW(1) ROW(2) ROW(10) ROW(20) ROW(30));
    cut(*state, 10, 39, "");
    put(*state, ROW(1) ROW(5) ROW(10) ROW(15));
    cut(*state, 5, 19, "");
    cut(*state, 5, 20, "no row of steps 16 to 20 (expected every 5 steps)");
}

static void a_last_line_that_was_cut_short(void **state) {
    put(*state, ROW(1) ROW(2) "{\"step\":3,\"loss\":0.");
    cut(*state, 1, 2, "");
    expect(*state, "train.jsonl", ROW(1) ROW(2));
    assert_false(is_there(*state, "train.jsonl.bad"));
    put(*state, ROW(1) ROW(2) "{\"step\":3");
    cut(*state, 1, 2, "moved to");
    expect(*state, "train.jsonl", ROW(1) ROW(2));
    expect(*state, "train.jsonl.bad", "{\"step\":3\n");
    put(*state, ROW(1) "{\"step\":2,\"loss\":0.5}");
    cut(*state, 1, 2, "");
    expect(*state, "train.jsonl", ROW(1) "{\"step\":2,\"loss\":0.5}\n");
}

static void zeros_of_a_power_cut_hide_no_row(void **state) {
    static const char text[] = ROW(1) "{\"step\":2,\"lo\0\0\0\0\0" ROW(3) ROW(4) "\0\0\0";
    files_write(*state, "train.jsonl", text, sizeof text - 1);
    cut(*state, 1, 4, "3 lines that do not fit");
    expect(*state, "train.jsonl", ROW(1) ROW(3) ROW(4));
    expect_file(*state, "train.jsonl.bad", "{\"step\":2,\"lo\n\0\0\0\0\0\n\0\0\0\n", 24);
}

static void line_ends_of_another_system_stay(void **state) {
    put(*state, "{\"step\":1}\r\n\r\n{\"step\":2}\r\n{\"step\":3}\r\n");
    cut(*state, 1, 2, "");
    expect(*state, "train.jsonl", "{\"step\":1}\r\n\r\n{\"step\":2}\r\n");
}

static void a_byte_order_mark_costs_no_row(void **state) {
    put(*state, "\xEF\xBB\xBF" ROW(1) ROW(2));
    cut(*state, 1, 2, "1 line that does not fit");
    expect(*state, "train.jsonl", ROW(1) ROW(2));
    expect(*state, "train.jsonl.bad", "\xEF\xBB\xBF\n");
}

static void rows_out_of_order_are_sorted(void **state) {
    put(*state, ROW(1) ROW(3) ROW(2) ROW(4));
    cut(*state, 1, 4, "out of order and are now sorted by step");
    expect(*state, "train.jsonl", ROW(1) ROW(2) ROW(3) ROW(4));
    assert_false(is_there(*state, "train.jsonl.bad"));
}

static void of_rows_that_come_twice_the_later_counts(void **state) {
    put(*state, ROW(1) ROW(2) ROW(3) "{\"step\":2,\"x\":1}\n{\"step\":3,\"x\":1}\n");
    cut(*state, 1, 3, "2 lines that do not fit");
    expect(*state, "train.jsonl", ROW(1) "{\"step\":2,\"x\":1}\n{\"step\":3,\"x\":1}\n");
    expect(*state, "train.jsonl.bad", ROW(2) ROW(3));
}

static void rows_of_one_step_that_say_different_things_stay(void **state) {
    static const char text[] =
        "{\"step\":2,\"split\":\"val\"}\n{\"step\":2,\"split\":\"test\"}\n"
        "{\"step\":3,\"attention\":[]}\n{\"step\":3,\"sharpness\":{}}\n";
    put(*state, text);
    cut(*state, 0, 3, "");
    expect(*state, "train.jsonl", text);
}

static void events_stay_where_they_are(void **state) {
    static const char text[] = ROW(1) ROW(
        2) "{\"step\":5,\"event\":\"rollback\"}\n{\"event\":\"skip\",\"step\":2}\n" ROW(3)
        ROW(4) ROW(5);
    put(*state, text);
    cut(*state, 1, 5, "");
    expect(*state, "train.jsonl", text);
}

static void sharpness_comes_later_and_replaces_nothing(void **state) {
    static const char text[] =
        ROW(1) ROW(2) "{\"step\":3,\"attention\":[],\"weights\":[]}\n" ROW(
            4) "{\"step\":2,\"sharpness\":{\"raw\":[1]}}\n"
               "{\"step\":3,\"sharpness\":null}\n";
    put(*state, text);
    cut(*state, 1, 4, "");
    expect(*state, "train.jsonl", text);
    cut(*state, 1, 2, "");
    expect(*state, "train.jsonl",
           ROW(1) ROW(2) "{\"step\":2,\"sharpness\":{\"raw\":[1]}}\n");
}

static void a_run_of_no_checkpoint_leaves_no_snapshot(void **state) {
    char path[PATH_SIZE];
    files_folder(*state, "sharpness");
    files_write(*state, "sharpness/step-00000006.safetensors", "x", 1);
    files_write(*state, "sharpness/step-00000006.json", "x", 1);
    rundir_remove_unbegun(*state);
    rundir_path(path, *state, "sharpness");
    assert_int_equal(access(path, F_OK), -1);
}

static void a_log_longer_than_what_is_read(void **state) {
    /* no power of two: what is read begins within a row */
    enum { ROWS = 70000, WIDTH = 1021 };
    char *text = mem_alloc((size_t)ROWS * WIDTH + 1), *at = text;
    memset(text, '0', (size_t)ROWS * WIDTH);
    for (int i = 1; i <= ROWS; i++, at += WIDTH) {
        char head[40];
        snprintf(head, sizeof head, "{\"step\":%d,\"x\":\"", i);
        memcpy(at, head, strlen(head));
        memcpy(at + WIDTH - 3, "\"}\n", 3);
    }
    files_write(*state, "train.jsonl", text, (size_t)ROWS * WIDTH);
    bytes_read = 0;
    cut(*state, 1, ROWS - 5, "");
    assert_in_range(bytes_read, 1, 65 << 20);
    expect_file(*state, "train.jsonl", text, (size_t)(ROWS - 5) * WIDTH);

    files_write(*state, "train.jsonl", text, (size_t)ROWS * WIDTH);
    /* the checkpoint is further back than what is read at first */
    cut(*state, 1, 1000, "");
    expect_file(*state, "train.jsonl", text, (size_t)1000 * WIDTH);

    text[(size_t)(ROWS - 20) * WIDTH] = 'x'; /* row ROWS - 19 */
    files_write(*state, "train.jsonl", text, (size_t)ROWS * WIDTH);
    cut(*state, 1, ROWS, "1 line that does not fit");
    memmove(text + (size_t)(ROWS - 20) * WIDTH, text + (size_t)(ROWS - 19) * WIDTH,
            19 * WIDTH);
    expect_file(*state, "train.jsonl", text, (size_t)(ROWS - 1) * WIDTH);
    mem_free(text);
}

static void a_read_error_changes_nothing(void **state) {
    put(*state, ROW(1) "bad\n" ROW(2) ROW(3));
    bad_disk = 1;
    refuse(*state, FAIL_RUN, "train.jsonl: cannot be read: Input/output error");
    bad_disk = 0;
    expect(*state, "train.jsonl", ROW(1) "bad\n" ROW(2) ROW(3));
    assert_false(is_there(*state, "train.jsonl.bad"));
}

static void a_sync_that_fails_is_a_failure(void **state) {
    Log log;
    Err err = ERR_NONE;
    assert_int_equal(log_open(&log, *state, "train.jsonl", 1, 0, &err), OK);
    bad_disk = 1;
    assert_int_equal(log_sync(&log, &err), FAIL_RUN);
    bad_disk = 0;
    assert_non_null(strstr(err.text, "train.jsonl: cannot be written: Input/output"));
    log_close(&log);
}

static void a_full_disk_changes_nothing(void **state) {
    put(*state, ROW(1) "bad\n" ROW(2) ROW(3));
    struct rlimit before, small = {10, 10};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    refuse(*state, FAIL_RUN, "cannot be written: File too large; it is unchanged");
    setrlimit(RLIMIT_FSIZE, &before);
    expect(*state, "train.jsonl", ROW(1) "bad\n" ROW(2) ROW(3));
    assert_false(is_there(*state, "train.jsonl.bad"));
    assert_false(is_there(*state, "train.jsonl.new"));
}

static void only_a_regular_file_is_a_log(void **state) {
    char path[PATH_SIZE], other[PATH_SIZE];
    rundir_path(path, *state, "train.jsonl");
    rundir_path(other, *state, "other");
    assert_int_equal(mkfifo(path, 0600), 0);
    refuse(*state, FAIL_DATA, "is not a regular file");
    unlink(path);
    files_write(*state, "other", ROW(1) ROW(2) ROW(3), 3 * strlen(ROW(1)));
    assert_int_equal(symlink(other, path), 0);
    refuse(*state, FAIL_DATA, "symbolic link");
    expect(*state, "other", ROW(1) ROW(2) ROW(3));
    unlink(path);
    unlink(other);
    files_folder(*state, "train.jsonl");
    refuse(*state, FAIL_DATA, "is not a regular file");
}

static void the_new_file_has_the_rights_of_the_old_one(void **state) {
    put(*state, "bad\n" ROW(1));
    char path[PATH_SIZE];
    struct stat info;
    rundir_path(path, *state, "train.jsonl");
    assert_int_equal(chmod(path, 0640), 0);
    cut(*state, 1, 1, "moved to");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void open_further(const char *dir, size_t step) {
    Log log;
    Err err = ERR_NONE;
    assert_int_equal(log_open_further(&log, dir, "train.jsonl", 4, step, &err), OK);
    assert_string_equal(log.note, "");
    log_close(&log);
}

#define END(step) "{\"step\":" #step ",\"end\":true,\"weights\":[]}\n"
#define LATE(step) "{\"step\":" #step ",\"sharpness\":{}}\n"

static void the_row_of_an_end_goes_where_the_run_goes_on_and_no_other(void **state) {
    put(*state, ROW(1) END(2) LATE(2));
    cut(*state, 1, 2, "");
    expect(*state, "train.jsonl", ROW(1) END(2) LATE(2)); /* it ends there again */
    open_further(*state, 2);
    expect(*state, "train.jsonl", ROW(1) LATE(2));
    put(*state, ROW(1) END(2) ROW(3));
    open_further(*state, 3); /* one that nobody dropped in time is a row as any other */
    expect(*state, "train.jsonl", ROW(1) END(2) ROW(3));
    put(*state, ROW(1) ROW(2));
    open_further(*state, 2);
    expect(*state, "train.jsonl", ROW(1) ROW(2));
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(rows_behind_the_checkpoint_are_cut_and_no_other),
        FOLDER_TEST(a_missing_log_is_made),
        FOLDER_TEST(rows_are_appended_behind_what_stays),
        FOLDER_TEST(a_bad_line_is_kept_apart_and_the_rows_behind_it_stay),
        FOLDER_TEST(what_is_said_names_the_line_and_the_steps),
        FOLDER_TEST(a_spacing_that_was_changed_is_no_gap),
        FOLDER_TEST(a_last_line_that_was_cut_short),
        FOLDER_TEST(zeros_of_a_power_cut_hide_no_row),
        FOLDER_TEST(line_ends_of_another_system_stay),
        FOLDER_TEST(a_byte_order_mark_costs_no_row),
        FOLDER_TEST(rows_out_of_order_are_sorted),
        FOLDER_TEST(of_rows_that_come_twice_the_later_counts),
        FOLDER_TEST(rows_of_one_step_that_say_different_things_stay),
        FOLDER_TEST(events_stay_where_they_are),
        FOLDER_TEST(sharpness_comes_later_and_replaces_nothing),
        FOLDER_TEST(the_row_of_an_end_goes_where_the_run_goes_on_and_no_other),
        FOLDER_TEST(a_run_of_no_checkpoint_leaves_no_snapshot),
        FOLDER_TEST(a_log_longer_than_what_is_read),
        FOLDER_TEST(a_read_error_changes_nothing),
        FOLDER_TEST(a_sync_that_fails_is_a_failure),
        FOLDER_TEST(a_full_disk_changes_nothing),
        FOLDER_TEST(only_a_regular_file_is_a_log),
        FOLDER_TEST(the_new_file_has_the_rights_of_the_old_one),
    };
    return cmocka_run_group_tests_name("log", cases, NULL, NULL);
}
