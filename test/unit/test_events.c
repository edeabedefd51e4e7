/* Rows of train.jsonl that are no steps: kept, cut, drawn and reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/chart/parts.h"
#include "tools/figure/figures.h"
#include "tools/figure/report.h"
#include "tools/train/parts.h"

static char dir[] = "/tmp/events-XXXXXX";

static int set_up(void **state) {
    (void)state;
    strcpy(dir, "/tmp/events-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    static const char *const names[] = {"train.jsonl", "report.html"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < COUNT(names); i++) {
        rundir_path(path, dir, "%s", names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static void put(const char *text) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "train.jsonl");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static char *get(const char *name) {
    static char text[1 << 20];
    char path[PATH_SIZE];
    rundir_path(path, dir, "%s", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

#define STEP(n) "{\"step\":" #n ",\"loss\":1.5}\n"
#define EVENT(n, kind) "{\"step\":" #n ",\"event\":\"" kind "\",\"text\":\"a <b>\"}\n"

/* The log as a run that is resumed from `step` finds it. */
static const char *resumed(const char *text, size_t step) {
    Err err = ERR_NONE;
    Log log;
    put(text);
    assert_int_equal(log_open(&log, dir, "train.jsonl", 0, step, &err), OK);
    assert_int_equal(trainer_drop_departures(&log, step, NULL, &err), OK);
    log_close(&log);
    return get("train.jsonl");
}

static void a_resume_keeps_events_before_its_step_and_drops_those_after(void **state) {
    (void)state;
    const char *whole = EVENT(1, "alarm") STEP(1) STEP(2) EVENT(2, "plateau")
        EVENT(2, "resume") EVENT(3, "skip") STEP(3);
    assert_string_equal(resumed(whole, 3), whole);
    assert_string_equal(resumed(whole, 2),
                        EVENT(1, "alarm") STEP(1) STEP(2) EVENT(2, "plateau"));
    assert_string_equal(resumed(whole, 1), EVENT(1, "alarm") STEP(1));
    assert_string_equal(resumed(whole, 0), "");
}

static void only_the_last_rows_say_how_a_step_was_left(void **state) {
    (void)state;
    assert_string_equal(resumed(EVENT(0, "resume") STEP(1), 0), "");
    assert_string_equal(resumed(EVENT(0, "resume") STEP(1), 1),
                        EVENT(0, "resume") STEP(1));
    assert_string_equal(resumed(STEP(4) EVENT(4, "rollback") EVENT(4, "resume"), 4),
                        STEP(4));
    assert_string_equal(resumed(EVENT(4, "resume") STEP(4), 4),
                        EVENT(4, "resume") STEP(4));
}

/* A rollback is kept, what acts again behind it is not. */
static void rows_of_one_kind_alone_go(void **state) {
    (void)state;
    Err err = ERR_NONE;
    Log log;
    put(STEP(4) EVENT(4, "rollback") EVENT(4, "intervene") EVENT(4, "intervene"));
    assert_int_equal(log_open(&log, dir, "train.jsonl", 0, 4, &err), OK);
    assert_int_equal(trainer_drop_departures(&log, 4, "intervene", &err), OK);
    log_close(&log);
    assert_string_equal(get("train.jsonl"), STEP(4) EVENT(4, "rollback"));
}

static size_t moments(const Panel *panel, const char *label) {
    size_t count = 0;
    for (size_t i = 0; i < panel->count; i++)
        count +=
            panel->items[i].kind == ITEM_MOMENT && !strcmp(panel->items[i].label, label);
    return count;
}

static void events_are_lines_in_every_row_and_named_in_the_first(void **state) {
    (void)state;
    Err err = ERR_NONE;
    put(STEP(1) EVENT(1, "resume") STEP(2) EVENT(2, "resume") EVENT(2, "alarm") STEP(3));
    RunLog *run = runlog_open(dir, &err);
    const RunLog *runs[] = {run};
    Chart *chart = figure_training(runs, 1, &(FigureOptions){.rows = "loss,lr"}, &err);
    assert_non_null(chart);
    const Panel *top = chart_panel(chart, 0, 0), *below = chart_panel(chart, 1, 0);
    assert_int_equal(moments(top, "resume, step 1: a <b>"), 1);
    assert_int_equal(moments(top, "resume, step 2: a <b>"), 1);
    assert_int_equal(moments(top, "entropy alarm"), 1);
    assert_int_equal(moments(below, ""), 3);
    size_t size;
    char *svg = chart_render(chart, ".svg", &size, &err);
    assert_non_null(svg);
    mem_free(svg);
    chart_free(chart);
    runlog_free(run);
}

