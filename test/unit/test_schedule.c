/* schedule: the formulas at their corners and between. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/optim/plateau.h"
#include "engine/optim/schedule.h"

static void assert_near(double seen, double want) {
    if (!(fabs(seen - want) <= 1e-12 * fmax(1, fabs(want))))
        fail_msg("%.15g, wanted %.15g", seen, want);
}

#define KIND(KIND_, name, rate, ends, keys) SCHEDULE_##KIND_,
static const ScheduleKind kinds[] = {SCHEDULE_LIST(KIND)};

static void every_schedule_warms_up_and_reaches_the_rate_at_w(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        ScheduleConfig config = {.name = kinds[k],
                                 .warmup_init = 0.1,
                                 .step_factor = 0.1};
        assert_near(schedule_rate(&config, 0.5, 1, 100, 4, 0), 0.2);
        assert_near(schedule_rate(&config, 0.5, 3, 100, 4, 0), 0.4);
        assert_near(schedule_rate(&config, 0.5, 4, 100, 4, 0), 0.5);
    }
}

static void constant_stays(void **state) {
    (void)state;
    ScheduleConfig config = {.name = SCHEDULE_CONSTANT, .min_lr = 0.1};
    assert_near(schedule_rate(&config, 0.5, 1, 100, 0, 0), 0.5);
    assert_near(schedule_rate(&config, 0.5, 100, 100, 10, 0), 0.5);
}

static void cosine_ends_at_min_lr(void **state) {
    (void)state;
    ScheduleConfig config = {.name = SCHEDULE_COSINE, .min_lr = 0.1};
    assert_near(schedule_rate(&config, 0.5, 55, 100, 10, 0), 0.3);
    assert_near(schedule_rate(&config, 0.5, 40, 100, 10, 0), 0.1 + 0.2 * 1.5);
    assert_near(schedule_rate(&config, 0.5, 100, 100, 10, 0), 0.1);
    assert_near(schedule_rate(&config, 0.5, 120, 100, 10, 0), 0.1);
}

static void linear_ends_at_min_lr(void **state) {
    (void)state;
    ScheduleConfig config = {.name = SCHEDULE_LINEAR, .min_lr = 0.1};
    assert_near(schedule_rate(&config, 0.5, 25, 100, 0, 0), 0.4);
    assert_near(schedule_rate(&config, 0.5, 100, 100, 0, 0), 0.1);
}

static void inverse_sqrt_is_continuous_at_w(void **state) {
    (void)state;
    ScheduleConfig config = {.name = SCHEDULE_INVERSE_SQRT, .warmup_init = 1e-7};
    assert_near(schedule_rate(&config, 0.5, 4000, 100000, 4000, 0), 0.5);
    assert_near(schedule_rate(&config, 0.5, 16000, 100000, 4000, 0), 0.25);
    assert_near(schedule_rate(&config, 0.5, 1, 100, 0, 0), 0.5);
    assert_near(schedule_rate(&config, 0.5, 4, 100, 0, 0), 0.25);
}

static void step_shrinks_at_each_entry(void **state) {
    (void)state;
    ScheduleConfig config = {
        .name = SCHEDULE_STEP, .step_at = {10, 20}, .step_count = 2, .step_factor = 0.1};
    assert_near(schedule_rate(&config, 0.5, 9, 100, 0, 0), 0.5);
    assert_near(schedule_rate(&config, 0.5, 10, 100, 0, 0), 0.05);
    assert_near(schedule_rate(&config, 0.5, 19, 100, 0, 0), 0.05);
    assert_near(schedule_rate(&config, 0.5, 20, 100, 0, 0), 0.005);
}

static void a_run_shorter_than_its_warmup_is_defined(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        ScheduleConfig config = {.name = kinds[k], .min_lr = 0.1, .step_factor = 1};
        assert_near(schedule_rate(&config, 0.5, 5, 5, 10, 0), 0.25);
        assert_true(isfinite(schedule_rate(&config, 0.5, 11, 5, 10, 0)));
        assert_true(isfinite(schedule_rate(&config, 0.5, 11, 10, 10, 0)));
    }
}

static void a_schedule_has_an_end_when_longer_runs_have_other_rates(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        ScheduleConfig config = {.name = kinds[k], .min_lr = 0.1, .step_factor = 0.5};
        bool moved = false;
        for (size_t step = 11; step <= 100; step++)
            moved |= schedule_rate(&config, 0.5, step, 100, 10, 1) !=
                     schedule_rate(&config, 0.5, step, 200, 10, 1);
        assert_int_equal(schedule_has_end(kinds[k]), moved);
    }
}

/* ---- PyTorch 1.13's ReduceLROnPlateau from 0.8 on; test/golden/plateau_rates.py ---- */

/* Scores by the number of whoever calls plateau_see. */
enum { LOSS, ERRORS, GAIN };

