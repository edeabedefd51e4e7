/* Ended runs whose logs are not whole (tools/sweep/whole.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "sweep_words.h"
#include "tools/program/version.h"
#include "tools/sweep/sweep.h"

enum { ROWS = 20 };

#define CELL "cells/optim.lr=1/"
#define DATA                                                                             \
    "{\"splits\":{\"train\":{\"count\":60,\"hash\":null},\"test\":{\"count\":9,"         \
    "\"hash\":null}}}"

static void put(void **state, const char *name, const char *text) {
    char path[200];
    text_format(path, sizeof path, CELL "%s", name);
    files_write(*state, path, text, strlen(text));
}

/* Rows of the steps from ... to: losses 2.0, 1.9, ... */
static void put_train(void **state, int from, int to) {
    char text[4000] = "", line[100];
    for (int i = from; i <= to; i++) {
        text_format(line, sizeof line, "{\"step\":%d,\"loss\":%.1f}\n", i, 2.1 - 0.1 * i);
        strcat(text, line);
    }
    put(state, "train.jsonl", text);
}

static void put_probe(void **state, int step, double entropy) {
    char text[200];
    text_format(
        text, sizeof text,
        "{\"step\":%d,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":[%g],"
        "\"max_logit\":3,\"keys\":17}]}\n",
        step, entropy);
    put(state, "probe.jsonl", text);
}

static void put_eval(void **state, int step, double score) {
    char text[200];
    text_format(text, sizeof text,
                "{\"step\":%d,\"split\":\"test\",\"loss\":0.5,\"top1\":%g,"
                "\"grade\":\"learned\"}\n",
                step, score);
    put(state, "eval.jsonl", text);
}

static void put_session(void **state, const char *version, const char *rest) {
    char text[400];
    text_format(text, sizeof text, "{\"sessions\":[{\"version\":\"%s\",%s}]}", version,
                rest);
    put(state, "run.json", text);
}

#define ENDED "\"steps\":20,\"step\":20,\"seconds\":3,\"exit\":0"

/* The mean of the last four: 0.25. */
static void put_run(void **state) {
    put(state, "recipe.ini",
        "[probe]\nevery = 10\n[train]\nlog_every = 1\n[optim]\nlr = 1\n");
    put(state, "task.json", "{\"kind\":\"classify\",\"classes\":10}");
    put(state, "data.json", DATA);
    put_train(state, 1, ROWS);
    put_probe(state, ROWS, 2.5);
    put_eval(state, ROWS, 0.8);
    put_session(state, STEADY_VERSION, ENDED ",\"verdict\":\"learned\",\"loss\":0.25");
}

static Status read(void **state, int exit, Sweep *sweep, Err *err) {
    *err = ERR_NONE;
    OPEN(sweep, "demo", "optim.lr=1,2");
    text_format(sweep->dir, sizeof sweep->dir, "%s", (const char *)*state);
    sweep->cells[0].exit = exit;
    return sweep_read_result(sweep, 0, err);
}

static void reads(void **state, int exit, bool diverged) {
    Sweep sweep;
    Err err;
    if (read(state, exit, &sweep, &err)) fail_msg("%s", err.text);
    assert_int_equal(sweep.cells[0].result.diverged, diverged);
    sweep_close(&sweep);
}

static void refuses(void **state, const char *part) {
    Sweep sweep;
    Err err;
    assert_int_equal(read(state, OK, &sweep, &err), FAIL_DATA);
    if (!strstr(err.text, part)) fail_msg("`%s` lacks `%s`", err.text, part);
    sweep_close(&sweep);
}

static void a_log_that_lost_rows_is_refused_by_name(void **state) {
    put_run(state);
    reads(state, OK, false);
    put_train(state, 1, 8);
    refuses(state,
            "train.jsonl: ends at step 8; run.json says that the run took 20 steps");
    put_train(state, 3, ROWS);
    refuses(state,
            "train.jsonl: the mean loss of the last fifth of its rows is 0.2; run.json");
    put(state, "train.jsonl", "");
    refuses(state, "train.jsonl: has no rows");
    files_remove(*state, CELL "train.jsonl");
    refuses(state, "train.jsonl: has no rows");
    put_run(state);
    put_eval(state, 10, 0.7);
    refuses(state, "eval.jsonl: ends at step 10");
    files_remove(*state, CELL "eval.jsonl");
    refuses(state, "eval.jsonl: has no rows");
    put_run(state);
    put_probe(state, 10, 2.5);
    refuses(state, "probe.jsonl: ends at step 10");
    put_probe(state, 11, 2.5); /* nine steps later there need not be another */
    reads(state, OK, false);
}

