/* product: the products of gemm.h in the precision of the pass: through OpenBLAS, or with
 * operands rounded to bf16, in pieces whose copies stay in the caches.
 *
 *     Products how = product_choose(tape, scale, rows);
 *     product_nt(tape, how, rows, n, k, 1, x, k, w, k, 0, y, n);            y = x W^T
 *
 * For ops whose right side is a matrix of weights and whose numbers are fp32; linear.c
 * and attention.c have their own. */
#ifndef STEADY_PRODUCT_H
#define STEADY_PRODUCT_H

#include "engine/kern/bf16.h"
#include "engine/op/op.h"

typedef struct Products {
    bool rounded; /* operands are, to bf16 */
    Bf16Way way;
} Products;

/* By product_in_bf16. */
Products product_choose(const Tape *tape, const Scale *scale, size_t rows);

/* C[m, n] = alpha A[m, k] B[n, k]^T + beta C; beta is 0 or 1 */
void product_nt(Tape *tape, Products how, size_t m, size_t n, size_t k, real alpha,
                const real *a, size_t lda, const real *b, size_t ldb, real beta, real *c,
                size_t ldc);

/* C[m, n] = alpha A[m, k] B[k, n] + beta C */
void product_nn(Tape *tape, Products how, size_t m, size_t n, size_t k, real alpha,
                const real *a, size_t lda, const real *b, size_t ldb, real beta, real *c,
                size_t ldc);

/* C[m, n] = alpha A[k, m]^T B[k, n] + beta C */
void product_tn(Tape *tape, Products how, size_t m, size_t n, size_t k, real alpha,
                const real *a, size_t lda, const real *b, size_t ldb, real beta, real *c,
                size_t ldc);

#endif
