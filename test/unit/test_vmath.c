/* vmath and reduce: error bounds over all orders of magnitude, special
 * values, determinism. */
#include <float.h>
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/kern/reduce.h"
#include "engine/kern/vmath.h"
#include "levels.h"

static double normal_cdf(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }

static double normal_pdf(double x) { return 0.39894228040143267794 * exp(-0.5 * x * x); }

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static double gelu(double x) { return x * normal_cdf(x); }

static double gelu_slope(double x) { return normal_cdf(x) + x * normal_pdf(x); }

static real gelu_one(real x) {
    real y;
    vm_gelu(&y, &x, 1);
    return y;
}

static double sigmoid_slope(double x) { return sigmoid(-fabs(x)) * sigmoid(fabs(x)); }

/* a = 1.7, so that the product rounds. */
static double glu(double x) { return (double)(real)1.7 * sigmoid(x); }

static real glu_one(real x) {
    real y, a = (real)1.7;
    vm_glu(&y, &a, &x, 1);
    return y;
}

static real glu_da(real x) {
    real da, db, one = 1;
    vm_glu_backward(&da, &db, &one, &one, &x, 1, 0);
    return da;
}

static real glu_db(real x) {
    real da, db, one = 1;
    vm_glu_backward(&da, &db, &one, &one, &x, 1, 0);
    return db;
}

/* What an error is divided by. */
static double as_absolute(double x, double value) {
    (void)x;
    (void)value;
    return 1;
}

static double as_relative(double x, double value) {
    (void)x;
    return fabs(value);
}

static double as_tail(double x, double value) { return fabs(value) * (1 + x * x / 10); }

static double as_size(double x, double value) {
    (void)value;
    return fmax(1, fabs(x));
}

typedef struct Bound {
    const char *name;
    real (*function)(real x);
    double (*exact)(double x);
    double lo, hi;
    double (*unit)(double x, double value);
    double bound;
} Bound;

static real at_exp(real x) { return vm_exp(x); }
static real at_log(real x) { return vm_log(x); }
static real at_tanh(real x) { return vm_tanh(x); }
static real at_sigmoid(real x) { return vm_sigmoid(x); }
static real at_cdf(real x) { return vm_normal_cdf(x); }
static real at_pdf(real x) { return vm_normal_pdf(x); }
static real at_slope(real x) { return vm_gelu_slope(x); }

/* The bounds that stand in vmath_float.h. */
static const Bound bounds[] = {
    {"exp", at_exp, exp, -87.3365, 88.72283, as_relative, 1.9e-7},
    {"log", at_log, log, FLT_MIN, FLT_MAX, as_relative, 9e-8},
    {"tanh", at_tanh, tanh, -FLT_MAX, FLT_MAX, as_relative, 2.1e-7},
    {"sigmoid", at_sigmoid, sigmoid, -87.3, FLT_MAX, as_relative, 2.4e-7},
    {"normal_cdf", at_cdf, normal_cdf, -FLT_MAX, FLT_MAX, as_absolute, 2.2e-7},
    {"normal_cdf", at_cdf, normal_cdf, -13.2, FLT_MAX, as_tail, 4.8e-7},
    {"normal_pdf", at_pdf, normal_pdf, -FLT_MAX, FLT_MAX, as_absolute, 8e-8},
    {"normal_pdf", at_pdf, normal_pdf, -13.1, 13.1, as_tail, 3e-7},
    {"gelu_slope", at_slope, gelu_slope, -FLT_MAX, FLT_MAX, as_absolute, 2.4e-7},
    {"gelu", gelu_one, gelu, -FLT_MAX, FLT_MAX, as_size, 1.3e-7},
    {"glu", glu_one, glu, -87.3, FLT_MAX, as_relative, 3.1e-7},
    {"glu da", glu_da, sigmoid, -87.3, FLT_MAX, as_relative, 3e-7},
    {"glu db", glu_db, sigmoid_slope, -87.3, 87.3, as_relative, 4.5e-7},
    {"gelu", gelu_one, gelu, -13.2, -1e-30, as_tail, 5.1e-7},
};

static float float_of(uint32_t bits) {
    return ((union {
               uint32_t bits;
               float value;
           }){.bits = bits})
        .value;
}

/* One float in 1009 of all there are: every exponent and both signs. */
static double worst_error(const Bound *b) {
    double worst = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 1009) {
        float x = float_of((uint32_t)bits);
        if (!(x >= b->lo && x <= b->hi)) continue;
        double value = b->exact(x), unit = b->unit(x, value);
        double error = fabs((double)b->function(x) - value);
        if (unit > 0) error /= unit;
        if (!(error <= worst)) worst = error;
    }
    return worst;
}

static void errors_stay_below_the_bounds_of_the_header(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(bounds); k++) {
        double worst = worst_error(&bounds[k]);
        if (!(worst <= bounds[k].bound))
            fail_msg("%s: error %.3g, bound %.3g", bounds[k].name, worst,
                     bounds[k].bound);
    }
}

