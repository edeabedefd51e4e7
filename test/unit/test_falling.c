/* Whether a loss still falls at the end: curves that do, curves that are done, noise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "tools/run/falling.h"

enum { MOST = 1000 };
static const size_t COUNTS[] = {10, 12, 20, 60, 300, MOST};

/* from + (to - from) (1 - exp(-turns i/n)), with normal noise. */
static void curve(double *loss, size_t count, double from, double to, double turns,
                  double noise, uint64_t seed) {
    RngCursor dice = {rng_make(seed, 0, 0), 0};
    for (size_t i = 0; i < count; i++) {
        double way = 1 - exp(-turns * (double)i / (double)count);
        loss[i] = from + (to - from) * way + noise * rng_next_normal(&dice);
    }
}

/* Of 200 curves with other noise, the share that falls. */
static double share_falling(size_t count, double from, double to, double turns,
                            double noise) {
    static double loss[MOST];
    size_t falls = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        curve(loss, count, from, to, turns, noise, seed);
        falls += loss_fall(loss, count).falls;
    }
    return (double)falls / 200;
}

static void a_curve_that_is_cut_short_falls(void **state) {
    (void)state;
    for (size_t c = 0; c < COUNT(COUNTS); c++) {
        assert_true(share_falling(COUNTS[c], 95, 20, 1, 0) == 1);
        assert_true(share_falling(COUNTS[c], 95, 20, 1, 1) > 0.9);
    }
}

static void a_curve_that_is_done_does_not(void **state) {
    (void)state;
    for (size_t c = 0; c < COUNT(COUNTS); c++) {
        assert_true(share_falling(COUNTS[c], 3, 2.3, 20, 0) == 0);
        assert_true(share_falling(COUNTS[c], 3, 2.3, 20, 0.1) < 0.05);
    }
}

static void noise_is_no_fall(void **state) {
    (void)state;
    for (size_t c = 0; c < COUNT(COUNTS); c++)
        for (double noise = 0.01; noise < 2; noise *= 10)
            assert_true(share_falling(COUNTS[c], 2.3, 2.3, 1, noise) < 0.05);
}

static void a_loss_that_comes_down_from_an_explosion_does_not_fall(void **state) {
    (void)state;
    double loss[100];
    curve(loss, 100, 60, 5, 2, 0, 1);
    loss[0] = 2.4;
    assert_false(loss_fall(loss, 100).falls);
    loss[0] = 61;
    assert_true(loss_fall(loss, 100).falls);
    for (size_t i = 30; i < 50; i++) loss[i] = 2;
    assert_false(loss_fall(loss, 100).falls);
}

static void few_and_broken_numbers_do_not_fall(void **state) {
    (void)state;
    double loss[20];
    curve(loss, 20, 60, 5, 2, 0, 1);
    for (size_t count = 0; count < 10; count++)
        assert_false(loss_fall(loss, count).falls);
    assert_true(loss_fall(loss, 10).falls);
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t b = 0; b < COUNT(bad); b++)
        for (size_t i = 12; i < 20; i++) {
            double was = loss[i];
            loss[i] = bad[b];
            assert_false(loss_fall(loss, 20).falls);
            loss[i] = was;
        }
}

static void the_share_is_that_of_the_fifth_before(void **state) {
    (void)state;
    double loss[10] = {20, 18, 16, 14, 12, 10, 8, 8, 6, 6};
    assert_true(fabs(loss_fall(loss, 10).share - 0.25) < 1e-12);
}

static void a_split_falls_if_its_last_loss_is_the_lowest_by_one_per_cent(void **state) {
    (void)state;
    static const struct {
        double loss[5], first;
        size_t count;
        bool falls;
    } CASES[] = {
        {{59, 58, 57, 55, 53}, 158, 5, true},
        {{59, 58, 57, 55, 53}, 50, 5, false}, /* down from an explosion */
        {{30, 58, 57, 55, 53}, 158, 5, false},
        {{2.31, 2.305, 2.304, 2.303, 2.3025}, 2.4, 5, false},
        {{59, 58, 57, 53, 53}, 158, 5, false},
        {{59, 58, 57, NAN, 53}, 158, 5, false},
        {{59, 50}, 158, 2, false},
        {{59, 58, 50}, 158, 3, true},
        {{59, 58, 50}, NAN, 3, false},
    };
    for (size_t i = 0; i < COUNT(CASES); i++)
        if (loss_fall_scored(CASES[i].loss, CASES[i].count, CASES[i].first).falls !=
            CASES[i].falls)
            fail_msg("case %zu", i);
    assert_false(loss_fall_scored(NULL, 0, 1).falls);
}

static void a_rise_is_more_than_scatter(void **state) {
    (void)state;
    double loss[20];
    curve(loss, 20, 2.3, 3, 2, 0, 1);
    assert_true(loss_rose(loss, 20, 10, 0.02));
    static const double BATCHES[] = {158, 114, 55, 147, 116, 53,  118,
                                     155, 54,  54, 111, 164, 105, 165};
    assert_false(loss_rose(BATCHES, COUNT(BATCHES), 10, 0.02));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_curve_that_is_cut_short_falls),
        cmocka_unit_test(a_curve_that_is_done_does_not),
        cmocka_unit_test(noise_is_no_fall),
        cmocka_unit_test(a_loss_that_comes_down_from_an_explosion_does_not_fall),
        cmocka_unit_test(few_and_broken_numbers_do_not_fall),
        cmocka_unit_test(a_split_falls_if_its_last_loss_is_the_lowest_by_one_per_cent),
        cmocka_unit_test(a_rise_is_more_than_scatter),
        cmocka_unit_test(the_share_is_that_of_the_fifth_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
