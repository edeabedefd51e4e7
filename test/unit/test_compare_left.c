/* What a comparison leaves out, and says so (tools/sweep/compare.h, pool.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep_words.h"
#include "tools/sweep/compare.h"
#include "tools/sweep/trials.h"

#define CHANCE 2.3

/* ---- helpers ---- */

static void end_cell(SweepCell *cell, const char *split, double score) {
    SweepResult *r = &cell->result;
    cell->exit = OK;
    r->metric = "top1";
    text_format(r->split, sizeof r->split, "%s", split);
    r->score = r->scores[METRIC_TOP1] = score;
    r->loss = r->scores[METRIC_LOSS] = 2 - score;
    r->chance = CHANCE;
    r->verdict = "learned";
}

typedef struct Case {
    Pool pool;
    Comparison comparison;
    char *text;
} Case;

static Case open_case(const Sweep *sweeps, size_t count) {
    Case it;
    Err err = ERR_NONE;
    size_t size;
    if (pool_open(&it.pool, sweeps, count, &(SweepChoice){NULL, NULL}, &err))
        fail_msg("%s", err.text);
    it.comparison = compare_new(&it.pool);
    FILE *out = open_memstream(&it.text, &size);
    pool_print_criteria(&it.pool, "", out);
    compare_print_groups(&it.pool, &it.comparison, out);
    compare_print(&it.pool, &it.comparison, out);
    fclose(out);
    return it;
}

static void close_case(Case *it) {
    compare_free(&it->comparison);
    pool_close(&it->pool);
    free(it->text);
}

static void has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("lacks `%s`:\n%s", part, text);
}

static void lacks(const char *text, const char *part) {
    if (strstr(text, part)) fail_msg("has `%s`:\n%s", part, text);
}

/* ---- splits ---- */

#define GRID "demo,demo-sigma", "optim.lr=0.01,0.02", "train.seed=0,1,2"

/* One seed was stopped before its test split was evaluated: the first of all. */
static void scores_of_two_splits_are_not_subtracted(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, GRID);
    for (size_t c = 0; c < sweep.cell_count; c++)
        end_cell(&sweep.cells[c], c ? "test" : "val", 0.5);
    Case it = open_case(&sweep, 1);
    const CompareRow *low = &it.comparison.rows[0];
    assert_int_equal(low->of[COMPARE_SCORE].pairs, 2);
    assert_int_equal(low->of[COMPARE_LOSS].pairs, 2);
    has(it.text, "score, test top-1 %");
    has(it.text,
        "1 run is scored on split val, not test, and left out of the score and the "
        "loss (first: demo,optim.lr=0.01,train.seed=0)");
    json_t *numbers = compare_json(&it.pool, &it.comparison);
    assert_string_equal(json_string_value(json_object_get(numbers, "split")), "test");
    json_decref(numbers);
    SweepTrials trials;
    assert_int_equal(trials_open(&trials, &it.pool, NULL, NULL), OK);
    assert_true(isnan(trials.list[5].score)); /* the last of the first method */
    trials_close(&trials);
    close_case(&it);
    for (size_t c = 0; c < 6; c++) sweep.cells[c].result.val_loss = 1.5;
    end_cell(&sweep.cells[0], "test", 0.5);
    it = open_case(&sweep, 1);
    lacks(it.text, "scored on");
    close_case(&it);
    sweep_close(&sweep);
}

/* In the middle of two thirds of the runs, behind an evaluation of split val. */
static void break_most(Sweep *sweep, int exit) {
    for (size_t c = 0; c < sweep->cell_count; c++) {
        end_cell(&sweep->cells[c], c % 3 < 2 ? "val" : "test", 0.5);
        if (c % 3 == 2) continue;
        SweepResult *r = &sweep->cells[c].result;
        sweep->cells[c].exit = exit;
        r->diverged = r->nonfinite = exit == FAIL_DIVERGED;
        r->val_loss = r->nonfinite ? 1.5 : NAN;
    }
}

static void prints_split(const Sweep *sweep, const char *split) {
    char *text = NULL, part[80];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    sweep_print(sweep, out);
    fclose(out);
    text_format(part, sizeof part, "score, best: top-1 %%, of split %.10s", split);
    has(text, part);
    free(text);
}

