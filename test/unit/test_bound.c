/* The formula of Theorem 3.1 as numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/core/base.h"
#include "engine/kern/bound.h"

static void the_bound_has_the_values_of_its_formula(void **state) {
    (void)state;
    static const struct {
        size_t t;
        double sigma, bound;
    } VALUES[] = {{2, 1, .494199917},   {5, 3, .542115590},   {16, 5, .490287955},
                  {64, 4, 2.878547050}, {197, 8, .547866239}, {197, 12, .015202692}};
    for (size_t i = 0; i < COUNT(VALUES); i++)
        assert_true(fabs(entropy_bound(VALUES[i].t, VALUES[i].sigma) - VALUES[i].bound) <
                    1e-9);
}

static void the_ends_of_its_ranges_are_numbers(void **state) {
    (void)state;
    assert_true(entropy_bound(0, 3) == 0 && entropy_bound(1, 3) == 0);
    assert_true(entropy_bound(1, 0) == 0 && entropy_bound(0, INFINITY) == 0);
    for (size_t t = 2; t < 3000; t = 3 * t + 1) {
        assert_true(fabs(entropy_bound(t, 0) - log((double)t)) < 1e-14);
        assert_true(entropy_bound(t, -1) == entropy_bound(t, 0));
        for (double sigma = 500; sigma < 1e308; sigma *= 1e3)
            assert_true(entropy_bound(t, sigma) < 1e-200);
        assert_true(entropy_bound(t, INFINITY) == 0);
        assert_true(isnan(entropy_bound(t, NAN)));
    }
}

static void it_falls_with_sigma_and_rises_with_keys(void **state) {
    (void)state;
    for (size_t t = 2; t < 5000; t = t * 3 / 2 + 1)
        for (double sigma = 0; sigma < 40; sigma += 0.3) {
            double bound = entropy_bound(t, sigma);
            assert_true(bound > 0 && bound <= log((double)t));
            assert_true(entropy_bound(t, sigma + 0.3) < bound);
            assert_true(entropy_bound(t + 1, sigma) > bound);
        }
}

static void causal_rows_have_the_mean_of_their_own_bounds(void **state) {
    (void)state;
    assert_true(entropy_bound_causal(0, 1) == 0 && entropy_bound_causal(1, 1) == 0);
    assert_true(isnan(entropy_bound_causal(2, NAN)));
    assert_true(isnan(entropy_bound_causal(500, NAN)));
    assert_true(entropy_bound_causal(500, INFINITY) == 0);
    static const double SIGMA[] = {0, 1e-3, 0.1, 1, 3.3, 5, 8, 12, 40, 1e3, 1e300};
    for (size_t k = 0; k < COUNT(SIGMA); k++) {
        double sum = 0;
        for (size_t rows = 1; rows <= 20000; rows++) {
            sum += entropy_bound(rows, SIGMA[k]);
            if (rows > 300 && rows % 997) continue;
            double mean = entropy_bound_causal(rows, SIGMA[k]);
            assert_true(fabs(mean - sum / (double)rows) < 5e-11);
        }
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_bound_has_the_values_of_its_formula),
        cmocka_unit_test(the_ends_of_its_ranges_are_numbers),
        cmocka_unit_test(it_falls_with_sigma_and_rises_with_keys),
        cmocka_unit_test(causal_rows_have_the_mean_of_their_own_bounds),
    };
    return cmocka_run_group_tests_name("bound", cases, NULL, NULL);
}
