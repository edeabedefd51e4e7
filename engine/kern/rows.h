/* rows: what is done to one row of numbers, and sums over rows.
 *
 * Row functions run on the calling thread and are vectorised; functions over whole
 * matrices [rows, n] share the rows out among the OpenMP threads.  Sums over rows are
 * taken in an order that does not depend on the number of threads. */
#ifndef STEADY_ROWS_H
#define STEADY_ROWS_H

#include "engine/kern/bf16.h"

/* The largest of s[0..n), n >= 1; NaN or the largest of the others where one is NaN. */
real row_max(const real *s, size_t n);

/* s[0..n) becomes its softmax p.  Returns the log-sum-exp; *entropy = lse - sum p s in
 * nats, 0 <= entropy <= ln n; *largest = the largest s.  n = 0 gives lse = 0 and entropy
 * = 0.  A row with NaN comes out as NaN throughout. */
real row_softmax(real *s, size_t n, real *entropy, real *largest);

/* s[0..n) becomes exp(s - lse): the softmax again, from its log-sum-exp. */
void row_softmax_again(real *s, size_t n, real lse);

/* sum_j a_j b_j */
real row_dot(const real *a, const real *b, size_t n);

/* dp[0..n) becomes ds, the gradient of y = m softmax(s) given dp = dy: kept = m p, p
 * itself where m = 1;   ds = kept dp - p sum_j kept_j dp_j */
void row_softmax_backward(real *dp, const real *p, const real *kept, size_t n);

/* sum[n] = beta sum + factor (sum over rows of x[rows, n]); beta = 0 overwrites */
void columns_sum(real *sum, real beta, real factor, const real *x, size_t rows, size_t n);
void columns_sum16(real *sum, real beta, real factor, const bf16 *x, size_t rows,
                   size_t n);

/* mean[n] of each column, and squares[n], the sum of (x - mean)^2, of x[rows, n], rows >=
 * 1; in double.  A column of equal numbers has squares of exactly 0.  The relative error
 * of the squares is at most about rows^2 2^-53. */
void columns_moments(double *mean, double *squares, const real *x, size_t rows, size_t n);

/* y[rows, n] = alpha residual[rows, n] + factor bias[n]; residual and bias may be NULL:
 * 0. */
void rows_fill(real *y, real alpha, const real *residual, real factor, const real *bias,
               size_t rows, size_t n);

#endif
