/* The criterion of failure of a sweep (tools/sweep/criterion.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep_words.h"
#include "tools/sweep/sweep.h"

static SweepFate fate_by(Sweep *sweep, const char *text, size_t cell) {
    Err err = ERR_NONE;
    if (sweep_set_fail(sweep, text, &err)) fail_msg("%s", err.text);
    sweep_judge(sweep);
    return sweep->cells[cell].fate;
}

static void end_cell(Sweep *sweep, size_t cell, double loss, double entropy) {
    SweepResult *r = &sweep->cells[cell].result;
    sweep->cells[cell].exit = OK;
    r->loss = loss;
    r->entropy = entropy;
    r->chance = 2.3;
}

static void each_operator_is_as_it_reads(void **state) {
    (void)state;
    static const struct {
        const char *text;
        SweepFate fate;
    } cases[] = {
        {"loss>1.5", FATE_PASSED},
        {"loss>=1.5", FATE_FAILED},
        {"loss < 1.5", FATE_PASSED},
        {"loss <= 1.5", FATE_FAILED},
        {"loss>1.4", FATE_FAILED},
        {"entropy<10%", FATE_FAILED},
        {"entropy < 5 %", FATE_PASSED},
        {"entropy<0.1", FATE_FAILED}, /* the former name */
        {"site_entropy<0.1", FATE_FAILED},
        {"site_entropy_end<0.1", FATE_UNKNOWN},
        {"loss>2 or entropy<0.1", FATE_FAILED},
        {"loss>2,entropy<0.1", FATE_FAILED},
        {"loss>2 or entropy<0.01", FATE_PASSED},
        {"val_loss>1", FATE_UNKNOWN},
        {"val_loss>1 or loss>1", FATE_FAILED},
        {"loss>2 or val_loss>1", FATE_UNKNOWN},
        {"collapsed", FATE_FAILED},
        {"diverged", FATE_PASSED},
    };
    Sweep sweep;
    OPEN(&sweep, "demo");
    end_cell(&sweep, 0, 1.5, 0.06);
    sweep.cells[0].result.collapsed = true;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (fate_by(&sweep, cases[i].text, 0) != cases[i].fate)
            fail_msg("%s", cases[i].text);
    sweep.cells[0].cpu_seconds = 5;
    assert_int_equal(fate_by(&sweep, "cpu_seconds>4", 0), FATE_FAILED);
    sweep.cells[0].result.scores[METRIC_TOP1] = 0.3;
    assert_int_equal(fate_by(&sweep, "top1<40%", 0), FATE_FAILED);
    sweep_close(&sweep);
}

/* Seven runs that did not fall beside one that did are one of eight, not one of one. */
static void what_did_not_happen_is_zero_where_it_would_have_been_seen(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo");
    SweepResult *r = &sweep.cells[0].result;
    end_cell(&sweep, 0, 1.5, 0.06);
    assert_int_equal(fate_by(&sweep, "spike_depth>0.1", 0), FATE_PASSED);
    assert_int_equal(fate_by(&sweep, "probe_fall>0.1", 0), FATE_UNKNOWN);
    r->scores[METRIC_PROBE_TOP1] = 0.3;
    assert_int_equal(fate_by(&sweep, "probe_fall>0.1", 0), FATE_PASSED);
    assert_int_equal(fate_by(&sweep, "probe_epochs>3", 0), FATE_PASSED);
    r->probe_fall = 0.2;
    assert_int_equal(fate_by(&sweep, "probe_fall>0.1", 0), FATE_FAILED);
    assert_int_equal(fate_by(&sweep, "probe_epochs>3", 0), FATE_FAILED);
    r->probe_epochs = 2;
    assert_int_equal(fate_by(&sweep, "probe_epochs>3", 0), FATE_PASSED);
    sweep_close(&sweep);
}

