/* The rows of sharpness of a training figure. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/chart/parts.h"
#include "tools/figure/figures.h"

static double steps[] = {1, 50, 100}, losses[] = {3, 2, 1};

/* A run of 100 steps, measured twice. */
static RunLog a_run(SharpnessRow rows[2]) {
    rows[0] = (SharpnessRow){.step = 40,
                             .raw = {-9, 3, 2, 1, 0.5},
                             .preconditioned = {80, -70, 60, 50, 40},
                             .threshold = 380};
    rows[1] = rows[0];
    rows[1].step = 80;
    rows[1].threshold = 190;
    return (RunLog){.name = "run",
                    .recipe = "",
                    .chance = NAN,
                    .train = {.count = 3,
                              .step = steps,
                              .epoch = steps,
                              .loss = losses,
                              .lr = losses,
                              .grad_norm = losses,
                              .items_per_s = losses,
                              .feature_std = losses},
                    .probe = {.sharpness = rows, .sharpness_count = 2}};
}

static Chart *chart_of(const RunLog *run, const char *rows) {
    Err err = ERR_NONE;
    Chart *chart = figure_training(&run, 1, &(FigureOptions){.rows = rows}, &err);
    if (!chart) fail_msg("%s", err.text);
    return chart;
}

static const Item *item_of(const Panel *panel, const char *label) {
    for (size_t i = 0; i < panel->count; i++)
        if (!strcmp(panel->items[i].label, label)) return &panel->items[i];
    fail_msg("no %s", label);
    return NULL;
}

static void the_preconditioned_spectrum_is_first_with_its_threshold(void **state) {
    (void)state;
    SharpnessRow rows[2];
    RunLog run = a_run(rows);
    Chart *chart = chart_of(&run, "sharpness");
    assert_int_equal(chart->rows, 2);
    const Panel *own = chart_panel(chart, 0, 0), *raw = chart_panel(chart, 1, 0);
    assert_string_equal(own->y.label, "preconditioned |λ|");
    const Item *level = item_of(own, "threshold of the optimizer");
    assert_true(level->style.dashed && level->x[1] == 80 && level->y[1] == 190);
    assert_true(item_of(own, "|λ₂|")->y[0] == 70); /* magnitudes */
    assert_true(item_of(raw, "|λ₁|")->y[1] == 9 && item_of(raw, "negative")->y[0] == 9);
    assert_true(isnan(item_of(own, "negative")->y[0]));
    assert_true(own->y.log && own->x.fixed && own->x.high == 100);
    chart_free(chart);
}

static void the_rows_above_have_the_steps_of_sharpness(void **state) {
    (void)state;
    double late[] = {30, 60, 90};
    SharpnessRow rows[2];
    RunLog run = a_run(rows);
    run.train.step = late;
    rows[1].step = 95; /* behind the last row of train.jsonl */
    Chart *chart = chart_of(&run, "loss,sharpness");
    Axis x[3], y[3];
    assert_int_equal(chart->rows, 3);
    chart_axes(chart, x, y);
    for (size_t r = 0; r < 3; r++) assert_true(x[r].low == 0 && x[r].high == 95);
    chart_free(chart);
}

static void a_run_that_has_taken_no_step_is_drawn(void **state) {
    (void)state;
    double none[] = {0};
    SharpnessRow rows[2];
    RunLog run = a_run(rows);
    run.train.step = none;
    run.train.count = 1;
    rows[0].step = 0;
    run.probe.sharpness_count = 1;
    Chart *chart = chart_of(&run, "loss,sharpness");
    Axis x[3], y[3];
    size_t size;
    chart_axes(chart, x, y);
    assert_true(x[0].low < 0 && x[0].high > 0 && x[1].low == x[0].low);
    char *svg = chart_render(chart, ".svg", &size, NULL);
    assert_non_null(svg);
    mem_free(svg);
    chart_free(chart);
}

static void raw_eigenvalues_of_runs_have_axes_of_their_own_and_a_warning(void **state) {
    (void)state;
    SharpnessRow rows[2];
    RunLog run = a_run(rows);
    Chart *chart = chart_of(&run, "loss,raw-sharpness");
    assert_true(chart->own_y[1] && !chart->own_y[0]);
    assert_non_null(strstr(chart_panel(chart, 1, 0)->heading, "not comparable"));
    chart_free(chart);
}

static void a_run_that_was_not_measured_says_so(void **state) {
    (void)state;
    SharpnessRow rows[2];
    RunLog run = a_run(rows);
    const RunLog *runs[] = {&run};
    char present[200];
    figure_rows_present(runs, 1, present, sizeof present);
    assert_non_null(strstr(present, "sharpness,raw-sharpness"));
    run.probe.sharpness_count = 0;
    figure_rows_present(runs, 1, present, sizeof present);
    assert_null(strstr(present, "sharpness"));
    Chart *chart = chart_of(&run, "sharpness");
    assert_non_null(strstr(chart_panel(chart, 0, 0)->empty, "probe.sharpness"));
    chart_free(chart);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_preconditioned_spectrum_is_first_with_its_threshold),
        cmocka_unit_test(the_rows_above_have_the_steps_of_sharpness),
        cmocka_unit_test(a_run_that_has_taken_no_step_is_drawn),
        cmocka_unit_test(raw_eigenvalues_of_runs_have_axes_of_their_own_and_a_warning),
        cmocka_unit_test(a_run_that_was_not_measured_says_so),
    };
    return cmocka_run_group_tests_name("figure_sharpness", cases, NULL, NULL);
}
