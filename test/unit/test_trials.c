/* Trials of a sweep: their order, what is best and worst, and the figures of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep_words.h"
#include "test/unit/files.h"
#include "tools/chart/parts.h"
#include "tools/figure/trials.h"
#include "tools/sweep/trials.h"

/* ---- the order ---- */

static void end_cell(SweepCell *cell, double top1, double loss) {
    cell->exit = OK;
    cell->result.metric = "top1";
    text_format(cell->result.split, sizeof cell->result.split, "test");
    cell->result.scores[METRIC_TOP1] = cell->result.score = top1;
    cell->result.scores[METRIC_LOSS] = loss;
    cell->result.loss = loss + 1;
    cell->result.steps = 100;
}

static void break_cell(SweepCell *cell, size_t steps) {
    end_cell(cell, 0.9, 0.1); /* what it had before */
    cell->exit = FAIL_DIVERGED;
    cell->result.diverged = cell->result.nonfinite = true;
    cell->result.steps = steps;
}

typedef struct Case {
    Sweep sweep;
    Pool pool;
    SweepTrials trials;
} Case;

static void rank(Case *it, const char *score) {
    Err err = ERR_NONE;
    SweepChoice choice = {.method = "recipe"};
    if (pool_open(&it->pool, &it->sweep, 1, &choice, &err) ||
        trials_open(&it->trials, &it->pool, score, &err))
        fail_msg("%s", err.text);
}

static void close_case(Case *it) {
    trials_close(&it->trials);
    pool_close(&it->pool);
    sweep_close(&it->sweep);
}

/* Seeds of a method, best first, as text: "2 0 1". */
static void expect_order(const Case *it, size_t method, const char *order) {
    char text[80] = "";
    const SweepTrials *t = &it->trials;
    for (size_t i = t->first[method]; i < t->first[method + 1]; i++) {
        size_t used = strlen(text);
        text_format(text + used, sizeof text - used, "%s%s", used ? " " : "",
                    it->pool.seeds.text[t->list[i].at->seed]);
    }
    assert_string_equal(text, order);
}

static void make_grid(Case *it) {
    OPEN(&it->sweep, "demo,demo-sigma", "train.seed=0,1,2,3");
    static const double top1[] = {0.2, 0.5, 0.3, 0.5, 0.9, 0.8, 0.7, 0.6};
    for (size_t c = 0; c < 8; c++) end_cell(&it->sweep.cells[c], top1[c], top1[c]);
}

static void trials_of_each_method_are_ordered_by_their_final_score(void **state) {
    (void)state;
    Case it;
    make_grid(&it);
    rank(&it, NULL);
    expect_order(&it, 0, "1 3 2 0"); /* equal ones as the grid has them */
    expect_order(&it, 1, "0 1 2 3");
    assert_true(it.trials.list[it.trials.first[1]].score == 90);
    char name[96];
    trials_score_name(&it.trials, &it.pool, name);
    assert_string_equal(name, "top-1 % (test)");
    close_case(&it);
}

static void a_loss_is_ordered_the_other_way(void **state) {
    (void)state;
    Case it;
    make_grid(&it);
    rank(&it, "loss");
    expect_order(&it, 0, "0 2 1 3");
    close_case(&it);
}

/* Their last evaluations, good as they were, are not what they came to. */
static void runs_that_broke_off_are_last_the_earliest_at_the_end(void **state) {
    (void)state;
    Case it;
    make_grid(&it);
    break_cell(&it.sweep.cells[0], 40);
    break_cell(&it.sweep.cells[1], 10);
    it.sweep.cells[2].result.scores[METRIC_TOP1] = NAN;
    rank(&it, NULL);
    expect_order(&it, 0, "3 2 0 1");
    assert_true(isnan(it.trials.list[1].score) && !it.trials.list[1].failed);
    assert_true(it.trials.list[2].failed && isnan(it.trials.list[2].score));
    assert_int_equal(trials_failed(&it.trials, 0), 2);
    assert_int_equal(trials_failed(&it.trials, 1), 0);
    close_case(&it);
}

static void runs_that_have_not_ended_are_no_trials(void **state) {
    (void)state;
    Case it;
    make_grid(&it);
    for (size_t c = 4; c < 8; c++) it.sweep.cells[c].exit = SWEEP_OPEN;
    it.sweep.cells[1].exit = FAIL_RUN;
    rank(&it, NULL);
    expect_order(&it, 0, "3 2 0");
    expect_order(&it, 1, "");
    close_case(&it);
}

