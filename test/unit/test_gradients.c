/* Rows "gradients" and "updates" of a training figure: a line for each block. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tools/chart/parts.h"
#include "tools/figure/figures.h"

enum { PROBES = 2, WEIGHTS_MAX = 60 };

/* A run in memory: blocks of two weights with gradients 3 and 4 times (block + 1), and
 * updates of 0.5 and 0.25 of themselves; the head has 7 and, at last, hardly moves. */
typedef struct Fixture {
    RunLog run;
    WeightLog weights[WEIGHTS_MAX];
    double number[WEIGHTS_MAX][WEIGHT_NUMBERS][PROBES];
    double step[PROBES], loss[PROBES];
} Fixture;

static void add_weight(Fixture *f, double gradient, double ratio, const char *name) {
    size_t i = f->run.probe.weight_count++;
    text_format(f->weights[i].name, sizeof f->weights[i].name, "%s", name);
    for (size_t n = 0; n < WEIGHT_NUMBERS; n++) {
        f->weights[i].value[n] = f->number[i][n];
        for (size_t p = 0; p < PROBES; p++) f->number[i][n][p] = NAN;
    }
    for (size_t p = 0; p < PROBES; p++) {
        f->number[i][WEIGHT_GRAD_NORM][p] = gradient;
        f->number[i][WEIGHT_UPDATE_RATIO][p] = ratio;
    }
}

static Fixture *make_run(size_t blocks) {
    Fixture *f = mem_zalloc(sizeof *f);
    char name[40];
    f->step[0] = f->loss[0] = 1, f->step[1] = f->loss[1] = 2;
    f->run.train = (TrainLog){PROBES,  f->step, f->step, f->loss, f->loss,
                              f->loss, f->loss, NULL,    NULL};
    f->run.probe.count = PROBES;
    f->run.probe.step = f->step;
    f->run.probe.weights = f->weights;
    for (size_t b = 0; b < blocks; b++) {
        text_format(name, sizeof name, "blocks.%zu.attn.qkv", b);
        add_weight(f, 3 * (double)(b + 1), 0.5, name);
    }
    for (size_t b = 0; b < blocks; b++) { /* not beside the first of its block */
        text_format(name, sizeof name, "blocks.%zu.mlp.fc1", b);
        add_weight(f, 4 * (double)(b + 1), 0.25, name);
    }
    add_weight(f, 7, 0.125, "head");
    f->number[2 * blocks][WEIGHT_UPDATE_RATIO][1] = 1e-17;
    return f;
}

static Chart *draw(const Fixture *f, const char *rows) {
    const RunLog *runs[] = {&f->run};
    Err err = ERR_NONE;
    Chart *chart = figure_training(runs, 1, &(FigureOptions){.rows = rows}, &err);
    if (!chart) fail_msg("%s", err.text);
    return chart;
}

static const Item *line(const Panel *panel, const char *label) {
    for (size_t i = 0; i < panel->count; i++)
        if (!strcmp(panel->items[i].label, label)) return &panel->items[i];
    fail_msg("no line %s", label);
    return NULL;
}

static void a_line_is_the_norm_over_the_weights_of_a_block(void **state) {
    (void)state;
    Fixture *f = make_run(3);
    Chart *chart = draw(f, "gradients");
    const Panel *panel = chart_panel(chart, 0, 0);
    assert_int_equal(panel->count, 4);
    assert_true(panel->y.log);
    assert_true(fabs(line(panel, "blocks.0")->y[0] - 5) < 1e-12);
    assert_true(fabs(line(panel, "blocks.2")->y[1] - 15) < 1e-12);
    const Item *head = line(panel, "head");
    assert_true(head->style.dashed && head->y[0] == 7);
    chart_free(chart);
    mem_free(f);
}

static void
updates_are_the_largest_of_a_block_and_those_of_no_effect_are_left_out(void **state) {
    (void)state;
    Fixture *f = make_run(1);
    Chart *chart = draw(f, "updates");
    const Panel *panel = chart_panel(chart, 0, 0);
    assert_true(line(panel, "blocks.0")->y[1] == 0.5);
    const Item *head = line(panel, "head");
    assert_true(head->y[0] == 0.125 && isnan(head->y[1]));
    chart_free(chart);
    mem_free(f);
}

static void the_legend_of_many_blocks_names_six(void **state) {
    (void)state;
    Fixture *f = make_run(24);
    Chart *chart = draw(f, "gradients");
    const Panel *panel = chart_panel(chart, 0, 0);
    size_t named = 0;
    for (size_t i = 0; i < panel->count; i++) named += *panel->items[i].label != 0;
    assert_int_equal(panel->count, 25);
    assert_int_equal(named, 7); /* and the head */
    assert_non_null(line(panel, "blocks.23"));
    chart_free(chart);
    mem_free(f);
}

static void a_run_without_such_numbers_has_no_such_rows(void **state) {
    (void)state;
    Fixture *f = make_run(1);
    const RunLog *runs[] = {&f->run};
    char rows[128];
    figure_rows_present(runs, 1, rows, sizeof rows);
    assert_string_equal(rows, "loss,grad,gradients,updates,lr");
    for (size_t i = 0; i < 3; i++)
        for (size_t p = 0; p < PROBES; p++) f->number[i][WEIGHT_GRAD_NORM][p] = NAN;
    figure_rows_present(runs, 1, rows, sizeof rows);
    assert_string_equal(rows, "loss,grad,updates,lr");
    Chart *chart = draw(f, "gradients");
    assert_string_equal(chart_panel(chart, 0, 0)->empty,
                        "not measured by this run's probes");
    chart_free(chart);
    mem_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_the_norm_over_the_weights_of_a_block),
        cmocka_unit_test(
            updates_are_the_largest_of_a_block_and_those_of_no_effect_are_left_out),
        cmocka_unit_test(the_legend_of_many_blocks_names_six),
        cmocka_unit_test(a_run_without_such_numbers_has_no_such_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
