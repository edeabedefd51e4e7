/* Quantiles against SciPy's stats.t.ppf and stats.beta.ppf, and by symmetry. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/core/base.h"
#include "engine/core/quantile.h"

/* With many degrees of freedom x is near 1, and 1 - x has fewer digits. */
#define NEAR 1e-9

static void near(double got, double wanted) {
    if (!(fabs(got - wanted) <= NEAR * fabs(wanted)))
        fail_msg("%.17g, wanted %.17g", got, wanted);
}

static void students_t_is_that_of_scipy(void **state) {
    (void)state;
    static const struct {
        double share, freedom, t;
    } CASES[] = {
        {0.975, 1, 12.706204736174694}, {0.975, 2, 4.302652729749462},
        {0.975, 4, 2.7764451051977934}, {0.975, 19, 2.0930240544083087},
        {0.995, 3, 5.840909309733355},  {0.6, 7, 0.2631668613520229},
        {0.025, 2, -4.302652729749464}, {0.975, 1000, 1.9623390808264083},
    };
    for (size_t i = 0; i < COUNT(CASES); i++)
        near(quantile_student(CASES[i].share, CASES[i].freedom), CASES[i].t);
}

static void the_beta_distribution_is_that_of_scipy(void **state) {
    (void)state;
    static const struct {
        double share, a, b, x;
    } CASES[] = {
        {0.025, 7, 2, 0.47349032912479344},
        {0.975, 8, 1, 0.9968402764687481},
        {0.5, 0.5, 0.5, 0.5},
        {0.01, 137, 864, 0.1126898783269076},
    };
    for (size_t i = 0; i < COUNT(CASES); i++)
        near(quantile_beta(CASES[i].share, CASES[i].a, CASES[i].b), CASES[i].x);
}

static void one_number_alone_has_no_student(void **state) {
    (void)state;
    assert_true(isnan(quantile_student(0.975, 0)));
    assert_true(isnan(quantile_student(0.975, -1)));
    assert_true(fabs(quantile_student(0.5, 3)) < 1e-7);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(students_t_is_that_of_scipy),
        cmocka_unit_test(the_beta_distribution_is_that_of_scipy),
        cmocka_unit_test(one_number_alone_has_no_student),
    };
    return cmocka_run_group_tests_name("quantile", cases, NULL, NULL);
}