static void facts_that_are_gone_or_damaged_are_missed(void **state) {
    static const char *const NAMES[] = {"task.json", "data.json"};
    char path[80];
    for (size_t i = 0; i < COUNT(NAMES); i++)
        for (size_t old = 0; old < 2; old++) {
            put_run(state);
            text_format(path, sizeof path, CELL "%s", NAMES[i]);
            files_remove(*state, path);
            if (old) { /* its program may have written none */
                reads(state, OK, false);
                continue;
            }
            put_session(state, STEADY_VERSION, "\"real\":\"float\"," ENDED);
            refuses(state, NAMES[i]);
            refuses(state, "the run cannot be judged without it: restore it, or remove");
            put(state, NAMES[i], "");
            refuses(state, NAMES[i]);
        }
}

static void another_verdict_of_the_same_version_is_refused(void **state) {
    put_run(state);
    put_session(state, STEADY_VERSION, ENDED ",\"verdict\":\"collapsed\",\"loss\":0.25");
    refuses(state,
            "probe.jsonl: by its rows the run is `learned`; run.json has `collapsed`");
    put_session(state, STEADY_VERSION, ENDED ",\"verdict\":\"no progress\"");
    refuses(state, "train.jsonl: by its rows the run is `learned`");
    put_session(state, "0.0.1", ENDED ",\"verdict\":\"no progress\"");
    reads(state, OK, false);
    put_session(state, STEADY_VERSION, ENDED ",\"verdict\":\"of another program\"");
    reads(state, OK, false);
    if (!*version_commit()) skip(); /* not built in a git clone */
    put_session(state, STEADY_VERSION,
                ENDED ",\"commit\":\"0000000\",\"verdict\":\"no progress\"");
    reads(state, OK, false);
}

static void what_a_run_never_wrote_is_not_missed(void **state) {
    put_run(state);
    put(state, "recipe.ini", "[probe]\nevery = 0\n[train]\nlog_every = 7\n");
    put(state, "data.json", "{\"splits\":{\"train\":{\"count\":60,\"hash\":null}}}");
    put(state, "train.jsonl", "{\"step\":7,\"loss\":0.3}\n{\"step\":14,\"loss\":0.25}\n");
    files_remove(*state, CELL "eval.jsonl");
    files_remove(*state, CELL "probe.jsonl");
    reads(state, OK, false);
    put_run(state); /* stopped, and says nothing of its verdict */
    put_train(state, 1, 12);
    files_remove(*state, CELL "eval.jsonl");
    put_session(state, STEADY_VERSION, "\"steps\":20,\"step\":12,\"exit\":5");
    reads(state, FAIL_COLLAPSED, true);
    put_session(state, STEADY_VERSION, "\"steps\":20,\"exit\":null"); /* it runs */
    reads(state, OK, false);
    files_remove(*state, CELL "run.json"); /* older than it */
    reads(state, OK, false);
}

/* recipe.ini has the keys as they were at the start. */
static void what_an_intervention_stopped_being_written_is_not_missed(void **state) {
    static const char RECIPE[] = "[probe]\nevery = 2\n[train]\nlog_every = 1\n"
                                 "[intervene]\nat = 4\n";
    char text[200];
    put_run(state);
    text_format(text, sizeof text, "%strain.log_every = 7\n", RECIPE);
    put(state, "recipe.ini", text);
    put(state, "train.jsonl", "{\"step\":7,\"loss\":0.3}\n{\"step\":14,\"loss\":0.25}\n");
    reads(state, OK, false);
    put(state, "train.jsonl", "{\"step\":7,\"loss\":0.25}\n");
    refuses(state, "train.jsonl: ends at step 7");
    put_run(state);
    text_format(text, sizeof text, "%sprobe.every = 0\n", RECIPE);
    put(state, "recipe.ini", text);
    put_probe(state, 4, 2.5);
    reads(state, OK, false);
    text_format(text, sizeof text, "%sprobe.every = 8\n", RECIPE);
    put(state, "recipe.ini", text);
    refuses(state, "probe.jsonl: ends at step 4");
    put_probe(state, 16, 2.5);
    reads(state, OK, false);
}