static void assert_rates(const ScheduleConfig *config, const double rates[20]) {
    static const double losses[20] = {3,   2,   2.5, 2.4, 2.2, 1.9999, 1.99985,
                                      2.1, 2.2, 1.5, 1.6, 1.7, 1.8,    1.4999,
                                      1.6, 1.6, 1.6, 1.6, 1.6, 1.6};
    Plateau plateau = PLATEAU_START;
    for (size_t i = 0; i < COUNT(losses); i++) {
        size_t before = plateau.reductions;
        bool shrinks = plateau_see(&plateau, LOSS, losses[i], config->patience);
        assert_true(shrinks == (plateau.reductions > before));
        double seen = schedule_rate(config, 0.8, 100, 1000, 10, plateau.reductions);
        /* They have 12 digits, and a product is not quite pow(). */
        assert_true(fabs(seen / rates[i] - 1) < 1e-11);
    }
}

static void plateau_lowers_the_rate_where_pytorch_does(void **state) {
    (void)state;
    ScheduleConfig five = {.name = SCHEDULE_PLATEAU, .step_factor = 0.5, .patience = 5};
    assert_rates(&five, (double[]){0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4,
                                   0.4, 0.4, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.2, 0.2});
    ScheduleConfig none = {.name = SCHEDULE_PLATEAU, .step_factor = 0.1};
    assert_rates(&none, (double[]){0.8,   0.8,   0.08,  0.008, 8e-4,  8e-5,  8e-6,
                                   8e-7,  8e-8,  8e-8,  8e-9,  8e-10, 8e-11, 8e-12,
                                   8e-13, 8e-14, 8e-15, 8e-16, 8e-17, 8e-18});
}

static void plateau_stays_above_min_lr_as_pytorch_does(void **state) {
    (void)state;
    ScheduleConfig config = {
        .name = SCHEDULE_PLATEAU, .min_lr = 0.15, .step_factor = 0.5, .patience = 2};
    assert_rates(&config,
                 (double[]){0.8, 0.8, 0.8,  0.8,  0.4,  0.4,  0.4,  0.2,  0.2,  0.2,
                            0.2, 0.2, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15});
    config.min_lr = 0.9; /* above the rate: it is never raised */
    config.patience = 1;
    double base[20];
    for (size_t i = 0; i < COUNT(base); i++) base[i] = 0.8;
    assert_rates(&config, base);
}

static void other_scores_leave_the_rate_as_it_is(void **state) {
    (void)state;
    Plateau plateau = {.watch = ERRORS, .best = 0.1, .bad = 2, .reductions = 3};
    plateau = plateau_again(&plateau);
    assert_int_equal(plateau.watch, ERRORS);
    assert_int_equal(plateau.bad, 0);
    assert_int_equal(plateau.reductions, 3);
    assert_false(plateau_see(&plateau, ERRORS, 0.9, 0));
    assert_true(plateau_see(&plateau, ERRORS, 0.9, 0));
}

/* mode = "max" of the same row upside down; test/golden/plateau_rates.py. */
static void scores_that_should_rise_are_judged_as_pytorch_does(void **state) {
    (void)state;
    static const double scores[20] = {20, 30, 25, 24, 22, 30.001,  29, 28, 30.004, 29,
                                      28, 35, 34, 33, 32, 35.0034, 34, 33, 35.1,   36};
    static const double rates[20] = {0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2,  0.2,  0.2,
                                     0.2, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05};
    ScheduleConfig config = {.name = SCHEDULE_PLATEAU, .step_factor = 0.5, .patience = 2};
    Plateau plateau = PLATEAU_START;
    for (size_t i = 0; i < COUNT(scores); i++) {
        plateau_see(&plateau, GAIN, -scores[i], config.patience);
        double seen = schedule_rate(&config, 0.8, 100, 1000, 10, plateau.reductions);
        assert_true(fabs(seen / rates[i] - 1) < 1e-11);
    }
}

/* A run that is resumed with another schedule.watch. */
static void another_score_begins_anew_at_the_rate_that_is_there(void **state) {
    (void)state;
    Plateau plateau = PLATEAU_START;
    plateau_see(&plateau, ERRORS, 0.5, 0);
    assert_true(plateau_see(&plateau, ERRORS, 0.5, 0));
    assert_false(plateau_see(&plateau, LOSS, 40, 0));
    assert_true(plateau.best == 40 && plateau.reductions == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schedule_warms_up_and_reaches_the_rate_at_w),
        cmocka_unit_test(constant_stays),
        cmocka_unit_test(cosine_ends_at_min_lr),
        cmocka_unit_test(linear_ends_at_min_lr),
        cmocka_unit_test(inverse_sqrt_is_continuous_at_w),
        cmocka_unit_test(step_shrinks_at_each_entry),
        cmocka_unit_test(a_run_shorter_than_its_warmup_is_defined),
        cmocka_unit_test(a_schedule_has_an_end_when_longer_runs_have_other_rates),
        cmocka_unit_test(plateau_lowers_the_rate_where_pytorch_does),
        cmocka_unit_test(plateau_stays_above_min_lr_as_pytorch_does),
        cmocka_unit_test(other_scores_leave_the_rate_as_it_is),
        cmocka_unit_test(scores_that_should_rise_are_judged_as_pytorch_does),
        cmocka_unit_test(another_score_begins_anew_at_the_rate_that_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