static void what_is_not_finite_fails_and_what_has_not_ended_has_no_fate(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo", "train.seed=0,1,2");
    end_cell(&sweep, 0, NAN, NAN);
    sweep.cells[0].exit = FAIL_DIVERGED;
    sweep.cells[0].result.nonfinite = true;
    sweep.cells[1].exit = FAIL_DATA;
    assert_int_equal(fate_by(&sweep, "loss>1", 0), FATE_FAILED);
    assert_int_equal(sweep.cells[1].fate, FATE_UNKNOWN);
    assert_int_equal(sweep.cells[2].fate, FATE_UNKNOWN);
    sweep_clear_fail(&sweep);
    sweep_judge(&sweep);
    assert_int_equal(sweep.cells[0].fate, FATE_UNKNOWN);
    sweep_close(&sweep);
}

/* Means of the seeds: 0.7, 1.0, and 0.1 of one whose other seed has not ended. */
static void
the_midpoint_is_between_chance_and_the_best_whole_configuration(void **state) {
    (void)state;
    static const double losses[] = {0.6, 0.8, 1.49, 0.51, 0.1};
    char text[SWEEP_DEFINITION];
    Sweep sweep;
    OPEN(&sweep, "demo", "optim.lr=1,2,3", "train.seed=0,1");
    for (size_t c = 0; c < COUNT(losses); c++) end_cell(&sweep, c, losses[c], 0.5);
    assert_int_equal(fate_by(&sweep, "midpoint", 2), FATE_PASSED);
    sweep.cells[2].result.loss = 1.51;
    sweep_judge(&sweep);
    assert_int_equal(sweep.cells[2].fate, FATE_FAILED);
    assert_int_equal(sweep.cells[4].fate, FATE_PASSED);
    sweep_fail_definition(&sweep, text, sizeof text);
    assert_string_equal(text,
                        "fails: midpoint, or a non-finite loss or gradient; "
                        "loss: mean of the last fifth of the steps; midpoint: loss above "
                        "the midpoint between chance and the lowest mean loss of a "
                        "configuration, (2.3 + 0.7) / 2 = 1.5");
    sweep.cells[0].result.chance = NAN;
    sweep_judge(&sweep);
    assert_int_equal(sweep.cells[0].fate, FATE_UNKNOWN);
    sweep_close(&sweep);
}

static const char *definition_of(const Sweep *sweep) {
    static char text[SWEEP_DEFINITION];
    sweep_fail_definition(sweep, text, sizeof text);
    return text;
}

static void has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("`%s` lacks `%s`", text, part);
}

/* The lowest loss of all is that of runs that broke off. */
static void runs_that_broke_off_set_no_midpoint_and_are_in_no_mean(void **state) {
    (void)state;
    static const double losses[] = {0.7, 0.7, 0.7, 0.1, 0.3, 0.2};
    SweepGroup groups[6];
    Sweep sweep;
    OPEN(&sweep, "demo", "optim.lr=1,2", "train.seed=0,1,2");
    for (size_t c = 0; c < COUNT(losses); c++) end_cell(&sweep, c, losses[c], 0.5);
    sweep.cells[3].exit = FAIL_DIVERGED;
    sweep.cells[3].result.nonfinite = sweep.cells[3].result.diverged = true;
    assert_int_equal(fate_by(&sweep, "midpoint", 3), FATE_FAILED);
    has(definition_of(&sweep), "(2.3 + 0.7) / 2 = 1.5");
    assert_int_equal(sweep_group(&sweep, groups), 2);
    assert_true(groups[1].count == 3 && groups[1].nonfinite == 1);
    assert_int_equal(groups[1].loss.count, 2);
    assert_true(fabs(groups[1].loss.mean - 0.25) < 1e-12);
    sweep_intervals(&sweep, groups, 2);
    assert_true(isfinite(groups[0].loss.interval.low));
    assert_true(isnan(groups[1].loss.interval.low)); /* of two */
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    sweep_print(&sweep, out);
    fclose(out);
    has(text, "1 run became non-finite: in no mean, and counted as diverged");
    free(text);
    sweep_close(&sweep);
}

