/* Following logs: which lines are taken, and when a log is read anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"
#include "tools/watch/rows.h"

typedef struct Taken {
    size_t count, forgotten;
    char last[200];
    double step[5000];
} Taken;

static bool take(void *context, const char *line, size_t length, size_t at) {
    Taken *t = context;
    (void)at;
    json_t *row = rows_parse(line, length);
    t->step[t->count++ % 5000] = json_number_value(json_object_get(row, "step"));
    snprintf(t->last, sizeof t->last, "%.*s", (int)MIN(length, sizeof t->last - 1), line);
    json_decref(row);
    return row;
}

static void forget(void *context) {
    Taken *t = context;
    t->forgotten++;
    t->count = 0;
}

static void rows_are_taken_once_and_a_half_line_when_it_is_whole(void **state) {
    Taken t = {0};
    RowTaker taker = {&t, forget, take, 0, 0, 0, 0};
    RowFile file = rows_file(*state, "train.jsonl");
    assert_false(rows_poll(&file, &taker));
    files_write_text(*state, "train.jsonl", "{\"step\":1}\n{\"step\":2}\n{\"st");
    assert_true(rows_poll(&file, &taker));
    assert_int_equal(t.count, 2);
    assert_false(rows_poll(&file, &taker));
    files_append_text(*state, "train.jsonl", "ep\":3}\n{\"step\":4}");
    assert_true(rows_poll(&file, &taker));
    assert_int_equal(t.count, 4); /* the last is whole, though its line is open */
    files_append_text(*state, "train.jsonl", "\n{\"step\":5}\n");
    rows_poll(&file, &taker);
    assert_int_equal(t.count, 5);
    assert_int_equal(t.forgotten, 0);
}

static void a_log_that_was_cut_back_or_replaced_is_read_anew(void **state) {
    Taken t = {0};
    RowTaker taker = {&t, forget, take, 0, 0, 0, 0};
    RowFile file = rows_file(*state, "train.jsonl");
    files_write_text(*state, "train.jsonl", "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n");
    rows_poll(&file, &taker);
    files_cut(*state, "train.jsonl", 11);
    assert_true(rows_poll(&file, &taker));
    assert_int_equal(t.forgotten, 1);
    assert_int_equal(t.count, 1);
    /* cut and longer than before between two looks */
    files_cut(*state, "train.jsonl", 0);
    files_append_text(*state, "train.jsonl",
                      "{\"step\":7}\n{\"step\":8}\n{\"step\":9}\n");
    rows_poll(&file, &taker);
    assert_int_equal(t.forgotten, 2);
    assert_int_equal(t.count, 3);
    files_remove(*state, "train.jsonl");
    assert_true(rows_poll(&file, &taker));
    assert_false(file.there);
    assert_int_equal(t.forgotten, 3);
}

static void a_log_with_lines_that_are_no_rows_is_bad(void **state) {
    Taken t = {0};
    RowTaker taker = {&t, forget, take, 0, 0, 0, 0};
    RowFile file = rows_file(*state, "train.jsonl");
    files_write_text(*state, "train.jsonl", "{\"step\":1}\n\n{\"st");
    rows_poll(&file, &taker);
    assert_false(file.bad); /* an empty line, and one that is being written */
    files_append_text(*state, "train.jsonl", "\n{\"step\":2}\n");
    rows_poll(&file, &taker);
    assert_true(file.bad);
    assert_int_equal(t.count, 3);
    files_write_text(*state, "train.jsonl", "{\"step\":1}\n");
    rows_poll(&file, &taker);
    assert_false(file.bad);
    files_remove(*state, "train.jsonl");
    char path[PATH_SIZE];
    rundir_path(path, *state, "train.jsonl");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(rows_poll(&file, &taker));
    assert_true(file.bad);
    assert_false(rows_poll(&file, &taker));
    assert_int_equal(rmdir(path), 0);
    assert_true(rows_poll(&file, &taker));
    assert_false(file.bad);
}

static void a_long_log_is_sampled_evenly_and_its_end_read_whole(void **state) {
    enum { ROWS = 100000 };
    char path[PATH_SIZE];
    rundir_path(path, *state, "train.jsonl");
    FILE *file = fopen(path, "w");
    for (int i = 1; i <= ROWS; i++)
        fprintf(file,
                i == 50001 ? "{\"step\":50001,\"event\":\"skip\",\"text\":\"x\"}\n"
                           : "{\"step\":%d,\"loss\":1.25}\n",
                i);
    fclose(file);
    Taken t = {0};
    RowTaker taker = {&t, forget, take, 100, 100000, 5000, 0};
    RowFile log = rows_file(*state, "train.jsonl");
    rows_poll(&log, &taker);
    assert_true(t.count > 250 && t.count < 500);
    for (size_t i = 1; i < t.count; i++) assert_true(t.step[i] > t.step[i - 1]);
    assert_false(log.bad);
    assert_true(t.step[50] > 0.4 * ROWS && t.step[50] < 0.6 * ROWS);
    assert_true(t.step[t.count - 1] == ROWS);
    size_t before = t.count;
    while (rows_backfill(&log, &taker, 100000)) continue;
    assert_int_equal(t.count, before + 1);
    assert_string_equal(t.last, "{\"step\":50001,\"event\":\"skip\",\"text\":\"x\"}");
}

static void numbers_that_are_none_do_not_spoil_a_row(void **state) {
    (void)state;
    static const char ROW[] = "{\"step\":3,\"a\":NaN,\"b\":-Infinity,\"c\":\"NaN\"}";
    json_t *row = rows_parse(ROW, strlen(ROW));
    assert_non_null(row);
    assert_int_equal(json_integer_value(json_object_get(row, "step")), 3);
    assert_false(json_is_number(json_object_get(row, "a")));
    assert_string_equal(json_string_value(json_object_get(row, "c")), "NaN");
    json_decref(row);
    static const char *const BAD[] = {"",           "}",   "[1]",
                                      "{\"step\":", "NaN", "{\"a\":\"NaN}"};
    for (size_t i = 0; i < COUNT(BAD); i++)
        assert_null(rows_parse(BAD[i], strlen(BAD[i])));
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(rows_are_taken_once_and_a_half_line_when_it_is_whole),
        FOLDER_TEST(a_log_that_was_cut_back_or_replaced_is_read_anew),
        FOLDER_TEST(a_log_with_lines_that_are_no_rows_is_bad),
        FOLDER_TEST(a_long_log_is_sampled_evenly_and_its_end_read_whole),
        cmocka_unit_test(numbers_that_are_none_do_not_spoil_a_row),
    };
    return cmocka_run_group_tests_name("watch_rows", cases, NULL, NULL);
}