static void runs_that_broke_off_do_not_choose_the_split_of_the_others(void **state) {
    (void)state;
    static const int EXITS[] = {FAIL_DIVERGED, FAIL_COLLAPSED};
    Sweep sweep;
    OPEN(&sweep, GRID);
    for (size_t i = 0; i < COUNT(EXITS); i++) {
        break_most(&sweep, EXITS[i]);
        prints_split(&sweep, "test");
        Case it = open_case(&sweep, 1);
        assert_int_equal(it.pool.loss, LOSS_SPLIT);
        has(it.text, "score, test top-1 %");
        lacks(it.text, "scored on split test");
        SweepTrials trials;
        assert_int_equal(trials_open(&trials, &it.pool, NULL, NULL), OK);
        assert_true(trials.list[0].score == 50 && trials.list[1].score == 50);
        trials_close(&trials);
        close_case(&it);
    }
    sweep_close(&sweep);
}

static void where_all_runs_broke_off_theirs_is_the_split(void **state) {
    (void)state;
    static const int EXITS[] = {FAIL_DIVERGED, FAIL_COLLAPSED};
    Sweep sweep;
    OPEN(&sweep, GRID);
    for (size_t i = 0; i < COUNT(EXITS); i++) {
        break_most(&sweep, EXITS[i]);
        for (size_t c = 2; c < sweep.cell_count; c += 3) sweep.cells[c].exit = FAIL_RUN;
        prints_split(&sweep, "val");
        Case it = open_case(&sweep, 1);
        has(it.text, "score, val top-1 %");
        close_case(&it);
    }
    sweep_close(&sweep);
}

static void seeds_of_two_splits_are_in_no_mean(void **state) {
    (void)state;
    SweepGroup group;
    Sweep sweep;
    OPEN(&sweep, "demo", "train.seed=0,1,2,3");
    for (size_t c = 0; c < 4; c++)
        end_cell(&sweep.cells[c], c < 3 ? "test" : "val", c < 3 ? 0.5 : 0.9);
    assert_int_equal(sweep_group(&sweep, &group), 1);
    sweep_intervals(&sweep, &group, 1);
    assert_true(group.unlike == 1 && group.score.count == 3 && group.loss.count == 4);
    assert_true(group.score.mean == 0.5 && group.score.interval.high == 0.5);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    sweep_print(&sweep, out);
    fclose(out);
    has(text, "1 run is scored on another split than the other seeds, and in no mean");
    has(text, "score, best: top-1 %, of split test");
    free(text);
    sweep_close(&sweep);
}

/* The guard stops three of demo's runs after a few steps, at a low loss. */
static void runs_that_the_guard_stopped_fail_and_are_in_no_mean(void **state) {
    (void)state;
    SweepGroup groups[12];
    Err err = ERR_NONE;
    Sweep sweep;
    OPEN(&sweep, GRID);
    for (size_t c = 0; c < sweep.cell_count; c++) {
        end_cell(&sweep.cells[c], "test", 0.5);
        sweep.cells[c].result.loss = c < 2 ? 0.1 : 1;
        if (c >= 2) continue;
        sweep.cells[c].exit = FAIL_COLLAPSED;
        sweep.cells[c].result.diverged = true; /* as sweep_read_result has it */
    }
    assert_true(sweep_group(&sweep, groups) > 1);
    assert_true(groups[0].stopped == 2 && groups[0].diverged == 2);
    assert_true(groups[0].loss.count == 1 && groups[0].loss.mean == 1);
    assert_int_equal(sweep_set_fail(&sweep, "loss>1.5", &err), OK);
    sweep_judge(&sweep);
    assert_true(sweep.cells[0].fate == FATE_FAILED && sweep.cells[2].fate == FATE_PASSED);
    Case it = open_case(&sweep, 1);
    assert_int_equal(it.comparison.failures[0].failed, 2);
    has(it.text, "2 runs were stopped by the collapse guard and count as failed");
    close_case(&it);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    sweep_print(&sweep, out);
    fclose(out);
    has(text, "2 runs were stopped by the collapse guard: in no mean, and counted as");
    has(text, "yes: stopped by the guard");
    free(text);
    sweep_close(&sweep);
}

/* The demo has validation losses at both rates; of demo-sigma no run has. */
static void a_missing_loss_is_not_that_of_guessing(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, GRID);
    for (size_t c = 0; c < sweep.cell_count; c++) {
        end_cell(&sweep.cells[c], "test", 0.5);
        if (c < 6) sweep.cells[c].result.val_loss = 1 + 0.1 * (double)c;
    }
    Case it = open_case(&sweep, 1);
    const CompareCurve *own = &it.comparison.curves[0], *other = own + 1;
    assert_int_equal(own->spread.count, 3);
    assert_int_equal(other->spread.count, 0);
    assert_true(isnan(other->spread.mean) && isnan(other->against.p));
    has(it.text, "6 runs have no val loss and are left out of it and of the sensitivity "
                 "(first: demo-sigma,optim.lr=0.01,train.seed=0)");
    close_case(&it);
    for (size_t c = 6; c < 12; c++) { /* at chance, because they broke off */
        sweep.cells[c].exit = FAIL_DIVERGED;
        sweep.cells[c].result.nonfinite = sweep.cells[c].result.diverged = true;
    }
    it = open_case(&sweep, 1);
    assert_int_equal(it.comparison.curves[1].spread.count, 3);
    lacks(it.text, "no val loss");
    close_case(&it);
    sweep_close(&sweep);
}