/* 0.3 of 2 classes says nothing of 10; 2 % more of chance are texts of another seed. */
static void each_chance_has_a_midpoint_of_its_own(void **state) {
    (void)state;
    static const double losses[] = {0.2, 0.3, 1.5, 2.1},
                        chances[] = {0.69, 0.692, 2.3, 2.3};
    Sweep sweep;
    OPEN(&sweep, "demo", "optim.lr=1,2,3,4");
    for (size_t c = 0; c < COUNT(losses); c++) {
        end_cell(&sweep, c, losses[c], 0.5);
        sweep.cells[c].result.chance = chances[c];
    }
    assert_int_equal(fate_by(&sweep, "midpoint", 2), FATE_PASSED);
    assert_int_equal(sweep.cells[3].fate, FATE_FAILED);
    has(definition_of(&sweep), ", (0.69 + 0.2) / 2 = 0.445; (2.3 + 1.5) / 2 = 1.9, each");
    sweep.cells[1].result.loss = 0.4455; /* by the level that is printed */
    sweep_judge(&sweep);
    assert_int_equal(sweep.cells[1].fate, FATE_FAILED);
    sweep_close(&sweep);
}

/* Means of 6 and 3.2, chance 2.3: the middle would let a run of 3.9 pass. */
static void a_midpoint_is_never_above_chance(void **state) {
    (void)state;
    static const double losses[] = {8, 4, 2.29, 4.11};
    Sweep sweep;
    OPEN(&sweep, "demo", "optim.lr=1,2", "train.seed=0,1");
    for (size_t c = 0; c < COUNT(losses); c++) end_cell(&sweep, c, losses[c], 0.5);
    for (size_t c = 0; c < COUNT(losses); c++)
        assert_int_equal(fate_by(&sweep, "midpoint", c),
                         c == 2 ? FATE_PASSED : FATE_FAILED);
    sweep.cells[1].result.loss = 2.4;
    sweep_judge(&sweep);
    assert_int_equal(sweep.cells[1].fate, FATE_FAILED);
    has(definition_of(&sweep), "configuration, 2.3 (chance; the lowest mean is 3.2)");
    sweep.cells[3].result.loss = 2.25; /* a mean of 2.27 */
    sweep_judge(&sweep);
    assert_int_equal(sweep.cells[2].fate, FATE_FAILED);
    has(definition_of(&sweep), "configuration, (2.3 + 2.27) / 2 = 2.285");
    sweep_close(&sweep);
}

static void a_score_that_no_run_will_have_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *fail;
        Status wanted;
    } cases[] = {{"bleu<10", FAIL_USAGE},
                 {"wer>120%", FAIL_USAGE},
                 {"loss>1 or feature_std<1%", FAIL_USAGE},
                 {"top1<30%", OK},
                 {"val_loss>2 or midpoint", OK}};
    Sweep sweep;
    OPEN(&sweep, "demo", "optim.lr=1,2");
    for (size_t i = 0; i < COUNT(cases); i++) {
        Err err = ERR_NONE;
        assert_int_equal(sweep_set_fail(&sweep, cases[i].fail, &err), OK);
        assert_int_equal(sweep_check_fail(&sweep, &err), cases[i].wanted);
        if (cases[i].wanted) has(err.text, "; expected one of loss, top1, top5, or");
    }
    sweep_close(&sweep);
    OPEN(&sweep, "demo,multi30k-post"); /* one of them has it */
    assert_int_equal(sweep_set_fail(&sweep, "bleu<10", NULL), OK);
    assert_int_equal(sweep_check_fail(&sweep, NULL), OK);
    sweep_close(&sweep);
}

