/* Statistics of a few numbers: against SciPy (test/golden/make_statistics.py), against
 * enumeration, and by what they promise. */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "tools/sweep/statistics.h"

/* Rounding of means and of sums of logarithms; printed with 17 digits. */
#define NEAR 1e-10

static void near(const char *what, double got, double wanted) {
    if (!(fabs(got - wanted) <= NEAR * fmax(1, fabs(wanted))))
        fail_msg("%s: %.17g, wanted %.17g", what, got, wanted);
}

/* ---- golden values ---- */

static json_t *load(void) {
    json_error_t error;
    json_t *golden = json_load_file("test/golden/statistics.json", 0, &error);
    if (!golden) fail_msg("test/golden/statistics.json:%d: %s", error.line, error.text);
    return golden;
}

static double number(const json_t *row, const char *key) {
    return json_number_value(json_object_get(row, key));
}

static size_t whole(const json_t *row, const char *key) {
    return (size_t)json_integer_value(json_object_get(row, key));
}

static size_t numbers(const json_t *row, const char *key, double *x) {
    const json_t *list = json_object_get(row, key), *item;
    size_t i;
    json_array_foreach(list, i, item) x[i] = json_number_value(item);
    return json_array_size(list);
}

static const char *name_of(const json_t *row) {
    return json_string_value(json_object_get(row, "name"));
}

static void intervals_of_means_are_those_of_all_resamples(void **state) {
    (void)state;
    json_t *golden = load(), *row;
    size_t i;
    json_array_foreach(json_object_get(golden, "mean"), i, row) {
        double x[16];
        size_t n = numbers(row, "x", x);
        Interval got = statistics_mean_interval(x, n);
        near(name_of(row), got.low, number(row, "low"));
        near(name_of(row), got.high, number(row, "high"));
    }
    assert_int_equal(i, 7);
    json_decref(golden);
}

static void sign_flips_are_those_of_scipy(void **state) {
    (void)state;
    json_t *golden = load(), *row;
    size_t i;
    json_array_foreach(json_object_get(golden, "flip"), i, row) {
        double d[16];
        size_t n = numbers(row, "d", d);
        near(name_of(row), statistics_flip_p(d, n), number(row, "p"));
    }
    assert_int_equal(i, 5);
    json_decref(golden);
}

static void fishers_test_is_that_of_scipy(void **state) {
    (void)state;
    json_t *golden = load(), *row;
    size_t i;
    json_array_foreach(json_object_get(golden, "fisher"), i, row) {
        double t[4];
        numbers(row, "table", t);
        double p =
            statistics_fisher_p((size_t)t[0], (size_t)t[1], (size_t)t[2], (size_t)t[3]);
        near("fisher", p, number(row, "p"));
    }
    assert_int_equal(i, 10);
    json_decref(golden);
}

static void exact_intervals_of_shares_are_those_of_scipy(void **state) {
    (void)state;
    json_t *golden = load(), *row;
    size_t i;
    json_array_foreach(json_object_get(golden, "share"), i, row) {
        Interval got = statistics_share_interval(whole(row, "k"), whole(row, "n"));
        near("low", got.low, number(row, "low"));
        near("high", got.high, number(row, "high"));
    }
    assert_int_equal(i, 10);
    assert_true(isnan(statistics_share_interval(0, 0).low));
    json_decref(golden);
}

/* ---- properties ---- */

/* Of all choices of the failed ones among a + b runs, the share whose table is no
 * likelier than the one seen. */
static double fisher_by_enumeration(size_t failed_a, size_t a, size_t failed_b,
                                    size_t b) {
    double ways[17] = {0}, all = 0, p = 0;
    for (unsigned chosen = 0; chosen < 1u << (a + b); chosen++) {
        unsigned first = chosen & ((1u << a) - 1);
        if ((size_t)__builtin_popcount(chosen) != failed_a + failed_b) continue;
        ways[__builtin_popcount(first)]++;
        all++;
    }
    for (size_t k = 0; k <= a; k++)
        if (ways[k] <= ways[failed_a]) p += ways[k] / all;
    return p;
}

static void fishers_test_counts_the_tables_that_are_no_likelier(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {3, 3}, {4, 7}, {6, 2}, {5, 6}};
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (size_t i = 0; i <= sizes[s][0]; i++)
            for (size_t j = 0; j <= sizes[s][1]; j++)
                near("fisher", statistics_fisher_p(i, sizes[s][0], j, sizes[s][1]),
                     fisher_by_enumeration(i, sizes[s][0], j, sizes[s][1]));
}

