/* Comparisons of methods: pairs, failures, learning rates (tools/sweep/compare.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep_words.h"
#include "tools/sweep/compare.h"

#define CHANCE 2.302585

/* ---- helpers ---- */

static void near(double got, double wanted) {
    if (!(fabs(got - wanted) < 1e-9)) fail_msg("%.12g, wanted %.12g", got, wanted);
}

static SweepCell *cell_named(Sweep *sweep, const char *name) {
    for (size_t c = 0; c < sweep->cell_count; c++)
        if (!strcmp(sweep->cells[c].name, name)) return &sweep->cells[c];
    fail_msg("no cell %s", name);
    return NULL;
}

/* A run that has ended with that test loss, and a top-1 of 1 - loss / 10. */
static void end_cell(SweepCell *cell, double loss) {
    cell->exit = OK;
    cell->result.metric = "top1";
    text_format(cell->result.split, sizeof cell->result.split, "test");
    cell->result.scores[METRIC_LOSS] = loss;
    cell->result.score = 1 - loss / 10;
    cell->result.loss = loss + 5;
    cell->result.chance = cell->result.guess_nll = CHANCE;
    cell->result.verdict = "learned";
}

static void break_cell(SweepCell *cell) {
    cell->exit = FAIL_DIVERGED;
    cell->result.verdict = "non-finite";
    cell->result.diverged = cell->result.nonfinite = true;
}

/* Losses by cell, in the order of the cells; NaN: has not ended. */
static void end_all(Sweep *sweep, const double *loss) {
    for (size_t c = 0; c < sweep->cell_count; c++)
        if (!isnan(loss[c])) end_cell(&sweep->cells[c], loss[c]);
}

typedef struct Case {
    Pool pool;
    Comparison comparison;
} Case;

static Case open_case(const Sweep *sweeps, size_t count, const char *method,
                      const char *base) {
    Case it;
    Err err = ERR_NONE;
    if (pool_open(&it.pool, sweeps, count, &(SweepChoice){method, base}, &err))
        fail_msg("%s", err.text);
    it.comparison = compare_new(&it.pool);
    return it;
}

static void close_case(Case *it) {
    compare_free(&it->comparison);
    pool_close(&it->pool);
}

static void refuses(const Sweep *sweep, const char *method, const char *base,
                    const char *part) {
    Pool pool;
    Err err = ERR_NONE;
    Status status = pool_open(&pool, sweep, 1, &(SweepChoice){method, base}, &err);
    assert_int_equal(status, FAIL_USAGE);
    if (!strstr(err.text, part)) fail_msg("`%s` lacks `%s`", err.text, part);
}

static void prints(const Case *it, const char *part) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    compare_print_groups(&it->pool, &it->comparison, out);
    compare_print(&it->pool, &it->comparison, out);
    fclose(out);
    if (!strstr(text, part)) fail_msg("lacks `%s`:\n%s", part, text);
    free(text);
}

/* ---- pairs ---- */

#define GRID "demo,demo-sigma", "optim.lr=0.02,0.01", "train.seed=0,1,2,3"

/* demo is best at 0.02, demo-sigma at 0.01; the losses are exact in binary. */
static const double LOSSES[16] = {1,    1.25, 1.5,  1.75, 2,   2.25, 1.75, 2,
                                  1.25, 1.5,  1.25, 2.5,  0.5, 1.25, 0.5,  1};

static void make_grid(Sweep *sweep) {
    OPEN(sweep, GRID);
    end_all(sweep, LOSSES);
}

static void methods_are_compared_on_the_same_seeds_at_equal_rates(void **state) {
    (void)state;
    Sweep sweep;
    make_grid(&sweep);
    Case it = open_case(&sweep, 1, NULL, NULL);
    assert_string_equal(it.pool.methods.title, "recipe");
    assert_int_equal(it.comparison.row_count, 3);
    const CompareRow *low = &it.comparison.rows[0], *high = &it.comparison.rows[1];
    near(it.pool.rate[low->rate], 0.01); /* ascending, as the words do not have them */
    near(low->of[COMPARE_LOSS].mean, (-1.5 - 1 - 1.25 - 1) / 4);
    near(low->of[COMPARE_LOSS].p, 2.0 / 16);
    near(low->of[COMPARE_LOSS].interval.low, -1.5);
    near(high->of[COMPARE_LOSS].mean, (0.25 + 0.25 - 0.25 + 0.75) / 4);
    near(high->of[COMPARE_SCORE].mean, -10 * (0.25 + 0.25 - 0.25 + 0.75) / 4);
    assert_int_equal(high->of[COMPARE_SCORE].pairs, 4);
    prints(&it, "0.01               demo-sigma  +11.88 [+10.00, +15.00]  0.125");
    close_case(&it);
    it = open_case(&sweep, 1, NULL, "demo-sigma");
    near(it.comparison.rows[0].of[COMPARE_LOSS].mean, 4.75 / 4);
    close_case(&it);
    sweep_close(&sweep);
}