static void several_sweeps_have_one_midpoint(void **state) {
    (void)state;
    Sweep sweeps[2];
    for (size_t s = 0; s < 2; s++) {
        OPEN(&sweeps[s], s ? "demo-sigma" : "demo", "optim.lr=1,2");
        end_cell(&sweeps[s], 0, s ? 0.1 : 1.3, 0.5);
        end_cell(&sweeps[s], 1, 1.4, 0.5);
        assert_int_equal(fate_by(&sweeps[s], "midpoint", 1),
                         s ? FATE_FAILED : FATE_PASSED);
    }
    sweep_judge_together(sweeps, 2);
    for (size_t s = 0; s < 2; s++) {
        assert_int_equal(sweeps[s].cells[1].fate, FATE_FAILED);
        has(definition_of(&sweeps[s]),
            "configuration of all sweeps, (2.3 + 0.1) / 2 = 1.2");
    }
    sweep_close(&sweeps[0]);
    sweep_close(&sweeps[1]);
}

static void failures_are_counted_by_method_over_configurations(void **state) {
    (void)state;
    /* of the first method: all seeds fail, two of three, one, none */
    static const int fails[] = {1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0};
    SweepFailures list[24];
    Sweep sweep;
    OPEN(&sweep, "demo,demo-sigma", "optim.lr=1,2", "train.batch=8,16",
         "train.seed=0,1,2");
    for (size_t c = 0; c < 12; c++) end_cell(&sweep, c, fails[c], 0.5);
    for (size_t c = 12; c < 15; c++) end_cell(&sweep, c, 0, 0.5);
    fate_by(&sweep, "loss>0.5", 0);
    assert_int_equal(sweep_failures(&sweep, list), 2);
    assert_int_equal(list[0].runs, 12);
    assert_int_equal(list[0].failed, 6);
    assert_int_equal(list[0].configurations, 4);
    assert_int_equal(list[0].any, 3);
    assert_int_equal(list[0].most, 2);
    assert_int_equal(list[0].every, 1);
    assert_int_equal(list[1].first, 12);
    assert_int_equal(list[1].configurations, 1); /* the others have not run */
    assert_int_equal(list[1].any, 0);
    sweep_close(&sweep);
}

/* Linked keys of one recipe: two methods of its own. */
static void keys_can_make_the_methods(void **state) {
    (void)state;
    SweepFailures list[12];
    char name[SWEEP_NAME];
    Sweep sweep;
    OPEN(&sweep, "demo,demo-sigma", "optim.lr=1,2", "train.seed=0,1",
         "demo-sigma:{model.init_std,model.gamma_init}={0.07,spectral;0.2,1}");
    for (size_t c = 0; c < sweep.cell_count; c++) end_cell(&sweep, c, c % 2, 0.5);
    sweep.methods = "recipe, model.gamma_init";
    fate_by(&sweep, "loss>0.5", 0);
    assert_int_equal(sweep_failures(&sweep, list), 3);
    sweep_method(&sweep, list[2].first, name);
    assert_string_equal(name, "demo-sigma, 0.2,1");
    assert_true(list[0].runs == 4 && list[0].failed == 2 && list[1].failed == 0);
    assert_true(list[2].failed == 4 && list[2].every == 2);
    sweep.methods = "optim.lr"; /* what one recipe alone has tells methods apart, too */
    assert_int_equal(sweep_failures(&sweep, list), 6);
    SweepChoice choice = {.method = ""}; /* an empty name never ended */
    Err err = ERR_NONE;
    assert_int_equal(sweep_check_choice(&sweep, &choice, &err), FAIL_USAGE);
    choice.method = "recipe,,optim.lr";
    assert_int_equal(sweep_check_choice(&sweep, &choice, &err), FAIL_USAGE);
    choice.method = "recipe, model.gamma_init"; /* with blanks as failures are counted */
    assert_int_equal(sweep_check_choice(&sweep, &choice, &err), OK);
    sweep.methods = NULL;
    assert_int_equal(sweep_failures(&sweep, list), 3);
    sweep_method(&sweep, list[0].first, name);
    assert_string_equal(name, "demo");
    sweep_method(&sweep, list[1].first, name);
    assert_string_equal(name, "demo-sigma, 0.07,spectral");
    sweep_close(&sweep);
    OPEN(&sweep, "demo", "optim.lr=1,2", "model.norm=pre,post");
    assert_int_equal(sweep_failures(&sweep, list), 2);
    sweep_method(&sweep, list[1].first, name);
    assert_string_equal(name, "post");
    sweep_close(&sweep);
}