static void exp_of_special_values(void **state) {
    (void)state;
    assert_true(vm_exp(0) == 1);
    assert_true(vm_exp((real)-1e4) == 0 && vm_exp(-INFINITY) == 0 &&
                vm_exp(-FLT_MAX) == 0);
    assert_true(isinf(vm_exp((real)1e4)) && isinf(vm_exp(INFINITY)));
    assert_true(isnan(vm_exp(NAN)) && isnan(vm_exp(-NAN)));
#ifndef STEADY_DOUBLE
    assert_true(isfinite(vm_exp(88.72283f)) && isinf(vm_exp(88.72284f)));
    assert_true(vm_exp(-87.3366f) == 0 && vm_exp(-87.3365f) >= FLT_MIN);
#endif
}

static void log_of_special_values(void **state) {
    (void)state;
    assert_true(vm_log(1) == 0);
    assert_true(vm_log(0) == -INFINITY && vm_log(INFINITY) == INFINITY);
    assert_true(isnan(vm_log(-1)) && isnan(vm_log(NAN)) && isnan(vm_log(-INFINITY)));
}

static void nan_stays_nan_and_limits_are_reached(void **state) {
    (void)state;
    assert_true(isnan(vm_tanh(NAN)) && isnan(vm_sigmoid(NAN)) &&
                isnan(vm_normal_cdf(NAN)));
    assert_true(isnan(vm_normal_pdf(NAN)) && isnan(vm_gelu_slope(NAN)));
    assert_true(vm_tanh(INFINITY) == 1 && vm_tanh(-INFINITY) == -1);
    assert_true(vm_sigmoid(INFINITY) == 1 && vm_sigmoid(-INFINITY) == 0);
    assert_true(vm_normal_cdf(INFINITY) == 1 && vm_normal_cdf(-INFINITY) == 0);
    assert_true(gelu_one(0) == 0 && gelu_one(FLT_MAX) == FLT_MAX &&
                gelu_one(-FLT_MAX) == 0);
    assert_true(isnan(gelu_one(NAN)));
}

static void a_row_equals_its_elements_at_any_length(void **state) {
    (void)state;
    real x[70], y[70], dy[70], dx[70];
    for (size_t n = 0; n <= 67; n++) {
        for (size_t i = 0; i < 70; i++) {
            x[i] = (real)(0.37 * (double)i - 11);
            dy[i] = (real)(1 - 0.02 * (double)i);
            y[i] = 77;
            dx[i] = NAN;
        }
        vm_gelu(y, x, n);
        vm_gelu_backward(dx, dy, x, n, 0);
        for (size_t i = 0; i < n; i++) {
            assert_true(fabs((double)(y[i] - x[i] * vm_normal_cdf(x[i]))) < 3e-6);
            assert_true(fabs((double)(dx[i] - dy[i] * vm_gelu_slope(x[i]))) < 5e-7);
        }
        assert_true(y[n] == 77 && isnan(dx[n]));
    }
}

static void glu_backward_adds_beta_times_the_old_and_reaches_its_limits(void **state) {
    (void)state;
    const real a[4] = {-1, 2, 3, -4}, dy[4] = {1, 2, 3, 4};
    const real b[4] = {-INFINITY, 0, (real)0.5, INFINITY};
    real da[4] = {10, 20, 30, 40}, db[4] = {1, 2, 3, 4}, y[4];
    vm_glu_backward(da, db, dy, a, b, 4, (real)0.5);
    for (int i = 0; i < 4; i++) {
        double s = sigmoid((double)b[i]), slope = sigmoid_slope((double)b[i]);
        assert_true(fabs((double)da[i] - 5. * (i + 1) - (i + 1) * s) < 3e-6);
        assert_true(fabs((double)db[i] - .5 * (i + 1) - (i + 1) * (double)a[i] * slope) <
                    1e-6);
    }
    vm_glu(y, a, b, 4);
    assert_true(y[0] == 0 && y[1] == 1 && y[3] == -4);
    da[1] = db[1] = NAN;
    vm_glu_backward(da, db, dy, a, b, 4, 0);
    assert_true(da[1] == 1 && db[1] == 1 && da[0] == 0 && da[3] == 4 && db[3] == 0);
    const real bad = NAN;
    vm_glu(y, a, &bad, 1);
    assert_true(isnan(y[0]));
    vm_glu_backward(da, db, dy, a, &bad, 1, 0);
    assert_true(isnan(da[0]) && isnan(db[0]));
}

static void backward_scales_what_was_there_by_beta(void **state) {
    (void)state;
    const real x[4] = {-1, 0, (real)0.5, 3}, dy[4] = {1, 2, 3, 4};
    real dx[4] = {10, 20, 30, 40};
    vm_gelu_backward(dx, dy, x, 4, (real)0.5);
    for (int i = 0; i < 4; i++) {
        double want = 5.0 * (i + 1) + (i + 1) * gelu_slope((double)x[i]);
        assert_true(fabs((double)dx[i] - want) < 4e-6);
    }
    real relu[4] = {10, 20, 30, 40};
    vm_relu_backward(relu, dy, x, 4, 1);
    assert_true(relu[0] == 10 && relu[1] == 20 && relu[2] == 33 && relu[3] == 44);
    vm_relu_backward(relu, dy, x, 4, 0);
    assert_true(relu[0] == 0 && relu[1] == 0 && relu[2] == 3 && relu[3] == 4);
}