static void accuracy_is_not_subtracted_from_another_score(void **state) {
    (void)state;
    Sweep sweep;
    make_grid(&sweep);
    for (size_t c = 8; c < 16; c++) sweep.cells[c].result.metric = "probe_top1";
    sweep.cells[8].result.scores[METRIC_TOP1] = 0.5;
    Case it = open_case(&sweep, 1, NULL, NULL);
    assert_int_equal(it.comparison.rows[0].of[COMPARE_SCORE].pairs, 0);
    assert_int_equal(it.comparison.rows[1].of[COMPARE_SCORE].pairs, 1);
    near(it.comparison.rows[1].of[COMPARE_SCORE].mean, 50 - 90);
    prints(&it, "8 runs are scored by probe_top1, not by top1, and");
    close_case(&it);
    sweep_close(&sweep);
}

static void each_method_is_compared_at_its_own_best_rate(void **state) {
    (void)state;
    Sweep sweep;
    make_grid(&sweep);
    Case it = open_case(&sweep, 1, NULL, NULL);
    const CompareRow *best = &it.comparison.rows[2];
    assert_true(best->best);
    near(it.pool.rate[best->rate], 0.01);
    near(it.pool.rate[best->base_rate], 0.02);
    near(best->of[COMPARE_LOSS].mean, (-0.5 + 0 - 1 - 0.75) / 4);
    prints(&it, "0.01 against 0.02  demo-sigma");
    prints(&it, "it is chosen on the same runs; chosen on the test split");
    close_case(&it);
    sweep_close(&sweep);
}

static void a_seed_that_one_method_lacks_makes_no_pair(void **state) {
    (void)state;
    Sweep sweep;
    make_grid(&sweep);
    cell_named(&sweep, "demo,optim.lr=0.01,train.seed=1")->exit = SWEEP_OPEN;
    cell_named(&sweep, "demo-sigma,optim.lr=0.02,train.seed=0")->exit = FAIL_DATA;
    cell_named(&sweep, "demo-sigma,optim.lr=0.02,train.seed=3")->exit = SWEEP_OPEN;
    Case it = open_case(&sweep, 1, NULL, NULL);
    const Paired *low = &it.comparison.rows[0].of[COMPARE_LOSS],
                 *high = &it.comparison.rows[1].of[COMPARE_LOSS];
    assert_int_equal(low->pairs, 3);
    near(low->mean, (-1.5 - 1.25 - 1) / 3);
    near(low->p, 0.25);
    assert_int_equal(high->pairs, 2);
    near(high->mean, 0);
    assert_true(isnan(high->p) && isnan(high->interval.low));
    prints(&it, "fewer than 3 pairs have no interval and no p");
    close_case(&it);
    sweep_close(&sweep);
}

static void a_run_that_became_non_finite_counts_as_guessing(void **state) {
    (void)state;
    Sweep sweep;
    make_grid(&sweep);
    break_cell(cell_named(&sweep, "demo,optim.lr=0.02,train.seed=0"));
    Case it = open_case(&sweep, 1, NULL, NULL);
    const CompareRow *high = &it.comparison.rows[1];
    near(high->of[COMPARE_LOSS].mean, (1.25 - CHANCE + 0.25 - 0.25 + 0.75) / 4);
    double guess = 100 * exp(-CHANCE);
    near(high->of[COMPARE_SCORE].mean, (87.5 - guess - 2.5 + 2.5 - 7.5) / 4);
    prints(&it, "1 run became non-finite and counts as chance (loss 2.303)");
    close_case(&it);
    sweep_close(&sweep);
}

/* ---- failures ---- */

