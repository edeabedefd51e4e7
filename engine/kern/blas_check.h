/* blas_check: are OpenBLAS's products right on this processor?
 *
 *     BlasCase now;
 *     if (blas_check(threads, &now, &err)) ...      err: the product, what it gave, what is right
 *
 * Kernels with wrong results, crashes and endless loops on new processors and in virtual
 * machines are on record, and a model that is trained on wrong products looks like one
 * that learns badly.  So everything that the engine asks of the library is tried against
 * plain loops, in float and in double: gemm with every transposition, with rows apart and
 * beta 0 over NaN, at sizes around the blocks of its kernels; gemv; syevr; alone and by
 * several threads at once.  About 15,000 products, a few tenths of a second.  Not for:
 * speed (steady doctor and bench measure it). */
#ifndef STEADY_BLAS_CHECK_H
#define STEADY_BLAS_CHECK_H

#include "engine/core/base.h"

/* BLAS_BF16: our own, of bf16_check.h. */
typedef enum { BLAS_GEMM, BLAS_GEMV, BLAS_SYEVR, BLAS_BF16 } BlasRoutine;

/* C[m, n] = alpha op(A)[m, k] op(B)[k, n] + beta C; gemv: n = 1; syevr: of order m. */
typedef struct BlasCase {
    BlasRoutine routine;
    bool single, ta, tb;
    size_t m, n, k;
    double alpha, beta;
    size_t threads; /* that the library may use */
    bool at_once;   /* so many calls at the same time, each of one thread */
    size_t number;  /* cases so far, this one included */
} BlasCase;

/* "sgemm (A^T B, m 33, n 17, k 65, alpha 1.5, beta 0.25; 1 thread)" */
void blas_case_text(const BlasCase *c, char *text, size_t size);

/* Tries all cases with one thread, then with `threads`.  `now` is what is being tried:
 * a process that waits for this one can read it in shared memory when it crashes or
 * hangs.  FAIL_RUN: the first product that is wrong.  Leaves OpenMP's number of
 * threads as it was. */
Status blas_check(size_t threads, BlasCase *now, Err *err);

#endif
