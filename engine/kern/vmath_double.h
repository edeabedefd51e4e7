/* vmath_double: the functions of vmath.h by libm, for the build that checks. */
#ifndef STEADY_VMATH_DOUBLE_H
#define STEADY_VMATH_DOUBLE_H

#include <math.h>

static inline double vm_exp(double x) { return exp(x); }

static inline double vm_log(double x) { return log(x); }

static inline double vm_tanh(double x) { return tanh(x); }

static inline double vm_sigmoid(double x) { return 1 / (1 + exp(-x)); }

static inline void vm_sigmoid_parts(double x, double *value, double *slope) {
    double e = exp(-fabs(x)), share = 1 / (1 + e);
    *value = x < 0 ? e * share : share;
    *slope = e * share * share;
}

static inline double vm_normal_cdf(double x) {
    return 0.5 * erfc(x * -0.70710678118654752440);
}

static inline double vm_normal_pdf(double x) {
    return 0.39894228040143267794 * exp(-0.5 * x * x);
}

static inline void vm_gelu_parts(double x, double *cdf, double *slope) {
    *cdf = vm_normal_cdf(x);
    *slope = *cdf + x * vm_normal_pdf(x);
}

static inline double vm_gelu_slope(double x) {
    return vm_normal_cdf(x) + x * vm_normal_pdf(x);
}

#endif