static void failures_are_counted_by_method_and_tested(void **state) {
    (void)state;
    Sweep sweep;
    make_grid(&sweep);
    for (size_t c = 0; c < 7; c++) sweep.cells[c].result.diverged = true;
    Case it = open_case(&sweep, 1, NULL, NULL);
    const CompareFailures *base = &it.comparison.failures[0],
                          *sigma = &it.comparison.failures[1];
    assert_true(base->failed == 7 && base->runs == 8 && sigma->failed == 0);
    assert_true(isnan(base->p) && fabs(sigma->p - 0.0013986) < 1e-7);
    assert_true(fabs(sigma->share.high - 0.369417) < 1e-6 && sigma->share.low == 0);
    prints(&it, "demo        7 of 8  88 [47.3, 99.7]");
    prints(&it, "failures (diverged): share with its exact 95 % interval, two-sided p");
    prints(&it, "demo-sigma  0 of 8  0 [0, 36.9]      0.0014 (0 of 8 against 7 of 8)");
    close_case(&it);
    sweep_close(&sweep);
}

static void failures_are_those_of_the_criterion_where_there_is_one(void **state) {
    (void)state;
    Sweep sweep;
    Err err = ERR_NONE;
    make_grid(&sweep);
    assert_int_equal(sweep_set_fail(&sweep, "loss>6.6", &err), OK);
    sweep_judge(&sweep); /* training losses are 5 above those of the test split */
    Case it = open_case(&sweep, 1, NULL, NULL);
    assert_int_equal(it.comparison.failures[0].failed, 5);
    assert_int_equal(it.comparison.failures[1].failed, 1);
    prints(&it, "failures (loss > 6.6): share");
    prints(&it, "demo-sigma  1 of 8");
    close_case(&it);
    sweep_close(&sweep);
}

/* ---- learning rates ---- */

static void sensitivity_is_of_the_rates_that_all_methods_have(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo,demo-sigma", "optim.lr=0.01,0.02,0.04", "train.seed=0,1");
    const double loss[] = {1, 2, 1.5, 3, NAN, NAN, 1, 1, 2, 1.25, 0.5, 0.5};
    end_all(&sweep, loss);
    Case it = open_case(&sweep, 1, NULL, NULL);
    const CompareCurve *base = &it.comparison.curves[0],
                       *sigma = &it.comparison.curves[1];
    assert_int_equal(base->rate_count, 2);
    near(base->high, 0.02);
    near(base->spread.mean, (0.25 + (CHANCE - 2) / 2) / 2); /* 3 is above guessing */
    near(sigma->spread.mean, (0.5 + 0.125) / 2);
    near(sigma->against.mean, sigma->spread.mean - base->spread.mean);
    near(it.pool.rate[sigma->best], 0.04); /* all of its own rates */
    prints(&it, "2, 0.01 to 0.02");
    close_case(&it);
    cell_named(&sweep, "demo,optim.lr=0.02,train.seed=1")->exit = SWEEP_OPEN;
    it = open_case(&sweep, 1, NULL, NULL);
    assert_int_equal(it.comparison.curves[0].spread.count, 1);
    assert_int_equal(it.comparison.curves[1].against.pairs, 1);
    close_case(&it);
    sweep_close(&sweep);
}

/* ---- what a method is ---- */

static void any_swept_keys_can_be_the_methods(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo,demo-sigma", "model.depth=2,4",
         "{optim.beta1,optim.eps}={0.9,1;0.5,2}", "train.seed=0,1,2");
    for (size_t c = 0; c < sweep.cell_count; c++) end_cell(&sweep.cells[c], (double)c);
    Case it = open_case(&sweep, 1, "model.depth", "4");
    assert_int_equal(it.pool.methods.count, 2);
    assert_int_equal(it.pool.rests.count, 4);
    near(it.comparison.rows[0].of[COMPARE_LOSS].mean, -6);
    assert_string_equal(it.pool.methods.text[it.comparison.rows[0].method], "2");
    close_case(&it);
    it = open_case(&sweep, 1, "recipe,optim.eps", NULL);
    assert_int_equal(it.pool.methods.count, 4);
    assert_string_equal(it.pool.rests.title, "model.depth");
    close_case(&it);
    refuses(&sweep, "optim.lr", NULL, "optim.lr: the runs do not differ in this key");
    refuses(&sweep, "model.dept", NULL, "expected some of recipe, model.depth");
    refuses(&sweep, NULL, "sigma", "no such method; expected one of demo; demo-sigma");
    sweep_close(&sweep);
    OPEN(&sweep, "demo", "model.norm=pre,post", "optim.lr=0.1,0.2");
    it = open_case(&sweep, 1, NULL, NULL);
    assert_string_equal(it.pool.methods.title, "model.norm");
    close_case(&it);
    sweep_close(&sweep);
}

