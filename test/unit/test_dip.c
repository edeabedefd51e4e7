/* Falls of a score below its best: how deep, from where, and when it was back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tools/run/dip.h"

static void expect_dip(ScoreDip seen, double depth, double from, double bottom) {
    assert_true(fabs(seen.depth - depth) < 1e-12);
    assert_true(seen.from == from && seen.bottom == bottom);
}

static void the_deepest_fall_below_the_best_before_is_told(void **state) {
    (void)state;
    static const double score[] = {0.1, 0.3, 0.25, 0.5, 0.2, 0.4, 0.5, 0.6, 0.55},
                        epoch[] = {2, 4, 6, 8, 10, 12, 14, 16, 18};
    ScoreDip dip = score_dip(score, epoch, 9, METRIC_TOP1);
    expect_dip(dip, 0.3, 8, 10);
    assert_true(dip.until == 14);
    dip = score_dip(score, NULL, 9, METRIC_TOP1);
    expect_dip(dip, 0.3, 4, 5);
    assert_true(dip.until == 7);
}

/* Its bottom comes in two falls; what lies between is not as good as the best. */
static void a_dip_ends_where_the_best_before_it_is_reached(void **state) {
    (void)state;
    static const double score[] = {0.5, 0.3, 0.49, 0.2, 0.499, 0.45};
    ScoreDip dip = score_dip(score, NULL, 6, METRIC_TOP1);
    expect_dip(dip, 0.3, 1, 4);
    assert_true(isnan(dip.until));
    static const double deeper[] = {0.5, 0.4, 0.6, 0.1, 0.5, 0.6};
    dip = score_dip(deeper, NULL, 6, METRIC_TOP1);
    expect_dip(dip, 0.5, 3, 4);
    assert_true(dip.until == 6); /* not where the first dip ended */
}

static void where_less_is_better_a_dip_is_a_rise(void **state) {
    (void)state;
    static const double loss[] = {2, 1, 1.5, 1.2, 0.9, 0.8};
    ScoreDip dip = score_dip(loss, NULL, 6, METRIC_LOSS);
    expect_dip(dip, 0.5, 2, 3);
    assert_true(dip.until == 5);
    expect_dip(score_dip(loss, NULL, 6, METRIC_TOP1), 1.2, 1, 6);
}

static void a_score_that_never_falls_has_none(void **state) {
    (void)state;
    static const double score[] = {0.1, 0.1, 0.2, 0.2};
    ScoreDip dip = score_dip(score, NULL, 4, METRIC_TOP1);
    assert_true(dip.depth == 0 && isnan(dip.from) && isnan(dip.bottom));
    assert_true(isnan(dip.until));
}

static void points_that_are_not_finite_are_left_out(void **state) {
    (void)state;
    static const double score[] = {NAN, 0.5, INFINITY, 0.2, NAN, 0.5};
    ScoreDip dip = score_dip(score, NULL, 6, METRIC_TOP1);
    expect_dip(dip, 0.3, 2, 4);
    assert_true(dip.until == 6);
    assert_true(isnan(score_dip(score, NULL, 3, METRIC_TOP1).depth));
    assert_true(isnan(score_dip(score, NULL, 0, METRIC_TOP1).depth));
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_deepest_fall_below_the_best_before_is_told),
        cmocka_unit_test(a_dip_ends_where_the_best_before_it_is_reached),
        cmocka_unit_test(where_less_is_better_a_dip_is_a_rise),
        cmocka_unit_test(a_score_that_never_falls_has_none),
        cmocka_unit_test(points_that_are_not_finite_are_left_out),
    };
    return cmocka_run_group_tests_name("dip", cases, NULL, NULL);
}
