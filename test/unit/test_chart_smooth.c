/* The moving mean of a curve. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/chart/chart.h"

static void a_moving_mean_keeps_a_constant_and_short_curves(void **state) {
    (void)state;
    enum { LONG = 1000 };
    double *flat = mem_alloc(LONG * sizeof *flat);
    for (size_t i = 0; i < LONG; i++) flat[i] = 2.5;
    flat[500] = NAN;
    static const double SHORT[] = {1, 4, 2, 8, 5, 7};
    double *mean = chart_smooth(flat, LONG), *same = chart_smooth(SHORT, COUNT(SHORT));
    for (size_t i = 0; i < LONG; i++)
        assert_true(i == 500 ? isnan(mean[i]) : mean[i] == 2.5);
    assert_memory_equal(same, SHORT, sizeof SHORT);
    mem_free(mean);
    mem_free(same);
    mem_free(flat);
}

static void a_huge_value_is_in_the_moving_mean_of_its_neighbours_alone(void **state) {
    (void)state;
    enum { LONG = 1000, AT = 300, REACH = LONG / 50 };
    static const double HUGE_VALUES[] = {3e17, 1e20, -1e300, INFINITY};
    double value[LONG];
    for (size_t k = 0; k < COUNT(HUGE_VALUES); k++) {
        for (size_t i = 0; i < LONG; i++) value[i] = i == AT ? HUGE_VALUES[k] : 1;
        double *mean = chart_smooth(value, LONG);
        for (size_t i = 0; i < LONG; i++) {
            bool near = isfinite(value[AT]) && i + REACH >= AT && i <= AT + REACH;
            if (near) assert_true(fabs(mean[i]) > 1e15);
            else if (isfinite(value[i]) && mean[i] != 1)
                fail_msg("%g at %d: %g at %zu", HUGE_VALUES[k], AT, mean[i], i);
        }
        mem_free(mean);
    }
}

static void a_moving_mean_is_the_mean_of_its_window(void **state) {
    (void)state;
    enum { LONG = 777, HALF = LONG / 50 };
    double value[LONG];
    for (size_t i = 0; i < LONG; i++) value[i] = i % 7 ? sin((double)(i * i)) : NAN;
    double *mean = chart_smooth(value, LONG);
    for (size_t i = 0; i < LONG; i++) {
        size_t reach = MIN((size_t)HALF, MAX(i, (size_t)HALF / 8)), seen = 0;
        double sum = 0;
        for (size_t j = i > reach ? i - reach : 0; j < MIN(i + reach + 1, LONG); j++)
            if (isfinite(value[j])) sum += value[j], seen++;
        if (i % 7) assert_true(fabs(mean[i] - sum / (double)seen) < 1e-12);
        else assert_true(isnan(mean[i]));
    }
    mem_free(mean);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_moving_mean_keeps_a_constant_and_short_curves),
        cmocka_unit_test(a_huge_value_is_in_the_moving_mean_of_its_neighbours_alone),
        cmocka_unit_test(a_moving_mean_is_the_mean_of_its_window),
    };
    return cmocka_run_group_tests_name("chart_smooth", cases, NULL, NULL);
}
