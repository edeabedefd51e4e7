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

static const ScheduleKind kinds[] = {SCHEDULE_CONSTANT, SCHEDULE_COSINE, SCHEDULE_STEP,
                                     SCHEDULE_INVERSE_SQRT, SCHEDULE_LINEAR,
                                     SCHEDULE_PLATEAU};

static void every_schedule_warms_up_and_reaches_the_rate_at_w(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        ScheduleConfig config = {
            .name = kinds[k], .warmup_init = 0.1, .step_factor = 0.1};
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
    ScheduleConfig config = {.name = SCHEDULE_STEP,
                             .step_at = {10, 20},
                             .step_count = 2,
                             .step_factor = 0.1};
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

/* What PyTorch 1.13's ReduceLROnPlateau(factor = 0.5, patience = 2, min_lr = 0.15) makes of 0.8. */
static void plateau_is_that_of_pytorch(void **state) {
    (void)state;
    static const double losses[] = {3,   2,   2.5, 2.4, 2.2, 1.9999, 1.99985, 2.1, 2.2, 1.5,
                                    1.6, 1.7, 1.8, 1.4999, 1.6, 1.6, 1.6,     1.6, 1.6, 1.6};
    static const double rates[] = {0.8, 0.8, 0.8,  0.8,  0.4,  0.4,  0.4,  0.2,  0.2,  0.2,
                                   0.2, 0.2, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15};
    ScheduleConfig config = {
        .name = SCHEDULE_PLATEAU, .min_lr = 0.15, .step_factor = 0.5, .patience = 2};
    Plateau plateau = PLATEAU_START;
    for (size_t i = 0; i < COUNT(losses); i++) {
        size_t before = plateau.reductions;
        bool shrinks = plateau_see(&plateau, losses[i], config.patience);
        assert_true(shrinks == (plateau.reductions > before));
        assert_near(schedule_rate(&config, 0.8, 100, 1000, 10, plateau.reductions), rates[i]);
    }
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
        cmocka_unit_test(plateau_is_that_of_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
