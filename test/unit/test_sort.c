/* Numbers by size. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/core/sort.h"

static void the_median_is_the_middle_or_the_mean_of_two(void **state) {
    (void)state;
    double odd[] = {3, -INFINITY, 7}, even[] = {4, 1, 10, 2};
    assert_true(sort_median(odd, 3) == 3);
    assert_true(odd[0] == -INFINITY && odd[2] == 7);
    assert_true(sort_median(even, 4) == 3);
    assert_true(isnan(sort_median(NULL, 0)));
}

static void numbers_rise(void **state) {
    (void)state;
    double x[] = {1e-300, -2, 1e300, 0, -2, 0.5};
    sort_numbers(x, 6);
    for (int i = 1; i < 6; i++) assert_true(x[i - 1] <= x[i]);
    sort_numbers(NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_is_the_middle_or_the_mean_of_two),
        cmocka_unit_test(numbers_rise),
    };
    return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
