/* gemm: matrix products on row-major matrices, through OpenBLAS.
 *
 * ld is the distance between rows.  beta = 0 overwrites C whatever it held.  Called
 * inside an OpenMP parallel region a product runs on the calling thread alone. */
#ifndef STEADY_GEMM_H
#define STEADY_GEMM_H

#include "engine/core/base.h"

/* C[m, n] = alpha A[m, k] B[n, k]^T + beta C */
void gemm_nt(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
             const real *b, size_t ldb, real beta, real *c, size_t ldc);

/* C[m, n] = alpha A[m, k] B[k, n] + beta C */
void gemm_nn(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
             const real *b, size_t ldb, real beta, real *c, size_t ldc);

/* C[m, n] = alpha A[k, m]^T B[k, n] + beta C */
void gemm_tn(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
             const real *b, size_t ldb, real beta, real *c, size_t ldc);

/* The lower half of C[n, n] = A A^T, A [n, k], and of C[n, n] = A^T A, A [k, n]; above it
 * C is left as it is.  Half the work of a product; for parallel loops over small ones. */
void gram_rows(size_t n, size_t k, const real *a, size_t lda, real *c, size_t ldc);
void gram_columns(size_t n, size_t k, const real *a, size_t lda, real *c, size_t ldc);

/* y[m] = A[m, n] x[n] and y[n] = A[m, n]^T x[m] */
void gemv_n(size_t m, size_t n, const real *a, const real *x, real *y);
void gemv_t(size_t m, size_t n, const real *a, const real *x, real *y);

#endif