#define MANY(n) "{\"step\":" #n ",\"event\":\"resume\",\"text\":\"" LONG "\"}\n"
#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

static void long_or_many_resumes_are_not_told(void **state) {
    (void)state;
    for (int many = 0; many < 2; many++) {
        Err err = ERR_NONE;
        put(many ? STEP(1) MANY(1) MANY(2) MANY(3) MANY(4) MANY(5) STEP(6)
                 : STEP(1) MANY(1) STEP(2));
        RunLog *run = runlog_open(dir, &err);
        const RunLog *runs[] = {run};
        Chart *chart = figure_training(runs, 1, &(FigureOptions){.rows = "loss"}, &err);
        const Panel *top = chart_panel(chart, 0, 0);
        assert_int_equal(moments(top, many ? "resume" : "resume, step 1"), many ? 5 : 1);
        chart_free(chart);
        runlog_free(run);
    }
}

static void words_of_the_log_are_explained(void **state) {
    (void)state;
    Err err = ERR_NONE;
    put(STEP(1) EVENT(1, "moved") EVENT(1, "rollback") EVENT(1, "other") STEP(2));
    RunLog *run = runlog_open(dir, &err);
    Setting above = {"guard.update_above", "0.25"};
    const RunLog *runs[] = {run};
    for (int known = 0; known < 2; known++) {
        if (known) run->settings = &above, run->setting_count = 1;
        Chart *chart = figure_training(runs, 1, &(FigureOptions){.rows = "loss"}, &err);
        const Panel *top = chart_panel(chart, 0, 0);
        assert_int_equal(moments(top, known ? "weight moved > 25 %" : "weight moved"), 1);
        assert_int_equal(moments(top, "rolled back"), 1);
        assert_int_equal(moments(top, "other"), 1);
        chart_free(chart);
    }
    run->settings = NULL, run->setting_count = 0;
    runlog_free(run);
    assert_int_equal(report_write(dir, NULL, NULL, &err), OK);
    assert_non_null(strstr(get("report.html"), "<td>weight moved<td>"));
}

static void a_thousand_events_in_a_row_are_a_few_hundred_lines(void **state) {
    (void)state;
    Err err = ERR_NONE;
    char *text = mem_zalloc(4000 * 100), *at = text;
    for (int i = 1; i <= 4000; i++)
        at += sprintf(at, "{\"step\":%d,\"event\":\"skip\"}\n", i);
    sprintf(at, "{\"step\":4000,\"loss\":1}\n");
    put(text);
    mem_free(text);
    RunLog *run = runlog_open(dir, &err);
    const RunLog *runs[] = {run};
    Chart *chart = figure_training(runs, 1, &(FigureOptions){.rows = "loss"}, &err);
    size_t drawn = moments(chart_panel(chart, 0, 0), "examples skipped");
    assert_true(drawn >= 300 && drawn <= 401);
    chart_free(chart);
    runlog_free(run);
}

static void the_report_lists_events_as_text(void **state) {
    (void)state;
    Err err = ERR_NONE;
    put(STEP(1) EVENT(1, "resume") STEP(2));
    assert_int_equal(report_write(dir, NULL, NULL, &err), OK);
    assert_non_null(strstr(get("report.html"), "<td class=n>1<td>resume<td>a &lt;b&gt;"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_resume_keeps_events_before_its_step_and_drops_those_after),
        CASE(only_the_last_rows_say_how_a_step_was_left),
        CASE(rows_of_one_kind_alone_go),
        CASE(long_or_many_resumes_are_not_told),
        CASE(events_are_lines_in_every_row_and_named_in_the_first),
        CASE(words_of_the_log_are_explained),
        CASE(a_thousand_events_in_a_row_are_a_few_hundred_lines),
        CASE(the_report_lists_events_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
