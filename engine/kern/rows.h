/* rows: what is done to one row of numbers, and sums over rows.
 *
 * Row functions run on the calling thread and are vectorised; functions over whole matrices
 * [rows, n] share the rows out among the OpenMP threads.  Sums over rows are taken in an order
 * that does not depend on the number of threads. */
#ifndef STEADY_ROWS_H
#define STEADY_ROWS_H

#include "engine/core/base.h"

/* s[0..n) becomes its softmax p.  Returns the log-sum-exp; *entropy = lse - sum p s in nats,
 * 0 <= entropy <= ln n; *largest = the largest s.  n = 0 gives lse = 0 and entropy = 0.
 * A row with NaN comes out as NaN throughout. */
real row_softmax(real *s, size_t n, real *entropy, real *largest);

/* s[0..n) becomes exp(s - lse): the softmax again, from its log-sum-exp. */
void row_softmax_again(real *s, size_t n, real lse);

/* sum_j a_j b_j */
real row_dot(const real *a, const real *b, size_t n);

/* dp[0..n) becomes p (dp - sum_j p_j dp_j): the softmax's gradient. */
void row_softmax_backward(real *dp, const real *p, size_t n);

/* y = gain (x - mean) / sqrt(var + eps) + bias over each row; mean and rstd [rows] are kept
 * for the backward pass (biased variance, Ba et al. 2016). */
void layer_norm_rows(real *y, const real *x, const real *gain, const real *bias, real eps,
                     size_t rows, size_t n, real *mean, real *rstd);

/* With h = (x - mean) rstd and d = gain dy:
 *   dx = beta dx + rstd (d - mean(d) - h mean(d h)) */
void layer_norm_rows_backward(real *dx, real beta, const real *dy, const real *x,
                              const real *gain, size_t rows, size_t n, const real *mean,
                              const real *rstd);

/* dgain = beta dgain + sum over rows of dy h; the same without h is columns_sum. */
void layer_norm_gain_backward(real *dgain, real beta, const real *dy, const real *x,
                              size_t rows, size_t n, const real *mean, const real *rstd);

/* sum[n] = beta sum + sum over rows of x[rows, n] */
void columns_sum(real *sum, real beta, const real *x, size_t rows, size_t n);

/* y[rows, n] (+)= bias[n]; scale[n] multiplies y first when it is not NULL. */
void rows_scale_bias(real *y, const real *scale, const real *bias, size_t rows, size_t n);

#endif
