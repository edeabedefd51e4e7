/* vmath_float: the functions of vmath.h as polynomials in float.
 *
 * Coefficients: test/golden/fit_vmath.py.  Errors: the largest that
 * test/unit/test_vmath.c finds over a dense grid of floats, against libm in double, with
 * and without contraction to fused multiply-adds. */
#ifndef STEADY_VMATH_FLOAT_H
#define STEADY_VMATH_FLOAT_H

#include <math.h>
#include <stdint.h>

typedef union VmPun {
    float value;
    uint32_t bits;
} VmPun;

static inline float vm_from_bits(uint32_t bits) { return ((VmPun){.bits = bits}).value; }

static inline uint32_t vm_bits(float x) { return ((VmPun){.value = x}).bits; }

/* exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln2/2.  Adding 1.5 * 2^23 rounds to an
 * integer and leaves n in the low bits; 2^n is added to the exponent of exp(r).
 * Relative error <= 1.9e-7 (at most 2 units of the last place) for
 * -87.3365 <= x <= 88.72283. */
static inline float vm_exp(float x) {
    float shifted = x * 1.44269504f + 12582912.0f;
    float n = shifted - 12582912.0f;
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float q = ((8.312508161e-03f * r + 4.189027435e-02f) * r + 1.666711514e-01f) * r;
    float p = 1.0f + (r + r * r * (q + 4.999923070e-01f));
    float y = vm_from_bits(vm_bits(p) + (vm_bits(shifted) << 23));
    y = x < -87.3365f ? 0.0f : y;
    y = x > 88.72283f ? INFINITY : y;
    return x == x ? y : x;
}

/* log(x) = e ln 2 + log(1 + f), sqrt(1/2) <= 1 + f < sqrt(2).
 * Relative error <= 9e-8 for normal x, near 1 too. */
static inline float vm_log(float x) {
    uint32_t from_root = vm_bits(x) - 0x3f3504f3u;
    float e = (float)((int32_t)from_root >> 23);
    float f = vm_from_bits((from_root & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    float q = -7.634505013e-02f * f + 1.276159034e-01f;
    q = (q * f - 1.316018555e-01f) * f + 1.420175645e-01f;
    q = (q * f - 1.662335689e-01f) * f + 2.000122693e-01f;
    q = (q * f - 2.500082105e-01f) * f + 3.333333171e-01f;
    float small = e * -2.12194440e-4f + f * f * (f * q - 0.5f);
    float y = e * 0.693359375f + (small + f);
    y = x < 1.17549435e-38f ? -INFINITY : y;
    y = x < 0.0f ? NAN : y;
    return x < INFINITY ? y : x;
}

/* tanh(x) = x + x^3 q(x^2) below 0.625, 1 - 2 / (exp(2|x|) + 1) above.
 * Relative error <= 2.1e-7. */
static inline float vm_tanh(float x) {
    float size = fabsf(x), z = x * x;
    float q = (-5.704982314e-03f * z + 2.063908318e-02f) * z - 5.373971388e-02f;
    q = (q * z + 1.333144218e-01f) * z - 3.333328194e-01f;
    float near = x + x * (z * q);
    float far = copysignf(1.0f - 2.0f / (vm_exp(2.0f * size) + 1.0f), x);
    return size < 0.625f ? near : far;
}

/* Relative error <= 2.4e-7 for x >= -87.3, 0 below. */
static inline float vm_sigmoid(float x) { return 1.0f / (1.0f + vm_exp(-x)); }

/* sigmoid(x) and its derivative s (1 - s), from e = exp(-|x|): neither cancels.  Relative
 * errors <= 3e-7 and <= 4.5e-7 for |x| <= 87.3. */
static inline void vm_sigmoid_parts(float x, float *value, float *slope) {
    float e = vm_exp(-fabsf(x)), share = 1.0f / (1.0f + e);
    *value = x < 0.0f ? e * share : share;
    *slope = e * share * share;
}

/* Phi(-|x|), given density = exp(-x^2/2):  density t P(t), t = 1 / (1 + 0.34 |x|). */
static inline float vm_normal_tail(float x, float density) {
    float t = 1.0f / (1.0f + 0.34f * fabsf(x));
    float p = -2.647188101e-02f * t + 1.411500127e-01f;
    p = (p * t - 2.764138694e-01f) * t + 2.057772301e-01f;
    p = (p * t - 4.708433451e-02f) * t + 1.163140363e-01f;
    p = (p * t + 1.149675869e-01f) * t + 1.361423747e-01f;
    p = (p * t + 1.356188566e-01f) * t;
    return density * p;
}

/* Absolute error <= 2.2e-7.  Relative error <= 4.8e-7 (1 + x^2 / 10) down to x = -13.2
 * (the rounding of x^2), 0 below. */
static inline float vm_normal_cdf(float x) {
    float tail = vm_normal_tail(x, vm_exp(-0.5f * x * x));
    return x < 0.0f ? tail : 1.0f - tail;
}

/* Absolute error <= 8e-8, relative error <= 3e-7 (1 + x^2 / 10) for |x| <= 13.1. */
static inline float vm_normal_pdf(float x) {
    return 0.398942280f * vm_exp(-0.5f * x * x);
}

/* Phi(x) and Phi(x) + x phi(x), from one exponential.  The slope's
 * absolute error <= 2.4e-7. */
static inline void vm_gelu_parts(float x, float *cdf, float *slope) {
    float density = vm_exp(-0.5f * x * x);
    float tail = vm_normal_tail(x, density);
    *cdf = x < 0.0f ? tail : 1.0f - tail;
    *slope = *cdf + x * (0.398942280f * density);
}

static inline float vm_gelu_slope(float x) {
    float cdf, slope;
    vm_gelu_parts(x, &cdf, &slope);
    return slope;
}

#endif