static void half_of_the_seeds_are_not_most(void **state) {
    (void)state;
    SweepFailures list[2];
    Sweep sweep;
    OPEN(&sweep, "demo", "train.seed=0,1");
    end_cell(&sweep, 0, 1, 0.5);
    end_cell(&sweep, 1, 0, 0.5);
    fate_by(&sweep, "loss>0.5", 0);
    assert_int_equal(sweep_failures(&sweep, list), 1);
    assert_true(list[0].any == 1 && list[0].most == 0 && list[0].every == 0);
    sweep_close(&sweep);
}

static void a_criterion_is_written_in_one_way(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo");
    fate_by(&sweep, "  loss>1.480 or  entropy <=10% ,midpoint", 0);
    assert_string_equal(sweep_fail_text(&sweep),
                        "loss > 1.48 or entropy <= 0.1 or midpoint");
    char *again = mem_strdup(sweep_fail_text(&sweep));
    fate_by(&sweep, again, 0);
    assert_string_equal(sweep_fail_text(&sweep), again);
    mem_free(again);
    sweep_close(&sweep);
}

static void a_wrong_criterion_is_refused_and_the_old_one_stays(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "is not a condition"},
        {"loss", "is not a condition"},
        {"loss>", "not a number"},
        {"loss>a", "not a number"},
        {"loss>1 2", "not a number"},
        {"loss>inf", "not a number"},
        {"loss>1 or", "is not a condition"},
        {"loss>1,,midpoint", "is not a condition"},
        {">2", "is not a number of a run"},
        {"loss=>2", "did you mean loss"},
        {"losss>2", "did you mean loss"},
        {"verdict>2", "is not a number of a run"},
        {"midpoint>2", "is not a number of"},
        {"loss>1 and entropy<1", "not a number"},
        {"top1<30", "`top1` is a share (1 is 100 %); write 30% or 3000%"},
        {"wer >= 1.2", "`wer` is a share"},
        {"probe_fall>5", "is a share"},
        {"entropy<10", "is a share"},
        {"site_entropy_cross<-2", "is a share"},
        {"score<30", "`score` is a share"},
        {"bleu<10%", "`bleu` is not a share; write a number without %, such as 10"},
        {"loss>2%", "is not a share"},
        {"cpu_seconds>2%", "is not a share"},
        {"loss>2 or spike_depth>10 %", "is not a share"},
    };
    Sweep sweep;
    OPEN(&sweep, "demo");
    fate_by(&sweep, "loss>1", 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        Err err = ERR_NONE;
        assert_int_equal(sweep_set_fail(&sweep, cases[i][0], &err), FAIL_USAGE);
        if (!strstr(err.text, cases[i][1])) fail_msg("%s: %s", cases[i][0], err.text);
        assert_string_equal(sweep_fail_text(&sweep), "loss > 1");
    }
    sweep_close(&sweep);
}

/* Runs of translators are scored by BLEU; of both, on neither scale. */
static void a_share_is_a_share_of_the_scores_that_the_recipes_have(void **state) {
    (void)state;
    Sweep sweep;
    Err err = ERR_NONE;
    OPEN(&sweep, "demo,demo-sigma", "optim.lr=1,2");
    fate_by(&sweep, "score<30%, best < 1, wer>120%, ppl>1e3", 0);
    sweep_close(&sweep);
    OPEN(&sweep, "multi30k-post");
    fate_by(&sweep, "score<30", 0);
    assert_int_equal(sweep_set_fail(&sweep, "score<30%", &err), FAIL_USAGE);
    sweep_close(&sweep);
    OPEN(&sweep, "demo,multi30k-post");
    fate_by(&sweep, "score<30", 0);
    fate_by(&sweep, "score<30%", 0);
    sweep_close(&sweep);
}

