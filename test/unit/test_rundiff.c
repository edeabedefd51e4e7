/* Sessions of a run, its state, and two runs compared. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"
#include "tools/program/version.h"
#include "tools/run/rundiff.h"
#include "tools/run/rundir.h"
#include "tools/run/runstate.h"

static void put(void **state, const char *name, const char *text) {
    files_write(*state, name, text, strlen(text));
}

static RunLog *run_in(void **state, const char *name) {
    char path[PATH_SIZE];
    rundir_path(path, *state, "%s", name);
    Err err = ERR_NONE;
    RunLog *run = runlog_open(path, &err);
    if (!run) fail_msg("%s", err.text);
    return run;
}

static RunState state_in(void **state, const char *name) {
    RunLog *run = run_in(state, name);
    RunState found = runstate_of(run);
    runlog_free(run);
    return found;
}

#define ROW(n) "{\"step\":" #n ",\"epoch\":" #n ",\"loss\":1.5,\"lr\":0.1}\n"
#define RECIPE(length) "[task]\nkind = classify\n[train]\n" length "\n"

/* ---- run.json ---- */

static void a_session_is_read_as_it_was_written(void **state) {
    char *words[] = {"train", "demo", "--out", "it's here"};
    SessionStart start = {4, words, 2, 3, 1000, 5, 40, NULL};
    assert_int_equal(session_begin(*state, &start, NULL), OK);
    Sessions s = sessions_load(*state);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.list[0].exit, SESSION_OPEN);
    assert_true(isnan(s.list[0].seconds) && isnan(sessions_seconds(&s)));
    sessions_free(&s);
    SessionEnd end = {
        .step = 40, .seconds = 2.5, .exit = FAIL_DATA, .message = "bad \xff"};
    assert_int_equal(session_end(*state, &end, NULL), OK);
    assert_int_equal(session_begin(*state, &start, NULL), OK);
    s = sessions_load(*state);
    assert_int_equal(s.count, 2);
    const Session *first = &s.list[0];
    assert_string_equal(first->command, "steady train demo --out 'it'\\''s here'");
    assert_string_equal(first->version, STEADY_VERSION);
    assert_string_equal(first->commit ? first->commit : "", version_commit());
    assert_int_equal(strlen(first->started), strlen("2026-01-01T00:00:00Z"));
    assert_int_equal(first->threads, 2);
    assert_int_equal(first->ranks, 3);
    assert_int_equal(first->parameters, 1000);
    assert_int_equal(first->from, 5);
    assert_int_equal(first->steps, 40);
    assert_int_equal(first->step, 40);
    assert_int_equal(first->exit, FAIL_DATA);
    assert_true(first->seconds == 2.5);
    assert_string_equal(first->message, "bad \xc3\xbf");
    assert_int_equal(s.list[1].exit, SESSION_OPEN);
    sessions_free(&s);
}

static void whatever_run_json_holds_a_run_can_be_read(void **state) {
    static const char *const BAD[] = {
        "",
        "{",
        "[]",
        "{\"sessions\":3}",
        "{\"sessions\":[null,3,\"x\",[],{\"seconds\":\"x\",\"exit\":1e300}]}",
        "{\"sessions\":[{\"command\":{},\"started\":3}]}",
        "{\"sessions\":[{\"seconds\":-1,\"exit\":-7,\"steps\":1e300,\"threads\":-2}]}"};
    put(state, "r/train.jsonl", ROW(1));
    for (size_t i = 0; i < COUNT(BAD); i++) {
        put(state, "r/run.json", BAD[i]);
        RunLog *run = run_in(state, "r");
        for (size_t k = 0; k < run->sessions.count; k++) {
            const Session *s = &run->sessions.list[k];
            assert_true(s->exit == SESSION_OPEN && isnan(s->seconds));
            assert_true(!s->steps && !s->threads && !s->command);
        }
        runstate_of(run);
        runlog_free(run);
        char path[PATH_SIZE];
        rundir_path(path, *state, "r");
        assert_int_equal(session_end(path, &(SessionEnd){.step = 1}, NULL), OK);
    }
}