static void failures_are_by_the_criterion_of_the_sweep(void **state) {
    (void)state;
    Case it;
    make_grid(&it);
    assert_int_equal(sweep_set_fail(&it.sweep, "top1<40%", NULL), OK);
    sweep_judge(&it.sweep);
    rank(&it, NULL);
    assert_int_equal(trials_failed(&it.trials, 0), 2);
    close_case(&it);
}

static void a_sweep_without_evaluations_is_ordered_by_its_training_loss(void **state) {
    (void)state;
    Case it;
    make_grid(&it);
    for (size_t c = 0; c < 8; c++) {
        SweepResult *r = &it.sweep.cells[c].result;
        r->metric = NULL;
        for (size_t m = 0; m < METRIC_COUNT; m++) r->scores[m] = NAN;
    }
    rank(&it, NULL);
    assert_int_equal(it.trials.metric, METRIC_COUNT);
    expect_order(&it, 0, "0 2 1 3");
    Err err = ERR_NONE;
    SweepTrials other;
    assert_int_equal(trials_open(&other, &it.pool, "top1", &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "--score top1: no run has this score"));
    close_case(&it);
}

static void scores_of_runs_that_broke_are_none(void **state) {
    (void)state;
    Case it;
    make_grid(&it);
    break_cell(&it.sweep.cells[0], 50);
    it.sweep.cells[0].result.scores[METRIC_WER] = 0.5;
    rank(&it, NULL);
    Err err = ERR_NONE;
    SweepTrials other;
    assert_int_equal(trials_open(&other, &it.pool, "wer", &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "--score wer: no run has this score"));
    assert_null(strstr(err.text + 10, "wer"));
    close_case(&it);
}

/* ---- figures ---- */

static void put(const char *dir, const char *name, const char *text) {
    files_write(dir, name, text, strlen(text));
}

/* Logged at steps 2 and 4 of ten an epoch; the last evaluation is behind both. */
static void put_run(const char *dir) {
    put(dir, "train.jsonl",
        "{\"step\":2,\"epoch\":0.2,\"loss\":2,\"lr\":1,\"grad_norm\":1}\n"
        "{\"step\":4,\"epoch\":0.4,\"loss\":9,\"lr\":1,\"grad_norm\":1}\n");
    put(dir, "task.json", "{\"chance\":2}");
    put(dir, "eval.jsonl",
        "{\"step\":3,\"split\":\"val\",\"loss\":2,\"top1\":0.25}\n"
        "{\"step\":5,\"split\":\"val\",\"loss\":2,\"top1\":0.5}\n"
        "{\"step\":5,\"split\":\"test\",\"loss\":2,\"top1\":0.4}\n");
    put(dir, "probe.jsonl",
        "{\"step\":4,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":[1,2],"
        "\"max_logit\":3,\"keys\":17},{\"site\":\"blocks.1.attn\",\"entropy\":[3],"
        "\"keys\":17}],\"weights\":[{\"name\":\"patch_embed.proj\",\"grad_inf\":null},"
        "{\"name\":\"blocks.0.attn.qkv\",\"grad_inf\":0.5,\"sigma\":7}]}\n");
}

static const Item *line_of(const Panel *panel, size_t n) {
    for (size_t i = 0; i < panel->count; i++)
        if (panel->items[i].kind == ITEM_LINE && !n--) return &panel->items[i];
    fail_msg("no line");
    return NULL;
}

