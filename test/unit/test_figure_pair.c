/* What a figure says of two runs that differ, and what it leaves out. */
#include <math.h>
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

static const Item *item_of(const Panel *panel, ItemKind kind, const char *label) {
    for (size_t i = 0; i < panel->count; i++)
        if (panel->items[i].kind == kind &&
            !strncmp(panel->items[i].label, label, strlen(label)))
            return &panel->items[i];
    return NULL;
}

/* 17 keys and 65: the axis is shared, the zone of collapse is not. */
static void each_run_has_its_own_zone_of_collapse_and_dashes(void **state) {
    RunLog *a = run_of(*state, "a", "", true), *b = run_of(*state, "b", "", true);
    a->chance = log(10), b->chance = log(2);
    b->probe.sites[0].uniform[0] = log(65), b->probe.sites[0].keys[0] = 65;
    const RunLog *runs[] = {a, b};
    Err err = ERR_NONE;
    Chart *chart =
        figure_training(runs, 2, &(FigureOptions){.rows = "loss,entropy"}, &err);
    assert_non_null(chart);
    const Item *zone[2], *uniform[2], *chance[2];
    for (size_t c = 0; c < 2; c++) {
        zone[c] = item_of(chart_panel(chart, 1, c), ITEM_ZONE, "collapse");
        uniform[c] = item_of(chart_panel(chart, 1, c), ITEM_LEVEL, "uniform (ln ");
        chance[c] = item_of(chart_panel(chart, 0, c), ITEM_LEVEL, "chance (");
        assert_true(zone[c] && uniform[c] && chance[c]);
    }
    assert_true(zone[0]->high[0] == 0.1 * log(17) && zone[1]->high[0] == 0.1 * log(65));
    assert_string_equal(uniform[0]->label, "uniform (ln 17)");
    assert_string_equal(uniform[1]->label, "uniform (ln 65)");
    assert_string_equal(chance[1]->label, "chance (0.693 nats)");
    assert_true(uniform[0]->style.dash != uniform[1]->style.dash);
    assert_true(chance[0]->style.dash != chance[1]->style.dash);
    chart_free(chart);
    runlog_free(a);
    runlog_free(b);
}

static void runs_of_one_kind_share_dash_and_label(void **state) {
    RunLog *a = run_of(*state, "a", "", true), *b = run_of(*state, "b", "", true);
    a->chance = b->chance = log(10);
    const RunLog *runs[] = {a, b};
    Chart *chart =
        figure_training(runs, 2, &(FigureOptions){.rows = "loss,entropy"}, NULL);
    const Item *one = item_of(chart_panel(chart, 1, 0), ITEM_LEVEL, "uniform"),
               *two = item_of(chart_panel(chart, 1, 1), ITEM_LEVEL, "uniform");
    assert_int_equal(one->style.dash, two->style.dash);
    assert_string_equal(item_of(chart_panel(chart, 0, 1), ITEM_LEVEL, "chance")->label,
                        "chance");
    chart_free(chart);
    runlog_free(a);
    runlog_free(b);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(titles_say_what_differs_and_no_panel_is_empty),
        FOLDER_TEST(each_run_has_its_own_zone_of_collapse_and_dashes),
        FOLDER_TEST(runs_of_one_kind_share_dash_and_label),
        FOLDER_TEST(runs_that_are_equal_say_what_matters_to_attention),
    };
    return cmocka_run_group_tests_name("figure_pair", cases, NULL, NULL);
}