static void old_sessions_make_room_but_the_first_stays(void **state) {
    char *words[] = {"train"};
    TextBuffer text = {0};
    text_append_format(&text, "{\"sessions\":[");
    for (size_t i = 0; i < SESSIONS_KEPT; i++)
        text_append_format(&text, "%s{\"from\":%zu}", i ? "," : "", i + 1);
    text_append_format(&text, "]}");
    put(state, "run.json", text.text);
    text_free(&text);
    assert_int_equal(session_begin(*state, &(SessionStart){1, words, .from = 7}, NULL),
                     OK);
    Sessions s = sessions_load(*state);
    assert_int_equal(s.count, SESSIONS_KEPT);
    assert_int_equal(s.list[0].from, 1);
    assert_int_equal(s.list[1].from, 3);
    assert_int_equal(s.list[s.count - 1].from, 7);
    sessions_free(&s);
}

static void members_of_other_versions_stay(void **state) {
    char *words[] = {"train"};
    size_t size;
    put(state, "run.json", "{\"host\":\"a\",\"sessions\":[{\"from\":1,\"gpu\":\"b\"}]}");
    assert_int_equal(session_begin(*state, &(SessionStart){1, words, .from = 7}, NULL),
                     OK);
    assert_int_equal(session_end(*state, &(SessionEnd){.step = 9}, NULL), OK);
    char *text = (char *)files_read(*state, "run.json", &size);
    assert_non_null(strstr(text, "\"host\": \"a\""));
    assert_non_null(strstr(text, "\"gpu\": \"b\""));
    assert_non_null(strstr(text, "\"step\": 9"));
    mem_free(text);
}

/* ---- states ---- */

static void the_state_follows_from_the_last_session(void **state) {
    static const struct {
        const char *end;
        RunStateKind kind;
    } CASES[] = {{"0", RUNSTATE_FINISHED},      {"75", RUNSTATE_INTERRUPTED},
                 {"3", RUNSTATE_FAILED},        {"4", RUNSTATE_FAILED},
                 {"5", RUNSTATE_FAILED},        {"1", RUNSTATE_FAILED},
                 {"null", RUNSTATE_INTERRUPTED}};
    put(state, "r/train.jsonl", ROW(1) ROW(2));
    put(state, "r/recipe.ini", RECIPE("steps = 9"));
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char text[200];
        text_format(text, sizeof text,
                    "{\"sessions\":[{\"exit\":0},{\"steps\":9,\"exit\":%s,\"message\":"
                    "\"why\"}]}",
                    CASES[i].end);
        put(state, "r/run.json", text);
        RunState s = state_in(state, "r");
        assert_int_equal(s.kind, CASES[i].kind);
        assert_int_equal(s.steps, 9);
        assert_int_equal(s.step, 2);
        assert_string_equal(s.why, s.kind == RUNSTATE_FINISHED ? "" : "why");
    }
}

static void without_sessions_it_follows_from_the_logs(void **state) {
    static const struct {
        const char *recipe, *rows;
        RunStateKind kind;
        size_t steps;
    } CASES[] = {{RECIPE("steps = 2"), ROW(1) ROW(2), RUNSTATE_FINISHED, 2},
                 {RECIPE("steps = 3"), ROW(1) ROW(2), RUNSTATE_INTERRUPTED, 3},
                 {RECIPE("steps = 3\nlog_every = 2"), ROW(2), RUNSTATE_FINISHED, 3},
                 {RECIPE("epochs = 2"), ROW(1) ROW(2), RUNSTATE_FINISHED, 2},
                 {RECIPE("epochs = 4"), ROW(1) ROW(2), RUNSTATE_INTERRUPTED, 4},
                 {RECIPE("steps = 9"),
                  ROW(1) "{\"step\":2,\"event\":\"non-finite\",\"text\":\"x\"}\n",
                  RUNSTATE_FAILED, 9},
                 {RECIPE("steps = 9"),
                  "{\"step\":2,\"event\":\"non-finite\"}\n" ROW(2) ROW(3),
                  RUNSTATE_INTERRUPTED, 9},
                 {RECIPE("steps = 9"), "", RUNSTATE_INTERRUPTED, 9},
                 {NULL, ROW(1) ROW(2), RUNSTATE_UNKNOWN, 0}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        put(state, "r/train.jsonl", CASES[i].rows);
        if (CASES[i].recipe) put(state, "r/recipe.ini", CASES[i].recipe);
        else files_remove(*state, "r/recipe.ini");
        RunState s = state_in(state, "r");
        if (s.kind != CASES[i].kind || s.steps != CASES[i].steps)
            fail_msg("case %zu is %s of %zu steps", i, runstate_names[s.kind], s.steps);
    }
}

