/* few: products of a matrix with a few vectors at once, on the calling thread.
 *
 * Of each number of W that comes from memory all is made at one time: a matrix that does
 * not fit the caches is read once for the FEW vectors of few_forward, and what it leaves
 * in them is read again by few_back.  (BLAS packs W first, which for six columns is more
 * work than the product.)
 *
 * Sums are taken in an order that depends on n alone, so rows may be shared out among
 * threads in any way.  Not for: more vectors (gemm.h, panel.h). */
#ifndef STEADY_FEW_H
#define STEADY_FEW_H

#include "engine/core/base.h"

enum { FEW = 6, FEW_BACK = 2 };

/* y[rows, FEW] = W[rows, n] x[FEW, n]^T */
void few_forward(size_t rows, size_t n, const real *w, const real *x, real *y);

/* z[FEW_BACK, n] = v[rows, FEW_BACK]^T W[rows, n] */
void few_back(size_t rows, size_t n, const real *w, const real *v, real *z);

#endif