/* ---- failures ---- */

static void open_two(Sweep sweeps[2], const char *fail, const char *other) {
    for (size_t s = 0; s < 2; s++) {
        Err err = ERR_NONE;
        OPEN(&sweeps[s], s ? "demo-sigma" : "demo", "train.seed=1,2,3");
        text_format(sweeps[s].dir, sizeof sweeps[s].dir, "%s", s ? "b" : "a");
        for (size_t c = 0; c < 3; c++)
            end_cell(&sweeps[s].cells[c], "test", s ? 0.5 : 1.5);
        const char *text = s ? other : fail;
        if (text && sweep_set_fail(&sweeps[s], text, &err)) fail_msg("%s", err.text);
        sweep_judge(&sweeps[s]);
    }
}

static void two_prints(Sweep sweeps[2], const char *part) {
    Case it = open_case(sweeps, 2);
    if (part) has(it.text, part);
    else lacks(it.text, "judge");
    close_case(&it);
    sweep_close(&sweeps[0]);
    sweep_close(&sweeps[1]);
}

static void sweeps_that_are_not_judged_alike_are_said_to_be(void **state) {
    (void)state;
    Sweep sweeps[2];
    open_two(sweeps, "loss>1", "loss>1");
    two_prints(sweeps, NULL);
    open_two(sweeps, "loss>1", "loss>2");
    two_prints(sweeps,
               "different criteria of failure (loss > 1; loss > 2): here those fail "
               "that diverged; to judge all by one: --fail");
    open_two(sweeps, "loss>1", NULL);
    two_prints(sweeps, "(loss > 1; none)");
    open_two(sweeps, "midpoint", "midpoint");
    two_prints(sweeps,
               "each sweep is judged by its own midpoint; to judge all by one: --fail "
               "'midpoint'");
    open_two(sweeps, "midpoint", "midpoint");
    sweep_judge_together(sweeps, 2);
    two_prints(sweeps, NULL);
}

static void runs_without_the_criterions_number_are_named(void **state) {
    (void)state;
    Sweep sweeps[2];
    open_two(sweeps, "val_loss>1", "val_loss>1");
    sweeps[0].cells[0].result.val_loss = 2;
    sweep_judge(&sweeps[0]);
    two_prints(sweeps,
               "5 runs have no number for this criterion and are not counted (first: "
               "a/cells/train.seed=2)");
}

static void prints_open(const Sweep *sweep, const char *wanted) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    sweep_print_open(sweep, out);
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
}

static void runs_that_have_not_ended_are_named_and_which_failed(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo", "train.seed=1,2,3,4,5,6,7");
    for (size_t c = 0; c < 7; c++) end_cell(&sweep.cells[c], "test", 0.5);
    prints_open(&sweep, "");
    sweep.cells[2].exit = FAIL_DATA;
    sweep.cells[4].exit = FAIL_INTERRUPTED;
    prints_open(&sweep, " train.seed=3 (failed: exit 3); train.seed=5");
    for (size_t c = 0; c < 6; c++) sweep.cells[c].exit = SWEEP_OPEN;
    prints_open(&sweep,
                " train.seed=1; train.seed=2; train.seed=3; train.seed=4; and 2 more");
    sweep_close(&sweep);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(scores_of_two_splits_are_not_subtracted),
        cmocka_unit_test(runs_that_broke_off_do_not_choose_the_split_of_the_others),
        cmocka_unit_test(where_all_runs_broke_off_theirs_is_the_split),
        cmocka_unit_test(seeds_of_two_splits_are_in_no_mean),
        cmocka_unit_test(runs_that_the_guard_stopped_fail_and_are_in_no_mean),
        cmocka_unit_test(a_missing_loss_is_not_that_of_guessing),
        cmocka_unit_test(sweeps_that_are_not_judged_alike_are_said_to_be),
        cmocka_unit_test(runs_without_the_criterions_number_are_named),
        cmocka_unit_test(runs_that_have_not_ended_are_named_and_which_failed),
    };
    return cmocka_run_group_tests_name("compare_left", cases, NULL, NULL);
}