static void rows_that_the_log_should_have_are_missed(void **state) {
    static const struct {
        const char *session, *log;
        size_t logged;
        bool unlogged;
        const char *intervene; /* NULL: nothing */
    } CASES[] = {
        {"{\"step\":9,\"exit\":0}", ROW(9), 9, false, NULL},
        {"{\"step\":9,\"exit\":0}", ROW(7), 7, false, NULL}, /* log_every = 3 */
        {"{\"step\":9,\"exit\":0}", ROW(6), 6, true, NULL},
        {"{\"step\":9,\"exit\":0}", "no JSON\n", 0, true, NULL},
        {"{\"step\":8,\"exit\":4}", ROW(5) "{\"step\":9,\"event\":\"non-finite\"}\n", 9,
         false, NULL},
        {"{\"step\":null,\"exit\":null}", ROW(1), 1, false, NULL},
        /* recipe.ini has what the run began with, and what it came to */
        {"{\"step\":9,\"exit\":0}", ROW(5), 5, false, "at2=2\ntrain.log_every2=5"},
        {"{\"step\":9,\"exit\":0}", ROW(4), 4, true, "at2=2\ntrain.log_every2=5"},
        {"{\"step\":9,\"exit\":0}", ROW(5), 5, true, "at=2\nprobe.every=5"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char text[200], recipe[200];
        text_format(recipe, sizeof recipe, "%s[intervene]\n%s\n",
                    RECIPE("steps = 9\nlog_every = 3"),
                    CASES[i].intervene ? CASES[i].intervene : "");
        text_format(text, sizeof text, "{\"sessions\":[%s]}", CASES[i].session);
        put(state, "m/recipe.ini", recipe);
        put(state, "m/run.json", text);
        put(state, "m/train.jsonl", CASES[i].log);
        RunState s = state_in(state, "m");
        if (s.logged != CASES[i].logged || s.unlogged != CASES[i].unlogged)
            fail_msg("case %zu: %zu logged, %d", i, s.logged, s.unlogged);
    }
}

static void who_looks_does_not_keep_a_trainer_out(void **state) {
    char path[PATH_SIZE];
    put(state, "r/train.jsonl", ROW(1));
    put(state, "r/recipe.ini", RECIPE("steps = 9"));
    rundir_path(path, *state, "r");
    int lock;
    assert_false(runstate_in_use(path));
    assert_int_equal(rundir_lock(path, &lock, NULL), OK);
    assert_true(runstate_in_use(path));
    assert_int_equal(state_in(state, "r").kind, RUNSTATE_RUNNING);
    close(lock);
    assert_false(runstate_in_use(path));
    assert_false(runstate_in_use("/nowhere/at/all"));
}

/* ---- differences ---- */

static RunDiff compare_by(void **state, RunDiffOptions options, RunLog *runs[2]) {
    RunDiff diff;
    runs[0] = run_in(state, "a");
    runs[1] = run_in(state, "b");
    rundiff(runs[0], runs[1], &options, &diff);
    return diff;
}

static void done(RunDiff *diff, RunLog *runs[2]) {
    rundiff_free(diff);
    runlog_free(runs[0]);
    runlog_free(runs[1]);
}

static bool equal_by(void **state, unsigned parts, double tolerance) {
    RunLog *runs[2];
    RunDiff diff = compare_by(state, (RunDiffOptions){parts, tolerance}, runs);
    bool equal = diff.equal;
    done(&diff, runs);
    return equal;
}

static bool equal_runs(void **state) { return equal_by(state, RUNDIFF_ALL, 0); }

/* Both runs are the same, but for one file of b. */
static void two(void **state, const char *name, const char *a, const char *b) {
    char path[100];
    for (size_t r = 0; r < 2; r++) {
        const char *own = r ? "b" : "a";
        text_format(path, sizeof path, "%s/train.jsonl", own);
        put(state, path, ROW(1) ROW(2));
        text_format(path, sizeof path, "%s/recipe.ini", own);
        put(state, path, RECIPE("steps = 2"));
        text_format(path, sizeof path, "%s/eval.jsonl", own);
        put(state, path, "{\"step\":2,\"split\":\"val\",\"loss\":1,\"top1\":0.5}\n");
        text_format(path, sizeof path, "%s/probe.jsonl", own);
        put(state, path,
            "{\"step\":1,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":[1,2],"
            "\"max_logit\":3,\"keys\":9}],\"weights\":[{\"name\":\"head\",\"sigma\":2}]}"
            "\n");
        text_format(path, sizeof path, "%s/run.json", own);
        put(state, path, "{\"sessions\":[{\"version\":\"1\",\"seconds\":3}]}");
        text_format(path, sizeof path, "%s/data.json", own);
        put(state, path,
            "{\"notes\":[],\"splits\":{\"train\":{\"count\":9,\"hash\":null,\"notes\":[]}"
            "}}");
        text_format(path, sizeof path, "%s/%s", own, name);
        put(state, path, r ? b : a);
    }
}

static void what_a_clock_measures_is_no_difference(void **state) {
    two(state, "train.jsonl", "{\"step\":1,\"loss\":1,\"items_per_s\":5,\"mfu\":0.5}\n",
        "{\"step\":1,\"loss\":1,\"items_per_s\":9,\"mfu\":null,\"wait\":1}\n");
    assert_true(equal_runs(state));
    two(state, "run.json", "{\"sessions\":[{\"version\":\"1\",\"seconds\":3}]}",
        "{\"sessions\":[{\"version\":\"1\",\"seconds\":8,\"threads\":4}]}");
    assert_true(equal_runs(state));
}

#define PROBE(number)                                                                    \
    "{\"step\":1,\"attention\":[{\"site\":\"s\",\"entropy\":[1]," number "}]}\n"

static void each_part_is_found_to_differ_and_left_out_on_request(void **state) {
    static const struct {
        RunDiffPart part;
        const char *name, *a, *b;
    } CASES[] = {
        {RUNDIFF_RECIPE, "recipe.ini", RECIPE("steps = 2"), RECIPE("steps = 3")},
        {RUNDIFF_VERSION, "run.json", "{\"sessions\":[{\"version\":\"1\"}]}",
         "{\"sessions\":[{\"version\":\"2\"}]}"},
        {RUNDIFF_DATA, "data.json",
         "{\"splits\":{\"train\":{\"count\":9,\"hash\":null,\"notes\":[]}}}",
         "{\"splits\":{\"train\":{\"count\":8,\"hash\":null,\"notes\":[]}}}"},
        {RUNDIFF_DATA, "data.json",
         "{\"splits\":{\"train\":{\"count\":9,\"hash\":null,\"notes\":[]}}}",
         "{\"splits\":{\"train\":{\"count\":9,\"hash\":null,\"notes\":[]},"
         "\"val\":{\"count\":1,"
         "\"hash\":null,\"notes\":[]}}}"},
        {RUNDIFF_TRAIN, "train.jsonl", ROW(1) ROW(2), ROW(1)},
        {RUNDIFF_TRAIN, "train.jsonl", "{\"step\":1,\"loss\":null}\n",
         "{\"step\":1,\"loss\":2}\n"},
        {RUNDIFF_EVENTS, "train.jsonl", ROW(1),
         "{\"step\":1,\"event\":\"skip\",\"text\":\"x\"}\n" ROW(1)},
        {RUNDIFF_EVAL, "eval.jsonl", "{\"step\":2,\"split\":\"val\",\"loss\":1}\n",
         "{\"step\":2,\"split\":\"val\",\"loss\":1.01}\n"},
        {RUNDIFF_EVAL, "eval.jsonl", "{\"step\":2,\"split\":\"val\",\"loss\":1}\n",
         "{\"step\":2,\"split\":\"test\",\"loss\":1}\n"},
        {RUNDIFF_PROBE, "probe.jsonl",
         "{\"step\":1,\"attention\":[{\"site\":\"s\",\"entropy\":[1,2]}]}\n",
         "{\"step\":1,\"attention\":[{\"site\":\"s\",\"entropy\":[1,2.5]}]}\n"},
        {RUNDIFF_PROBE, "probe.jsonl",
         "{\"step\":1,\"weights\":[{\"name\":\"w\",\"sigma\":1}]}\n",
         "{\"step\":1,\"weights\":[{\"name\":\"w\",\"sigma\":2}]}\n"},
        {RUNDIFF_PROBE, "probe.jsonl", PROBE("\"rank\":1"), PROBE("\"rank\":2")},
        {RUNDIFF_PROBE, "probe.jsonl", PROBE("\"pair\":[1]"), PROBE("\"pair\":[2]")},
        {RUNDIFF_PROBE, "probe.jsonl", PROBE("\"rank\":1"), PROBE("\"keys\":1")},
        {RUNDIFF_PROBE, "probe.jsonl",
         "{\"step\":1,\"weights\":[{\"name\":\"w\",\"sigma\":1}]}\n",
         "{\"step\":1,\"weights\":[{\"name\":\"w\",\"sigma\":1},{\"name\":\"v\","
         "\"sigma\":1}]}\n"},
        {RUNDIFF_PROBE, "probe.jsonl",
         "{\"step\":1,\"attention\":[]}\n{\"step\":1,\"sharpness\":{\"raw\":[1]}}"
         "\n",
         "{\"step\":1,\"attention\":[]}\n{\"step\":1,\"sharpness\":{\"raw\":[2]}}"
         "\n"}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        two(state, CASES[i].name, CASES[i].a, CASES[i].b);
        if (equal_runs(state)) fail_msg("case %zu is equal", i);
        if (equal_by(state, 1u << CASES[i].part, 0)) fail_msg("case %zu: not there", i);
        if (!equal_by(state, RUNDIFF_ALL & ~(1u << CASES[i].part), 0))
            fail_msg("case %zu: elsewhere, too", i);
    }
}

static void a_key_that_one_recipe_leaves_out_has_its_default(void **state) {
    two(state, "recipe.ini", RECIPE("steps = 2"), RECIPE("steps = 2\naccumulate = 1"));
    assert_true(equal_runs(state));
    two(state, "recipe.ini", RECIPE("steps = 2"), RECIPE("steps = 2\naccumulate = 2"));
    assert_false(equal_runs(state));
}

static void the_first_row_that_differs_is_told_with_how_much(void **state) {
    RunLog *runs[2];
    two(state, "train.jsonl",
        ROW(1) "{\"step\":3,\"loss\":2}\n{\"step\":5,\"loss\":8}\n{\"step\":7,\"loss\":1}"
               "\n",
        ROW(1) "{\"step\":2,\"loss\":2}\n{\"step\":3,\"loss\":2.5}\n{\"step\":5,\"loss\":"
               "4}\n");
    RunDiff diff = compare_by(state, (RunDiffOptions){1u << RUNDIFF_TRAIN, 0}, runs);
    const LogDiff *log = &diff.log[RUNDIFF_TRAIN];
    assert_int_equal(log->compared, 3);
    assert_int_equal(log->alone[0], 1);
    assert_int_equal(log->alone[1], 1);
    assert_true(log->first == 3 && log->first_alone == 2);
    assert_int_equal(log->count, 1);
    assert_string_equal(log->columns[0].name, "loss");
    assert_true(log->columns[0].first_step == 3 && log->columns[0].first_b == 2.5);
    assert_true(log->columns[0].step == 5 && log->columns[0].a == 8);
    assert_true(rundiff_relative(8, 4) == 0.5);
    done(&diff, runs);
}

static void a_tolerance_is_relative(void **state) {
    two(state, "train.jsonl", "{\"step\":1,\"loss\":100}\n",
        "{\"step\":1,\"loss\":101}\n");
    assert_false(equal_by(state, RUNDIFF_ALL, 0.009));
    assert_true(equal_by(state, RUNDIFF_ALL, 0.01));
    two(state, "train.jsonl", "{\"step\":1,\"loss\":100}\n",
        "{\"step\":1,\"loss\":null}\n");
    assert_false(equal_by(state, RUNDIFF_ALL, 1));
    assert_true(isinf(rundiff_relative(NAN, 1)) && rundiff_relative(NAN, NAN) == 0);
}

static void a_run_of_another_program_is_compared_by_its_rows(void **state) {
    two(state, "train.jsonl", ROW(1), ROW(1));
    static const char *const GONE[] = {"b/recipe.ini", "b/run.json", "b/data.json",
                                       "b/eval.jsonl"};
    for (size_t i = 0; i < COUNT(GONE); i++) files_remove(*state, GONE[i]);
    assert_true(equal_runs(state));
    put(state, "b/train.jsonl", ROW(1) ROW(2));
    assert_false(equal_runs(state));
}

static unsigned unknown_of(void **state, unsigned parts, Status *status) {
    RunLog *runs[2];
    Err err = ERR_NONE;
    RunDiff diff = compare_by(state, (RunDiffOptions){parts, 0}, runs);
    unsigned unknown = diff.unknown;
    assert_false(diff.differ);
    *status = rundiff_check(&diff, &err);
    assert_true(diff.equal == !*status);
    done(&diff, runs);
    return unknown;
}

static void runs_of_which_nothing_was_compared_are_not_equal(void **state) {
    Status status;
    two(state, "probe.jsonl", "no JSON\n", "no JSON\n");
    assert_int_equal(unknown_of(state, RUNDIFF_ALL, &status), 1u << RUNDIFF_PROBE);
    assert_int_equal(status, OK);
    assert_int_equal(unknown_of(state, RUNDIFF_LOGS, &status), 1u << RUNDIFF_PROBE);
    assert_int_equal(status, FAIL_DATA);
    for (size_t r = 0; r < 2; r++) {
        put(state, r ? "b/train.jsonl" : "a/train.jsonl", "");
        put(state, r ? "b/eval.jsonl" : "a/eval.jsonl", "{\"step\":");
    }
    assert_int_equal(unknown_of(state, RUNDIFF_ALL, &status),
                     RUNDIFF_LOGS | 1u << RUNDIFF_EVENTS);
    assert_int_equal(status, FAIL_DATA);
    assert_int_equal(unknown_of(state, 1u << RUNDIFF_RECIPE, &status), 0);
    assert_int_equal(status, OK);
}

static void all_of_it_is_printed_whatever_names_hold(void **state) {
    RunLog *runs[2];
    two(state, "train.jsonl", "{\"step\":1,\"event\":\"\\u001b[31m\",\"text\":\"\\n\"}\n",
        ROW(1));
    put(state, "b/recipe.ini", "[train]\nsteps = \x1b[31m\n[odd]\nkey = 1\n");
    RunDiff diff = compare_by(state, (RunDiffOptions){RUNDIFF_ALL, 0}, runs);
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    rundiff_print(&diff, out);
    fclose(out);
    assert_null(strchr(text, '\x1b'));
    assert_non_null(strstr(text, "odd.key"));
    free(text);
    done(&diff, runs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(a_session_is_read_as_it_was_written),
        FOLDER_TEST(whatever_run_json_holds_a_run_can_be_read),
        FOLDER_TEST(old_sessions_make_room_but_the_first_stays),
        FOLDER_TEST(members_of_other_versions_stay),
        FOLDER_TEST(the_state_follows_from_the_last_session),
        FOLDER_TEST(without_sessions_it_follows_from_the_logs),
        FOLDER_TEST(rows_that_the_log_should_have_are_missed),
        FOLDER_TEST(who_looks_does_not_keep_a_trainer_out),
        FOLDER_TEST(what_a_clock_measures_is_no_difference),
        FOLDER_TEST(each_part_is_found_to_differ_and_left_out_on_request),
        FOLDER_TEST(a_key_that_one_recipe_leaves_out_has_its_default),
        FOLDER_TEST(the_first_row_that_differs_is_told_with_how_much),
        FOLDER_TEST(a_tolerance_is_relative),
        FOLDER_TEST(a_run_of_another_program_is_compared_by_its_rows),
        FOLDER_TEST(runs_of_which_nothing_was_compared_are_not_equal),
        FOLDER_TEST(all_of_it_is_printed_whatever_names_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