static void relu_keeps_nan_and_works_in_place(void **state) {
    (void)state;
    real x[4] = {-2, 5, NAN, -INFINITY};
    vm_relu(x, x, 4);
    assert_true(x[0] == 0 && x[1] == 5 && isnan(x[2]) && x[3] == 0);
}

/* ---- reduce ---- */

enum { LONG = 100003 };

static real *make_vector(size_t n) {
    real *a = mem_alloc(n * sizeof(real));
    for (size_t i = 0; i < n; i++) a[i] = (real)sin(0.7 * (double)i * (double)(i % 13));
    return a;
}

static void sums_agree_with_plain_loops_at_every_part_boundary(void **state) {
    (void)state;
    real *a = make_vector(LONG);
    const size_t lengths[] = {0, 1, 17, 32767, 32768, 32769, 65537, LONG - 1, LONG};
    for (size_t k = 0; k < COUNT(lengths); k++) {
        long double dot = 0, squares = 0, sum = 0;
        for (size_t i = 0; i < lengths[k]; i++) sum += a[i];
        assert_true(fabs(reduce_sum(a, lengths[k]) - (double)sum) < 1e-9);
        for (size_t i = 0; i + 1 < lengths[k]; i++) dot += (long double)a[i] * a[i + 1];
        for (size_t i = 0; i < lengths[k]; i++) squares += (long double)a[i] * a[i];
        size_t pairs = lengths[k] ? lengths[k] - 1 : 0;
        assert_true(fabs(reduce_dot(a, a + 1, pairs) - (double)dot) < 1e-9);
        assert_true(fabs(reduce_sum_squares(a, lengths[k]) - (double)squares) < 1e-9);
    }
    mem_free(a);
}

static void sums_do_not_depend_on_the_number_of_threads(void **state) {
    (void)state;
    real *a = make_vector(LONG);
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    double want = reduce_sum_squares(a, LONG), sum = reduce_sum(a, LONG);
    for (int t = 2; t <= 5; t++) {
        omp_set_num_threads(t);
        assert_true(reduce_sum_squares(a, LONG) == want && reduce_sum(a, LONG) == sum);
    }
    omp_set_num_threads(threads);
    mem_free(a);
}

static void one_bad_number_anywhere_is_seen(void **state) {
    (void)state;
    real *a = make_vector(LONG);
    const size_t places[] = {0, 1, 31, 32767, 50000, LONG - 1};
    assert_true(reduce_all_finite(a, LONG));
    assert_true(reduce_max_abs(a, LONG) <= 1 && reduce_max_abs(a, LONG) > 0.999);
    for (size_t k = 0; k < COUNT(places); k++) {
        size_t lengths[] = {places[k] + 1, LONG};
        real kept = a[places[k]];
        for (size_t j = 0; j < 2; j++) {
            a[places[k]] = NAN;
            assert_true(isnan(reduce_max_abs(a, lengths[j])));
            assert_false(reduce_all_finite(a, lengths[j]));
            a[places[k]] = -INFINITY;
            assert_true(reduce_max_abs(a, lengths[j]) == INFINITY);
            assert_false(reduce_all_finite(a, lengths[j]));
            a[places[k]] = -5;
            assert_true(reduce_max_abs(a, lengths[j]) == 5);
        }
        a[places[k]] = kept;
    }
    assert_true(reduce_max_abs(a, 0) == 0 && reduce_all_finite(a, 0));
    mem_free(a);
}

static void squares_of_large_numbers_do_not_overflow(void **state) {
    (void)state;
    const real a[2] = {(real)1e30, (real)1e30};
    assert_true(fabs(reduce_sum_squares(a, 2) / 2e60 - 1) < 1e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_stay_below_the_bounds_of_the_header),
        cmocka_unit_test(exp_of_special_values),
        cmocka_unit_test(log_of_special_values),
        cmocka_unit_test(nan_stays_nan_and_limits_are_reached),
        cmocka_unit_test(a_row_equals_its_elements_at_any_length),
        cmocka_unit_test(glu_backward_adds_beta_times_the_old_and_reaches_its_limits),
        cmocka_unit_test(backward_scales_what_was_there_by_beta),
        cmocka_unit_test(relu_keeps_nan_and_works_in_place),
        cmocka_unit_test(sums_agree_with_plain_loops_at_every_part_boundary),
        cmocka_unit_test(sums_do_not_depend_on_the_number_of_threads),
        cmocka_unit_test(one_bad_number_anywhere_is_seen),
        cmocka_unit_test(squares_of_large_numbers_do_not_overflow),
    };
    return RUN_AT_LEVELS("vmath", tests);
}