static void best_and_worst_are_lines_of_their_methods_column(void **state) {
    const char *dir = *state;
    put_run(dir);
    const Trial trials[] = {{dir, 0, TRIAL_BEST, 50}, {dir, 0, TRIAL_WORST, 40}};
    const TrialMethods methods = {(const char *[]){"a", "b"}, (const char *[]){"", ""},
                                  2};
    TrialOptions options = {.metric = METRIC_TOP1, .y = "top-1 %", .fails = "diverged"};
    Err err = ERR_NONE;
    Chart *chart = figure_trials(trials, 2, &methods, &options, &err);
    assert_non_null(chart);
    assert_int_equal(chart->rows, 5);
    const Panel *score = chart_panel(chart, 0, 0);
    assert_string_equal(score->x.label, "epoch");
    assert_string_equal(score->y.label, "top-1 % (validation)");
    const Item *best = line_of(score, 0), *worst = line_of(score, 1);
    assert_true(best->count == 2 && fabs(best->x[0] - 0.3) < 1e-12);
    assert_true(fabs(best->x[1] - 0.5) < 1e-12 && best->y[1] == 50);
    assert_true(!best->style.dashed && worst->style.dashed);
    assert_string_equal(best->label, "best");
    assert_true(line_of(chart_panel(chart, 1, 0), 0)->y[0] == 1.5);
    assert_true(chart_panel(chart, 1, 0)->y.fixed &&
                chart_panel(chart, 1, 0)->y.low == 0);
    assert_true(line_of(chart_panel(chart, 2, 0), 0)->y[0] == 7);
    assert_string_equal(line_of(chart_panel(chart, 3, 0), 0)->label, "best: blocks.0");
    for (size_t r = 1; r < 4; r++) /* method b has no trial */
        assert_string_equal(chart_panel(chart, r, 1)->empty, "no trial");
    for (size_t m = 0; m < 2; m++) /* frozen: a row without any number */
        assert_true(chart_panel(chart, 4, m)->hidden);
    chart_free(chart);
    options.figure = (FigureOptions){.rows = "loss,entropy", .layers = "all"};
    chart = figure_trials(trials, 2, &methods, &options, &err);
    assert_true(chart_panel(chart, 0, 0)->y.high < 4); /* not 9: above chance by far */
    assert_string_equal(line_of(chart_panel(chart, 1, 0), 1)->label, "best: blocks.1");
    chart_free(chart);
    options.figure.rows = "score,nonsense";
    assert_null(figure_trials(trials, 2, &methods, &options, &err));
    assert_int_equal(err.status, FAIL_USAGE);
}

static double height_of(const Chart *chart) {
    size_t size;
    char *svg = chart_render(chart, ".svg", &size, NULL);
    assert_non_null(svg);
    const char *at = strstr(svg, "height=\"");
    assert_non_null(at);
    double height = atof(at + 8);
    mem_free(svg);
    return height;
}

static Chart *draw_rows(const Trial *trials, size_t count, const char *rows) {
    const TrialMethods methods = {(const char *[]){"a", "b"}, (const char *[]){"", ""},
                                  2};
    TrialOptions options = {
        .figure.rows = rows, .metric = METRIC_TOP1, .y = "top-1 %", .fails = "diverged"};
    Chart *chart = figure_trials(trials, count, &methods, &options, NULL);
    assert_non_null(chart);
    return chart;
}

static void put_other(const char *dir, char path[1000], const char *name,
                      const char *probe) {
    char file[1200];
    text_format(path, 1000, "%s/%s", dir, name);
    text_format(file, sizeof file, "%s/train.jsonl", name);
    put(dir, file, "{\"step\":4,\"epoch\":0.4,\"loss\":2}\n");
    text_format(file, sizeof file, "%s/probe.jsonl", name);
    put(dir, file, probe);
}

static void
a_row_without_numbers_has_no_place_and_a_panel_without_says_why(void **state) {
    const char *dir = *state;
    char moves[1000], bare[1000];
    put_run(dir);
    put_other(dir, moves, "moves",
              "{\"step\":4,\"attention\":[],\"weights\":[{\"name\":\"patch_embed.proj\","
              "\"grad_inf\":0.5}]}\n");
    put_other(dir, bare, "bare", "");
    const Trial frozen[] = {{dir, 0, TRIAL_BEST, 50}, {moves, 1, TRIAL_BEST, 40}};
    Chart *chart = draw_rows(frozen, 2, "score,front-grad,rank");
    assert_string_equal(chart_panel(chart, 1, 0)->empty, "frozen: it has no gradient");
    assert_string_equal(chart_panel(chart, 1, 1)->empty, "");
    assert_string_equal(chart_panel(chart, 0, 1)->empty, "never evaluated");
    assert_true(chart_panel(chart, 2, 0)->hidden && chart_panel(chart, 2, 1)->hidden);
    Chart *shorter = draw_rows(frozen, 2, "score,front-grad");
    assert_true(fabs(height_of(chart) - height_of(shorter)) < 1e-6);
    chart_free(chart);
    chart_free(shorter);
    const Trial none[] = {{bare, 0, TRIAL_BEST, NAN}}; /* nothing else: reasons stay */
    chart = draw_rows(none, 1, "score,front-grad");
    assert_string_equal(chart_panel(chart, 1, 0)->empty, "no probes");
    assert_false(chart_panel(chart, 1, 0)->hidden);
    chart_free(chart);
}

