/* norm: layer normalisation of the rows of a matrix [rows, n] (Ba et al. 2016).
 *
 *   h = (x - mean) rstd,  y = gain h + bias,  rstd = 1 / sqrt(variance + eps), variance biased
 *   d = gain dy:  dx = rstd (d - mean(d) - h mean(d h)),  dgain = sum dy h,  dbias = sum dy
 *
 * Rows are shared out among the OpenMP threads; the sums over rows do not depend on
 * how many there are. */
#ifndef STEADY_NORM_H
#define STEADY_NORM_H

#include "engine/kern/bf16.h"

/* mean and rstd [rows] are kept for the backward pass, and h rounded, unless it is NULL.
 * y and x are apart. */
void norm_rows(real *y, bf16 *h, const real *x, const real *gain, const real *bias,
               real eps, size_t rows, size_t n, real *mean, real *rstd);

/* The same with y rounded to bf16. */
void norm_rows16(bf16 *y, bf16 *h, const real *x, const real *gain, const real *bias,
                 real eps, size_t rows, size_t n, real *mean, real *rstd);

/* One visit makes all that is wanted; what is not is NULL.  beta = 0 overwrites. */
typedef struct NormBackward {
    size_t rows, n;
    const real *dy, *x, *gain, *bias, *mean, *rstd;
    const bf16 *h16;        /* instead of x and mean */
    real *y;                /* the output again, */
    bf16 *y16;              /* or rounded */
    real *dx, beta_x;       /* dx = beta_x dx + ... */
    real *dgain, beta_gain; /* [n] */
    real *dbias, beta_bias; /* [n] */
    real *scratch;          /* norm_scratch(rows, n) numbers */
} NormBackward;

size_t norm_scratch(size_t rows, size_t n);
void norm_rows_backward(const NormBackward *b);

#endif