static void
keys_linked_with_the_rate_are_methods_only_where_nothing_else_is(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo", "{optim.lr,train.steps}={0.1,12;0.2,14}", "model.norm=pre,post",
         "train.seed=0,1,2");
    for (size_t c = 0; c < sweep.cell_count; c++) end_cell(&sweep.cells[c], 1);
    Case it = open_case(&sweep, 1, NULL, NULL);
    assert_string_equal(it.pool.methods.title, "model.norm");
    assert_int_equal(it.pool.rests.count, 2);
    assert_true(sweep_is_method(&sweep, 2) && !sweep_is_method(&sweep, 1));
    close_case(&it);
    sweep_close(&sweep);
    OPEN(&sweep, "demo", "{train.seed,optim.beta2}={1,0.9;2,0.95}");
    it = open_case(&sweep, 1, NULL, NULL);
    assert_string_equal(it.pool.methods.title, "train.seed,optim.beta2");
    assert_true(sweep_is_method(&sweep, 1));
    close_case(&it);
    sweep_close(&sweep);
}

static void a_key_of_one_recipe_goes_with_its_method(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo,demo-sigma", "demo-sigma:model.reparam_scope=all,blocks",
         "demo:optim.lr=0.01,0.02", "train.seed=0,1,2");
    for (size_t c = 0; c < sweep.cell_count; c++) end_cell(&sweep.cells[c], 1);
    Case it = open_case(&sweep, 1, NULL, NULL);
    assert_int_equal(it.pool.methods.count, 3);
    assert_string_equal(it.pool.methods.title, "recipe, model.reparam_scope");
    assert_int_equal(it.pool.rests.count, 1);
    for (size_t r = 0; r < it.pool.rates.count; r++) assert_true(it.pool.rate[r] > 0);
    close_case(&it);
    sweep_close(&sweep);
}

/* ---- several sweeps ---- */

static void sweeps_are_told_apart_by_what_their_recipes_come_to(void **state) {
    (void)state;
    Sweep sweeps[2];
    OPEN(&sweeps[0], "demo", "optim.lr=0.01,0.02", "train.seed=0,1,2");
    OPEN(&sweeps[1], "demo", "optim.lr=2e-2,1e-2", "train.seed=0,1,2", "model.norm=post");
    for (size_t c = 0; c < 6; c++) {
        end_cell(&sweeps[0].cells[c], c < 3 ? 1 : 2);
        end_cell(&sweeps[1].cells[c], c < 3 ? 4 : 8);
    }
    Case it = open_case(sweeps, 2, NULL, NULL);
    assert_string_equal(it.pool.methods.title, "model.norm");
    assert_int_equal(it.comparison.row_count, 3);
    near(it.comparison.rows[0].of[COMPARE_LOSS].mean, 8 - 1); /* at 0.01 */
    near(it.comparison.rows[1].of[COMPARE_LOSS].mean, 4 - 2);
    close_case(&it);
    sweep_close(&sweeps[0]), sweep_close(&sweeps[1]);
}

static void
keys_that_one_sweep_links_and_another_gives_alone_are_named_once(void **state) {
    (void)state;
    Sweep sweeps[2];
    OPEN(&sweeps[0], "demo", "{train.batch,train.steps}={32,200;64,100}");
    OPEN(&sweeps[1], "demo-sigma", "train.steps=100,200", "train.batch=64");
    for (size_t s = 0; s < 2; s++)
        for (size_t c = 0; c < 2; c++) end_cell(&sweeps[s].cells[c], 1);
    Case it = open_case(sweeps, 2, "recipe", NULL);
    assert_string_equal(it.pool.rests.title, "train.batch, train.steps");
    assert_int_equal(it.pool.rests.count, 3); /* 64, 100 is in both */
    close_case(&it);
    sweep_close(&sweeps[0]), sweep_close(&sweeps[1]);
}

