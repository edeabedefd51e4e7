/* What `steady bench theory` says of Theorem 3.1 and Proposition 3.2. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tools/bench/theory.h"

enum { WIDTHS = 3, SEEDS = 2 };

static void an_exponent_and_its_interval_come_out_of_the_numbers(void **state) {
    (void)state;
    TheoryLine line = {.seeds = 3, .widths = THEORY_WIDTHS};
    static const double EXPONENT[] = {0.4, 0.5, 0.6};
    for (size_t s = 0; s < 3; s++)
        for (size_t w = 0; w < THEORY_WIDTHS; w++) {
            line.value[s][w] = 3 * pow((double)theory_widths[w], EXPONENT[s]);
            line.bound[s][w] = sqrt((double)theory_widths[w]);
        }
    theory_fit(&line);
    assert_true(fabs(line.exponent - 0.5) < 1e-9);
    assert_true(fabs(line.bound_exponent - 0.5) < 1e-9);
    /* t(2) s / sqrt(3) with s = 0.1 */
    assert_true(fabs(line.high - 0.5 - 4.302652729749462 * 0.1 / sqrt(3)) < 1e-9);
    assert_true(fabs(line.low + line.high - 1) < 1e-9);
    assert_true(fabs(theory_mean(&line, 0) - 3 * sqrt(64)) < 1e-9);
    assert_true(fabs(theory_least_ratio(&line) - 3 * pow(1024, -0.1)) < 1e-9);
}

static void ideal_steps_keep_the_bound_and_orthogonal_rows_meet_it(void **state) {
    (void)state;
    static TheoryLine lines[THEORY_IDEAL_LINES];
    size_t count = theory_ideal(lines, SEEDS, WIDTHS);
    assert_int_equal(count, THEORY_IDEAL_LINES);
    for (size_t i = 0; i < count; i++) {
        const TheoryLine *line = &lines[i];
        bool orthogonal = !strncmp(line->method, "orthogonal", 10);
        assert_true(theory_least_ratio(line) > 1 - 1e-5);
        assert_true(!orthogonal || theory_least_ratio(line) < 1 + 1e-5);
        assert_true(fabs(line->bound_exponent - 0.5) < 0.1);
        if (!strncmp(line->method, "rank 1", 6)) assert_true(line->exponent > 0.9);
        if (!strcmp(line->what, "noise 0")) /* the root of the width itself */
            assert_true(fabs(theory_bound_mean(line, 0) - 8) < 1e-4);
    }
}

static void
live_updates_keep_the_bound_and_gamma_moves_by_the_rate_at_most(void **state) {
    (void)state;
    static TheoryLine lines[THEORY_LIVE_LINES];
    char *words[] = {"train.batch=4", "data.synthetic_count=400", "train.threads=1"};
    size_t count, norms = 0, roots = 0;
    Err err = ERR_NONE;
    if (theory_live(lines, &count, SEEDS, WIDTHS - 1, words, COUNT(words), &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < count; i++) {
        const TheoryLine *line = &lines[i];
        bool sigma = !strncmp(line->method, "sigma", 5);
        assert_true(isfinite(line->exponent) && line->low <= line->high);
        if (strstr(line->what, ", norm")) {
            for (size_t w = 0; sigma && w < line->widths; w++)
                assert_true(theory_mean(line, w) < 1.01), norms++;
            continue;
        }
        assert_true(theory_least_ratio(line) > 1 - 1e-4);
        bool first = strstr(line->what, "step 1") != NULL;
        if (!strcmp(line->method, "plain") && first) {
            /* Adam's first step is the sign of the gradient: the bound is the root of
             * the longer side, 1, 3 or 4 widths */
            double side = strstr(line->what, "proj")  ? 1
                          : strstr(line->what, "qkv") ? 3
                                                      : 4;
            assert_true(fabs(theory_bound_mean(line, 0) - sqrt(64 * side)) < 0.2),
                roots++;
            assert_true(theory_mean(line, 1) > 1.5 * theory_mean(line, 0));
        }
    }
    assert_true(norms > 0 && roots == 4);
}

static void words_that_cannot_be_trained_are_refused(void **state) {
    (void)state;
    static TheoryLine lines[THEORY_LIVE_LINES];
    char *words[] = {"model.width_of=3"};
    size_t count;
    Err err = ERR_NONE;
    assert_int_equal(theory_live(lines, &count, SEEDS, 1, words, 1, &err), FAIL_USAGE);
}

static void gaps_are_never_negative_and_nothing_in_the_tight_case(void **state) {
    (void)state;
    TheoryGap gaps[THEORY_GAPS];
    theory_gaps(gaps);
    for (size_t i = 0; i < THEORY_GAPS; i++) {
        assert_true(gaps[i].lowest > 0 && gaps[i].random >= gaps[i].lowest);
        assert_true(fabs(gaps[i].tight) < 1e-9);
        assert_true(gaps[i].bound + gaps[i].random <= log((double)gaps[i].keys));
    }
}

static void what_the_bench_sets_or_cannot_measure_is_refused(void **state) {
    (void)state;
    static const struct {
        size_t seeds;
        const char *word, *message;
    } CASES[] = {
        {1, "train.batch=8", "--repeat 1: theory needs 2 to 20 seeds"},
        {21, "train.batch=8", "--repeat 21: theory needs 2 to 20 seeds"},
        {3, "model.width=64", "model.width=64 has no effect"},
        {3, "optim.name=sgd", "because theory sets optim.name"},
        {3, "task.kind=classify", "data.source = grammar"},
        {3, "optim.lr=0", "optim.lr and needs a value above 0"},
        {3, "model.depth=16", "theory allows at most 15"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Err err = ERR_NONE;
        char word[40], *words[] = {word};
        text_format(word, sizeof word, "%s", CASES[i].word);
        assert_int_equal(theory_check(CASES[i].seeds, words, 1, &err), FAIL_USAGE);
        assert_non_null(strstr(err.text, CASES[i].message));
    }
    Err err = ERR_NONE;
    char word[] = "model.depth=15", *words[] = {word};
    assert_int_equal(theory_check(20, words, 1, &err), OK);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(an_exponent_and_its_interval_come_out_of_the_numbers),
        cmocka_unit_test(ideal_steps_keep_the_bound_and_orthogonal_rows_meet_it),
        cmocka_unit_test(live_updates_keep_the_bound_and_gamma_moves_by_the_rate_at_most),
        cmocka_unit_test(words_that_cannot_be_trained_are_refused),
        cmocka_unit_test(gaps_are_never_negative_and_nothing_in_the_tight_case),
        cmocka_unit_test(what_the_bench_sets_or_cannot_measure_is_refused),
    };
    return cmocka_run_group_tests_name("theory", cases, NULL, NULL);
}
