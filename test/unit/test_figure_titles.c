/* What a figure says of runs that differ, and what it leaves out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "tools/chart/parts.h"
#include "tools/figure/figures.h"
#include "tools/run/rundir.h"

static void put(const char *dir, const char *run, const char *file, const char *text) {
    char name[100];
    snprintf(name, sizeof name, "%s/%s", run, file);
    files_write(dir, name, text, strlen(text));
}

static RunLog *run_of(const char *dir, const char *name, const char *recipe,
                      bool probes) {
    char path[PATH_SIZE];
    put(dir, name, "recipe.ini", recipe);
    put(dir, name, "train.jsonl",
        "{\"step\":1,\"loss\":2,\"lr\":1}\n{\"step\":2,\"loss\":1,\"lr\":1}\n");
    if (probes)
        put(dir, name, "probe.jsonl",
            "{\"step\":1,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":[1],"
            "\"max_logit\":1,\"keys\":17}]}\n");
    rundir_path(path, dir, "%s", name);
    RunLog *run = runlog_open(path, NULL);
    assert_non_null(run);
    return run;
}

static void titles_say_what_differs_and_no_panel_is_empty(void **state) {
    RunLog *a = run_of(*state, "a",
                       "[model]\nwidth = 8\ndepth = 2\n[optim]\nlr = 0.1\n"
                       "[probe]\nevery = 1\n",
                       true);
    RunLog *b = run_of(*state, "b",
                       "[model]\nwidth = 8\ndepth = 4\n[optim]\nlr = 0.2\n"
                       "[probe]\nevery = 2\n",
                       false);
    const RunLog *runs[] = {b, a};
    Err err = ERR_NONE;
    size_t size;
    Chart *chart =
        figure_training(runs, 2, &(FigureOptions){.rows = "loss,entropy,sharpness"},
                        &err);
    assert_non_null(chart);
    assert_string_equal(chart->column_title[0].detail, "depth 4 · lr 0.2");
    assert_string_equal(chart->column_title[1].detail, "depth 2 · lr 0.1");
    assert_int_equal(chart->rows, 2); /* nobody measured sharpness */
    assert_true(chart_panel(chart, 1, 0)->hidden);
    assert_false(chart_panel(chart, 1, 1)->hidden);
    char *svg = chart_render(chart, ".svg", &size, &err);
    assert_non_null(svg);
    mem_free(svg);
    chart_free(chart);
    runlog_free(a);
    runlog_free(b);
}

static void runs_that_are_equal_say_what_matters_to_attention(void **state) {
    static const char RECIPE[] = "[model]\nreparam = sigma\nnorm = none\nwidth = 8\n";
    RunLog *a = run_of(*state, "a", RECIPE, false);
    RunLog *b = run_of(*state, "b", RECIPE, false);
    const RunLog *runs[] = {a, b};
    Err err = ERR_NONE;
    Chart *chart = figure_training(runs, 2, &(FigureOptions){.rows = "loss"}, &err);
    assert_non_null(chart);
    assert_string_equal(chart->column_title[1].detail, "reparam sigma · norm none");
    chart_free(chart);
    runlog_free(a);
    runlog_free(b);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(titles_say_what_differs_and_no_panel_is_empty),
        FOLDER_TEST(runs_that_are_equal_say_what_matters_to_attention),
    };
    return cmocka_run_group_tests_name("figure_titles", cases, NULL, NULL);
}