/* How often the interval of n normal numbers holds their true mean, in a fixed stream. */
static double coverage(size_t n, size_t times) {
    RngCursor dice = {rng_make(7, RNG_BOOTSTRAP, n), 0};
    size_t held = 0;
    for (size_t t = 0; t < times; t++) {
        double x[16];
        for (size_t i = 0; i < n; i++) x[i] = 3 + rng_next_normal(&dice);
        Interval interval = statistics_mean_interval(x, n);
        held += interval.low <= 3 && 3 <= interval.high;
    }
    return (double)held / (double)times;
}

/* The shares that statistics.h gives, within three standard errors of the simulation. */
static void intervals_hold_the_true_mean_as_often_as_the_header_says(void **state) {
    (void)state;
    static const struct {
        size_t n, times;
        double share;
    } cases[] = {{3, 4000, 0.75},
                 {4, 4000, 0.875},
                 {5, 4000, 0.925},
                 {7, 1000, 0.94},
                 {10, 150, 0.945}};
    for (size_t c = 0; c < COUNT(cases); c++) {
        double share = cases[c].share, got = coverage(cases[c].n, cases[c].times);
        double error = sqrt(share * (1 - share) / (double)cases[c].times);
        if (!(fabs(got - share) < 3 * error + 0.003))
            fail_msg("n = %zu: %g, wanted %g", cases[c].n, got, share);
    }
}

static void an_interval_moves_and_stretches_with_its_numbers(void **state) {
    (void)state;
    double x[12], y[12];
    RngCursor dice = {rng_make(3, RNG_BOOTSTRAP, 0), 0};
    for (size_t i = 0; i < 12; i++) x[i] = rng_next_normal(&dice), y[i] = 5 - 2 * x[i];
    for (size_t n = INTERVAL_LEAST; n <= 12; n++) {
        Interval a = statistics_mean_interval(x, n), b = statistics_mean_interval(y, n);
        Interval again = statistics_mean_interval(x, n);
        assert_true(a.low == again.low && a.high == again.high);
        assert_true(a.low <= statistics_mean(x, n) && statistics_mean(x, n) <= a.high);
        double slack = n <= 8 ? 1e-12 : 0.2; /* drawn resamples are not symmetric */
        assert_true(fabs(b.low - (5 - 2 * a.high)) < slack);
        assert_true(fabs(b.high - (5 - 2 * a.low)) < slack);
    }
}

static void fewer_than_three_numbers_have_no_interval(void **state) {
    (void)state;
    double x[] = {1, 2};
    assert_true(isnan(statistics_mean_interval(x, 2).low));
    assert_true(isnan(statistics_mean_interval(x, 0).high));
    assert_true(isnan(statistics_mean(x, 0)) && statistics_mean(x, 2) == 1.5);
    assert_true(isnan(statistics_flip_p(x, 0)));
}

/* 16 equal differences: 2 of 2^16 choices of signs are as far; drawn ones hardly ever. */
static void many_pairs_are_judged_by_draws_and_never_by_none(void **state) {
    (void)state;
    double same[16], mixed[16];
    for (size_t i = 0; i < 16; i++) same[i] = 1, mixed[i] = i % 2 ? 1 : -1;
    double p = statistics_flip_p(same, 16);
    assert_true(p >= 1.0 / 10001 && p < 0.002);
    assert_true(statistics_flip_p(mixed, 16) == 1);
}

static void
sensitivity_is_the_mean_loss_above_the_best_capped_at_the_start(void **state) {
    (void)state;
    const double loss[] = {2.0, 1.0, 1.5, 9.0, NAN, INFINITY};
    near("finite", statistics_sensitivity(loss, 3, 2.3), 0.5);
    near("capped", statistics_sensitivity(loss, 4, 2.3), 6.8 / 4 - 1);
    near("all", statistics_sensitivity(loss, 6, 2.3), 11.4 / 6 - 1);
    near("no start", statistics_sensitivity(loss, 4, NAN), 13.5 / 4 - 1);
    near("never below", statistics_sensitivity(loss + 3, 3, 2.3), 0);
    assert_true(isnan(statistics_sensitivity(loss, 5, NAN)));
    assert_true(isnan(statistics_sensitivity(loss, 0, 2.3)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_of_means_are_those_of_all_resamples),
        cmocka_unit_test(sign_flips_are_those_of_scipy),
        cmocka_unit_test(fishers_test_is_that_of_scipy),
        cmocka_unit_test(exact_intervals_of_shares_are_those_of_scipy),
        cmocka_unit_test(fishers_test_counts_the_tables_that_are_no_likelier),
        cmocka_unit_test(intervals_hold_the_true_mean_as_often_as_the_header_says),
        cmocka_unit_test(an_interval_moves_and_stretches_with_its_numbers),
        cmocka_unit_test(fewer_than_three_numbers_have_no_interval),
        cmocka_unit_test(many_pairs_are_judged_by_draws_and_never_by_none),
        cmocka_unit_test(sensitivity_is_the_mean_loss_above_the_best_capped_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
