/* vmath: exp, log, tanh, the normal distribution and GELU, for loops that the compiler
 * vectorises.
 *
 * The scalar functions are inline and free of branches, so that they can be used inside
 *
 *     #pragma omp simd
 *     for (size_t i = 0; i < n; i++) p[i] = vm_exp(s[i] - max);
 *
 * The float build computes them with polynomials (vmath_float.h, error bounds above each
 * function), the double build calls libm (vmath_double.h).  NaN stays NaN everywhere.
 *
 *     vm_exp(x)         x < -87.3365 gives 0 (no denormals), x > 88.72283 gives infinity
 *     vm_log(x)         0 and denormals give -infinity, x < 0 gives NaN
 *     vm_tanh(x)
 *     vm_sigmoid(x)     1 / (1 + exp(-x))
 *     vm_normal_cdf(x)  Phi(x), the standard normal distribution
 *     vm_normal_pdf(x)  phi(x), its density
 *     vm_gelu_slope(x)  Phi(x) + x phi(x), the derivative of x Phi(x)
 *
 * The row functions below run in the calling thread.  x and y may be the same memory, or
 * apart, but not shifted against each other.
 *
 * Not for: softmax rows (rows.h) and sums (reduce.h). */
#ifndef STEADY_VMATH_H
#define STEADY_VMATH_H

#include "engine/core/base.h"

#ifdef STEADY_DOUBLE
#include "engine/kern/vmath_double.h"
#else
#include "engine/kern/vmath_float.h"
#endif

/* y = x Phi(x), the exact (erf) GELU; [n].  Float: absolute error <= 1.3e-7 max(1, |x|),
 * and relative error <= 5.1e-7 (1 + x^2 / 10) on the negative side, down to x = -13.2. */
void vm_gelu(real *y, const real *x, size_t n);

/* dx = beta dx + dy (Phi(x) + x phi(x)); beta = 0 overwrites whatever dx holds, NaN
 * too. */
void vm_gelu_backward(real *dx, const real *dy, const real *x, size_t n, real beta);

/* Both at once: y = x Phi(x) and dx = beta dx + dy (Phi(x) + x phi(x)); dx and dy may be
 * the same memory when beta is 0. */
void vm_gelu_both(real *y, real *dx, const real *dy, const real *x, size_t n, real beta);

/* y = a sigmoid(b); [n].  Float: relative error <= 3.1e-7 for b >= -87.3, 0 below. */
void vm_glu(real *y, const real *a, const real *b, size_t n);

/* da = beta da + dy s,  db = beta db + dy a s (1 - s),  s = sigmoid(b); beta = 0
 * overwrites.  Both slopes have a relative error <= 6e-7 for |b| <= 87.3. */
void vm_glu_backward(real *da, real *db, const real *dy, const real *a, const real *b,
                     size_t n, real beta);

/* y = max(x, 0); NaN stays NaN. */
void vm_relu(real *y, const real *x, size_t n);

/* dx = beta dx + (x > 0 ? dy : 0); beta = 0 overwrites. */
void vm_relu_backward(real *dx, const real *dy, const real *x, size_t n, real beta);

#endif