static void a_key_that_follows_from_the_method_is_no_setting_but_named(void **state) {
    (void)state;
    Sweep sweeps[2];
    OPEN(&sweeps[0], "demo", "optim.lr=0.01,0.02", "train.seed=0,1,2", "train.steps=100");
    OPEN(&sweeps[1], "demo-sigma", "optim.lr=0.01,0.02", "train.seed=0,1,2",
         "train.steps=200");
    for (size_t s = 0; s < 2; s++)
        for (size_t c = 0; c < 6; c++) end_cell(&sweeps[s].cells[c], (double)s + 1);
    Case it = open_case(sweeps, 2, NULL, NULL);
    assert_string_equal(it.pool.methods.title, "recipe");
    assert_string_equal(it.pool.along, "train.steps");
    assert_int_equal(it.pool.rests.count, 1);
    assert_int_equal(it.comparison.row_count, 3);
    prints(&it, "train.steps: different for every method, so differences may be due");
    close_case(&it);
    sweep_close(&sweeps[0]), sweep_close(&sweeps[1]);
}

static void sweeps_of_the_same_cells_are_told_apart_by_their_folders(void **state) {
    (void)state;
    Sweep sweeps[2];
    OPEN(&sweeps[0], "demo,demo-sigma", "train.seed=0,1,2");
    OPEN(&sweeps[1], "demo-sigma", "train.seed=0,1,2");
    text_format(sweeps[0].dir, SWEEP_DIR, "runs/before");
    text_format(sweeps[1].dir, SWEEP_DIR, "runs/after");
    for (size_t c = 0; c < 6; c++) end_cell(&sweeps[0].cells[c], 1);
    for (size_t c = 0; c < 3; c++) end_cell(&sweeps[1].cells[c], 3);
    Case it = open_case(sweeps, 2, NULL, NULL);
    assert_string_equal(it.pool.methods.title, "sweep");
    assert_int_equal(it.comparison.row_count, 1);
    assert_string_equal(it.pool.rests.text[it.comparison.rows[0].rest], "demo-sigma");
    near(it.comparison.rows[0].of[COMPARE_LOSS].mean, 2);
    prints(&it, "sweep against before, same seeds");
    close_case(&it);
    text_format(sweeps[0].dir, SWEEP_DIR, "other/after");
    it = open_case(sweeps, 2, NULL, NULL);
    assert_string_equal(it.pool.methods.text[0], "other/after");
    close_case(&it);
    sweep_close(&sweeps[0]), sweep_close(&sweeps[1]);
}

static void numbers_for_machines_are_those_of_the_tables(void **state) {
    (void)state;
    Sweep sweep;
    make_grid(&sweep);
    Case it = open_case(&sweep, 1, NULL, NULL);
    json_t *json = compare_json(&it.pool, &it.comparison);
    double mean = 0, low = 0, high = 0, sensitivity = 0;
    json_int_t runs = 0;
    assert_int_equal(json_unpack(json, "{s:[{s:{s:F, s:[F, F]}}], s:[{s:I}], s:[{s:F}]}",
                                 "differences", "loss", "difference", &mean, "interval",
                                 &low, &high, "failures", "runs", &runs, "learning_rates",
                                 "sensitivity", &sensitivity),
                     0);
    near(mean, it.comparison.rows[0].of[COMPARE_LOSS].mean);
    near(low, -1.5);
    near(high, -1);
    near(sensitivity, it.comparison.curves[0].spread.mean);
    assert_int_equal(runs, 8);
    json_decref(json);
    close_case(&it);
    sweep_close(&sweep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_are_compared_on_the_same_seeds_at_equal_rates),
        cmocka_unit_test(accuracy_is_not_subtracted_from_another_score),
        cmocka_unit_test(each_method_is_compared_at_its_own_best_rate),
        cmocka_unit_test(a_seed_that_one_method_lacks_makes_no_pair),
        cmocka_unit_test(a_run_that_became_non_finite_counts_as_guessing),
        cmocka_unit_test(failures_are_counted_by_method_and_tested),
        cmocka_unit_test(failures_are_those_of_the_criterion_where_there_is_one),
        cmocka_unit_test(sensitivity_is_of_the_rates_that_all_methods_have),
        cmocka_unit_test(any_swept_keys_can_be_the_methods),
        cmocka_unit_test(
            keys_linked_with_the_rate_are_methods_only_where_nothing_else_is),
        cmocka_unit_test(a_key_of_one_recipe_goes_with_its_method),
        cmocka_unit_test(sweeps_are_told_apart_by_what_their_recipes_come_to),
        cmocka_unit_test(
            keys_that_one_sweep_links_and_another_gives_alone_are_named_once),
        cmocka_unit_test(a_key_that_follows_from_the_method_is_no_setting_but_named),
        cmocka_unit_test(sweeps_of_the_same_cells_are_told_apart_by_their_folders),
        cmocka_unit_test(numbers_for_machines_are_those_of_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
