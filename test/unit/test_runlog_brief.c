/* Long logs in little time: what is read of them, and what it is worth. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/file/textbuffer.h"
#include "files.h"
#include "tools/run/runlog.h"

enum { LONG = 40000, SHORT = 500 };

/* Falls evenly from 2.3 to 0.5. */
static double loss_at(size_t step, size_t steps) {
    return 2.3 - 1.8 * (double)step / (double)steps;
}

static void put(void **state, const char *name, const TextBuffer *text) {
    files_write(*state, name, text->text, text->length);
}

static void put_train(void **state, size_t steps, const char *end) {
    TextBuffer text = {0};
    for (size_t i = 1; i <= steps; i++)
        text_append_format(&text, "{\"step\":%zu,\"loss\":%.6f,\"lr\":0.1}\n", i,
                           loss_at(i, steps));
    text_append(&text, end, strlen(end));
    put(state, "train.jsonl", &text);
    text_free(&text);
}

static void put_probes(void **state, size_t rows) {
    TextBuffer text = {0};
    for (size_t i = 1; i <= rows; i++)
        text_append_format(
            &text,
            "{\"step\":%zu,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":[%g],"
            "\"max_logit\":1,\"keys\":17}]}\n",
            i, i > rows / 2 && i < rows / 2 + rows / 10 ? 0.1 : 2.0);
    put(state, "probe.jsonl", &text);
    text_free(&text);
}

static void put_text(void **state, const char *name, const char *text) {
    files_write(*state, name, text, strlen(text));
}

static RunLog *open_brief(void **state) {
    Err err = ERR_NONE;
    RunLog *run = runlog_open_brief(*state, &err);
    if (!run) fail_msg("%s", err.text);
    return run;
}

static void a_long_log_is_judged_by_rows_from_all_of_it(void **state) {
    put_train(state, LONG, "");
    put_probes(state, LONG / 2);
    RunLog *run = open_brief(state);
    const TrainLog *train = &run->train;
    assert_true(run->sampled);
    assert_in_range(train->count, 500, 1300);
    assert_true(train->step[0] == 1 && train->step[train->count - 1] == LONG);
    for (size_t i = 1; i < train->count; i++)
        assert_true(train->step[i] > train->step[i - 1]);
    assert_in_range(run->probe.count, 500, 1300);
    assert_int_equal(run->bad_rows, 0);
    Verdict verdict = runlog_verdict(run, false);
    assert_true(fabs(verdict.tail - 0.68) < 0.02); /* mean of the last fifth */
    assert_true(verdict.collapsed);                /* in a tenth of the probes */
    runlog_free(run);
}

static void a_run_with_a_verdict_needs_heads_and_tails_alone(void **state) {
    put_train(state, LONG,
              "{\"step\":40001,\"event\":\"non-finite\",\"text\":\"loss\"}\n");
    put_probes(state, 10);
    put_text(state, "run.json",
             "{\"sessions\":[{\"steps\":40000,\"step\":40000,\"seconds\":1,\"exit\":0,"
             "\"verdict\":\"collapsed\",\"loss\":0.68}]}");
    RunLog *run = open_brief(state);
    const Session *judged = sessions_judged(&run->sessions);
    assert_true(!run->sampled && judged);
    assert_string_equal(judged->verdict, "collapsed");
    assert_true(judged->loss == 0.68);
    assert_in_range(run->train.count, 10, 200);
    assert_true(run->train.step[0] == 1);
    assert_true(run->train.step[run->train.count - 1] == LONG);
    assert_int_equal(run->event_count, 1);
    assert_int_equal(run->probe.count, 0);
    runlog_free(run);
    /* one that trains again has none yet */
    put_text(state, "run.json",
             "{\"sessions\":[{\"exit\":0,\"verdict\":\"learned\",\"loss\":1},"
             "{\"exit\":null,\"verdict\":null}]}");
    run = open_brief(state);
    assert_true(run->sampled && !sessions_judged(&run->sessions));
    runlog_free(run);
}

static void a_short_log_is_read_whole(void **state) {
    put_train(state, SHORT, "{\"step\":501,\"lo");
    RunLog *run = open_brief(state);
    assert_int_equal(run->train.count, SHORT);
    assert_true(!run->sampled && !run->bad_rows);
    runlog_free(run);
}

static void a_row_that_is_being_written_is_left_out_of_a_long_log(void **state) {
    put_train(state, LONG, "{\"step\":40001,\"lo");
    RunLog *run = open_brief(state);
    assert_true(run->train.step[run->train.count - 1] == LONG);
    assert_int_equal(run->bad_rows, 0);
    runlog_free(run);
}

static void
rows_of_a_megabyte_and_logs_without_rows_are_read_as_far_as_they_are(void **state) {
    TextBuffer text = {0};
    for (size_t i = 1; i <= 3; i++) {
        text_append_format(&text, "{\"step\":%zu,\"loss\":1,\"long\":\"", i);
        for (size_t k = 0; k < 1500000; k++) text_append_byte(&text, 'x');
        text_append_format(&text, "\"}\n");
    }
    put(state, "train.jsonl", &text);
    RunLog *run = open_brief(state);
    assert_true(run->train.count >= 2 && run->train.step[0] == 1);
    assert_true(run->train.step[run->train.count - 1] == 3);
    runlog_free(run);
    for (int kind = 0; kind < 3; kind++) {
        for (size_t k = 0; k < text.length; k++)
            text.text[k] = kind == 0 ? 'x' : kind == 1 ? '\n' : 0;
        put(state, "train.jsonl", &text);
        run = open_brief(state);
        assert_int_equal(run->train.count, 0);
        runlog_free(run);
    }
    text_free(&text);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(a_long_log_is_judged_by_rows_from_all_of_it),
        FOLDER_TEST(a_run_with_a_verdict_needs_heads_and_tails_alone),
        FOLDER_TEST(a_short_log_is_read_whole),
        FOLDER_TEST(a_row_that_is_being_written_is_left_out_of_a_long_log),
        FOLDER_TEST(rows_of_a_megabyte_and_logs_without_rows_are_read_as_far_as_they_are),
    };
    return cmocka_run_group_tests_name("runlog_brief", cases, NULL, NULL);
}