static void many_methods_are_broken_into_lines_with_one_axis(void **state) {
    const char *dir = *state;
    put_run(dir);
    Trial trials[7];
    const char *names[7], *details[7];
    for (size_t m = 0; m < 7; m++) {
        trials[m] = (Trial){dir, m, m ? TRIAL_PASSED : TRIAL_FAILED, 50};
        names[m] = "method", details[m] = "none of 1 fails";
    }
    const TrialMethods methods = {names, details, 7};
    TrialOptions options = {
        .figure.rows = "score", .metric = METRIC_TOP1, .y = "y", .fails = "diverged"};
    Chart *chart = figure_trials(trials, 7, &methods, &options, NULL);
    assert_true(chart->rows == 2 && chart->columns == 4);
    assert_string_equal(chart_panel(chart, 1, 2)->heading, "method: none of 1 fails");
    assert_true(chart_panel(chart, 1, 3)->hidden && !chart_panel(chart, 1, 2)->hidden);
    assert_true(chart_panel(chart, 0, 0)->y.high == chart_panel(chart, 1, 2)->y.high);
    assert_string_equal(line_of(chart_panel(chart, 0, 0), 0)->label, "fails: diverged");
    chart_free(chart);
}

static size_t crosses_at(const Panel *panel, double x, double y) {
    size_t count = 0;
    for (size_t i = 0; i < panel->count; i++) {
        const Item *item = &panel->items[i];
        count += item->kind == ITEM_LINE && item->style.mark == MARK_CROSS &&
                 fabs(item->x[0] - x) < 0.1 && fabs(item->y[0] - y) < 1e-9;
    }
    return count;
}

static void failed_trials_are_crosses_those_without_a_score_at_the_worst_end(void **s) {
    (void)s;
    const Trial trials[] = {{"", 0, TRIAL_PASSED, 30},
                            {"", 0, TRIAL_FAILED, 20},
                            {"", 0, TRIAL_FAILED, NAN},
                            {"", 1, TRIAL_PASSED, 40}};
    const TrialMethods methods = {(const char *[]){"a", "b"}, (const char *[]){"", ""},
                                  2};
    TrialOptions options = {.metric = METRIC_TOP1, .y = "y", .fails = "diverged"};
    Chart *chart = figure_rank(trials, 4, &methods, &options);
    const Panel *panel = chart_panel(chart, 0, 0);
    assert_int_equal(crosses_at(panel, 2, 20), 1);
    assert_int_equal(crosses_at(panel, 3, 18), 1); /* a tenth below 20 .. 40 */
    assert_true(panel->y.low < 18);
    Ticks ticks = axis_ticks(&panel->x, 9); /* 0.7 to 3.3 */
    assert_int_equal(ticks.count, 3);
    assert_string_equal(ticks.text[2], "3");
    chart_free(chart);
    options.metric = METRIC_LOSS; /* the worst end is above */
    chart = figure_rank(trials, 4, &methods, &options);
    panel = chart_panel(chart, 0, 0);
    assert_int_equal(crosses_at(panel, 3, 42), 1);
    assert_true(panel->y.high > 42);
    chart_free(chart);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(trials_of_each_method_are_ordered_by_their_final_score),
        cmocka_unit_test(a_loss_is_ordered_the_other_way),
        cmocka_unit_test(runs_that_broke_off_are_last_the_earliest_at_the_end),
        cmocka_unit_test(runs_that_have_not_ended_are_no_trials),
        cmocka_unit_test(failures_are_by_the_criterion_of_the_sweep),
        cmocka_unit_test(a_sweep_without_evaluations_is_ordered_by_its_training_loss),
        cmocka_unit_test(scores_of_runs_that_broke_are_none),
        FOLDER_TEST(best_and_worst_are_lines_of_their_methods_column),
        FOLDER_TEST(a_row_without_numbers_has_no_place_and_a_panel_without_says_why),
        FOLDER_TEST(many_methods_are_broken_into_lines_with_one_axis),
        cmocka_unit_test(
            failed_trials_are_crosses_those_without_a_score_at_the_worst_end),
    };
    return cmocka_run_group_tests_name("trials", cases, NULL, NULL);
}