/* 120 % is written as 1.2; an older version took 30 for what it said. */
static void the_criterion_of_a_file_is_read_on_any_scale(void **state) {
    (void)state;
    static const char *const texts[] = {"wer > 1.2", "top1 < 30", "loss > 0.02"};
    Sweep sweep;
    Err err = ERR_NONE;
    OPEN(&sweep, "demo");
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (sweep_restore_fail(&sweep, texts[i], &err)) fail_msg("%s", err.text);
        assert_string_equal(sweep_fail_text(&sweep), texts[i]);
    }
    fate_by(&sweep, "wer>120%", 0);
    assert_string_equal(sweep_fail_text(&sweep), texts[0]);
    sweep_close(&sweep);
}

static void crosses_of_the_figure_are_by_the_criterion(void **state) {
    (void)state;
    Sweep sweep;
    SweepPoint points[2];
    char names[2][SWEEP_NAME];
    const char *x;
    OPEN(&sweep, "demo", "optim.lr=0.1,0.2");
    end_cell(&sweep, 0, 1.5, 0.5);
    end_cell(&sweep, 1, 0.5, 0.5);
    sweep.cells[1].result.diverged = true;
    assert_int_equal(sweep_points(&sweep, points, names, &x), 2);
    assert_true(!points[0].failed && points[1].failed);
    assert_int_equal(fate_by(&sweep, "loss>1", 0), FATE_FAILED);
    assert_int_equal(sweep_points(&sweep, points, names, &x), 2);
    assert_true(points[0].failed && !points[1].failed);
    sweep_close(&sweep);
}

static void a_criterion_fits_into_its_definition_or_is_refused(void **state) {
    (void)state;
    Sweep sweep;
    Err err = ERR_NONE;
    char text[3000] = "midpoint", definition[SWEEP_DEFINITION];
    OPEN(&sweep, "demo");
    fate_by(&sweep, text, 0);
    while (strlen(text) + 40 < sizeof text) {
        strcat(text, " or loss > 1.23456789");
        if (sweep_set_fail(&sweep, text, &err)) break;
        sweep_fail_definition(&sweep, definition, sizeof definition);
    }
    assert_int_equal(err.status, FAIL_USAGE);
    assert_non_null(strstr(err.text, "more than"));
    sweep_close(&sweep);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(each_operator_is_as_it_reads),
        cmocka_unit_test(what_did_not_happen_is_zero_where_it_would_have_been_seen),
        cmocka_unit_test(what_is_not_finite_fails_and_what_has_not_ended_has_no_fate),
        cmocka_unit_test(the_midpoint_is_between_chance_and_the_best_whole_configuration),
        cmocka_unit_test(runs_that_broke_off_set_no_midpoint_and_are_in_no_mean),
        cmocka_unit_test(each_chance_has_a_midpoint_of_its_own),
        cmocka_unit_test(a_midpoint_is_never_above_chance),
        cmocka_unit_test(a_score_that_no_run_will_have_is_refused),
        cmocka_unit_test(several_sweeps_have_one_midpoint),
        cmocka_unit_test(failures_are_counted_by_method_over_configurations),
        cmocka_unit_test(keys_can_make_the_methods),
        cmocka_unit_test(half_of_the_seeds_are_not_most),
        cmocka_unit_test(a_criterion_is_written_in_one_way),
        cmocka_unit_test(a_wrong_criterion_is_refused_and_the_old_one_stays),
        cmocka_unit_test(a_share_is_a_share_of_the_scores_that_the_recipes_have),
        cmocka_unit_test(the_criterion_of_a_file_is_read_on_any_scale),
        cmocka_unit_test(crosses_of_the_figure_are_by_the_criterion),
        cmocka_unit_test(a_criterion_fits_into_its_definition_or_is_refused),
    };
    return cmocka_run_group_tests_name("sweep_criterion", cases, NULL, NULL);
}