/* Exit 4 without an event of the log: of an older version a number was not finite. */
static void how_a_run_diverged_is_what_its_process_said(void **state) {
    Sweep sweep;
    Err err;
    put_run(state);
    put_session(state, "0.0.1", ENDED ",\"verdict\":\"no progress\"");
    assert_int_equal(read(state, FAIL_DIVERGED, &sweep, &err), OK);
    assert_string_equal(sweep.cells[0].result.verdict, "no progress");
    assert_true(sweep.cells[0].result.diverged && !sweep.cells[0].result.nonfinite);
    sweep_close(&sweep);
    files_remove(*state, CELL "run.json");
    assert_int_equal(read(state, FAIL_DIVERGED, &sweep, &err), OK);
    assert_true(sweep.cells[0].result.nonfinite);
    sweep_close(&sweep);
}

/* As sweep.json has it after the run; the folder holds no run.json. */
static void look(void **state, const char *part) {
    Sweep sweep;
    Err err = ERR_NONE;
    OPEN(&sweep, "demo", "optim.lr=1,2");
    Status status = sweep_look(&sweep, *state, &err);
    assert_int_equal(status, part ? FAIL_DATA : OK);
    if (part && !strstr(err.text, part)) fail_msg("`%s` lacks `%s`", err.text, part);
    sweep_close(&sweep);
}

static const char STATE[] =
    "{\"words\":[\"demo\",\"optim.lr=1,2\"],\"cells\":[{\"name\":\"optim.lr=1\","
    "\"exit\":0,\"split\":\"test\",\"metric\":\"top1\",\"score\":0.8,\"loss\":0.25,"
    "\"val_loss\":null,\"entropy\":{\"share\":0.88239}},"
    "{\"name\":\"optim.lr=2\",\"exit\":null}]}";

static void what_sweep_json_had_must_not_be_gone(void **state) {
    put_run(state);
    files_remove(*state, CELL "run.json");
    files_remove(*state, CELL "data.json");
    files_write(*state, "sweep.json", STATE, sizeof STATE - 1);
    look(state, NULL);
    put_eval(state, 10, 0.7);
    look(state, "eval.jsonl: score: sweep.json has 0.8, the log 0.7");
    files_remove(*state, CELL "eval.jsonl");
    look(state, "eval.jsonl: score: sweep.json has 0.8, the log none");
    put_run(state);
    files_remove(*state, CELL "run.json");
    put_probe(state, ROWS, 2.6);
    look(state, "probe.jsonl: lowest site entropy: sweep.json has 0.88239");
    put_probe(state, ROWS, 2.0); /* as a later version may define it */
    look(state, NULL);
    put_train(state, 1, 16); /* trained again: all may differ */
    put_eval(state, ROWS, 0.1);
    put_probe(state, ROWS, 2.6);
    look(state, NULL);
    put(state, "train.jsonl", ""); /* or is gone */
    look(state, "train.jsonl: loss: sweep.json has 0.25, the log none");
}

/* A log that is continued loses its score of the end, until there is another. */
static void a_run_that_is_extended_by_hand_lost_nothing(void **state) {
    static const char *const SESSIONS[] = {
        "\"steps\":90,\"step\":null,\"exit\":null", /* it runs, or was killed */
        "\"steps\":90,\"step\":30,\"exit\":75", "\"steps\":90,\"step\":20,\"exit\":75",
        "\"steps\":90,\"step\":30,\"exit\":1"};
    put_run(state);
    files_write(*state, "sweep.json", STATE, sizeof STATE - 1);
    put_train(state, 1, ROWS);
    files_remove(*state, CELL "eval.jsonl");
    for (size_t i = 0; i < COUNT(SESSIONS); i++) {
        if (strstr(SESSIONS[i], "30")) put_train(state, 11, 30);
        put_session(state, STEADY_VERSION, SESSIONS[i]);
        look(state, NULL);
    }
    put_train(state, 1, ROWS); /* here it was not */
    put_session(state, "0.0.1", "\"steps\":20,\"step\":19,\"exit\":5");
    look(state, "eval.jsonl: score: sweep.json has 0.8, the log none");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(a_log_that_lost_rows_is_refused_by_name),
        FOLDER_TEST(facts_that_are_gone_or_damaged_are_missed),
        FOLDER_TEST(another_verdict_of_the_same_version_is_refused),
        FOLDER_TEST(what_a_run_never_wrote_is_not_missed),
        FOLDER_TEST(what_an_intervention_stopped_being_written_is_not_missed),
        FOLDER_TEST(how_a_run_diverged_is_what_its_process_said),
        FOLDER_TEST(what_sweep_json_had_must_not_be_gone),
        FOLDER_TEST(a_run_that_is_extended_by_hand_lost_nothing),
    };
    return cmocka_run_group_tests_name("sweep_whole", cases, NULL, NULL);
}
