#include "engine/kern/gemm.h"

#include <cblas.h>
#include <omp.h>

#ifdef STEADY_DOUBLE
#define GEMM cblas_dgemm
#define GEMV cblas_dgemv
#define SYRK cblas_dsyrk
#else
#define GEMM cblas_sgemm
#define GEMV cblas_sgemv
#define SYRK cblas_ssyrk
#endif

/* C = alpha op(A) op(B) + beta C, as BLAS says it. */
typedef struct Product {
    CBLAS_TRANSPOSE ta, tb;
    size_t m, n, k;
    real alpha;
    const real *a;
    size_t lda;
    const real *b;
    size_t ldb;
    real beta;
    real *c;
    size_t ldc;
} Product;

static void run(const Product *p) {
    if (!p->m || !p->n) return;
    GEMM(CblasRowMajor, p->ta, p->tb, (blasint)p->m, (blasint)p->n, (blasint)p->k,
         p->alpha, p->a, (blasint)p->lda, p->b, (blasint)p->ldb, p->beta, p->c,
         (blasint)p->ldc);
}

/* Rows [first, last) of C. */
static Product rows_of(Product p, size_t first, size_t last) {
    p.a += first * (p.ta == CblasNoTrans ? p.lda : 1);
    p.c += first * p.ldc;
    p.m = last - first;
    return p;
}

/* Columns [first, last) of C. */
static Product columns_of(Product p, size_t first, size_t last) {
    p.b += first * (p.tb == CblasNoTrans ? 1 : p.ldb);
    p.c += first;
    p.n = last - first;
    return p;
}

enum { GRAIN = 16, SERIAL_WORK = 1 << 18 };

/* Where part i of `parts` begins, in whole grains. */
static size_t part_start(size_t n, size_t i, size_t parts) {
    size_t grains = (n + GRAIN - 1) / GRAIN;
    size_t start = grains * i / parts * GRAIN;
    return start < n ? start : n;
}

/* Each thread multiplies a strip of C of its own with a single-threaded product:
 * OpenBLAS's own threads wait for each other's packed blocks in a loop of
 * sched_yield, which on a machine that is busy with something else as well costs a
 * time slice at every wait. */
static void product(Product p) {
    size_t threads = (size_t)omp_get_max_threads();
    if (omp_in_parallel() || threads == 1 || p.m * p.n * p.k < SERIAL_WORK) {
        run(&p);
        return;
    }
    bool by_rows = p.m >= p.n;
    size_t length = by_rows ? p.m : p.n;
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < threads; i++) {
        size_t first = part_start(length, i, threads),
               last = part_start(length, i + 1, threads);
        Product part = by_rows ? rows_of(p, first, last) : columns_of(p, first, last);
        run(&part);
    }
}

void gemm_nt(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
             const real *b, size_t ldb, real beta, real *c, size_t ldc) {
    product((Product){CblasNoTrans, CblasTrans, m, n, k, alpha, a, lda, b, ldb, beta, c,
                      ldc});
}

void gemm_nn(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
             const real *b, size_t ldb, real beta, real *c, size_t ldc) {
    product((Product){CblasNoTrans, CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c,
                      ldc});
}

void gemm_tn(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
             const real *b, size_t ldb, real beta, real *c, size_t ldc) {
    product((Product){CblasTrans, CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c,
                      ldc});
}

static void gram(CBLAS_TRANSPOSE trans, size_t n, size_t k, const real *a, size_t lda,
                 real *c, size_t ldc) {
    if (!n) return;
    SYRK(CblasRowMajor, CblasLower, trans, (blasint)n, (blasint)k, 1, a, (blasint)lda, 0,
         c, (blasint)ldc);
}

void gram_rows(size_t n, size_t k, const real *a, size_t lda, real *c, size_t ldc) {
    gram(CblasNoTrans, n, k, a, lda, c, ldc);
}

void gram_columns(size_t n, size_t k, const real *a, size_t lda, real *c, size_t ldc) {
    gram(CblasTrans, n, k, a, lda, c, ldc);
}

void gemv_n(size_t m, size_t n, const real *a, const real *x, real *y) {
    GEMV(CblasRowMajor, CblasNoTrans, (blasint)m, (blasint)n, 1, a, (blasint)n, x, 1, 0,
         y, 1);
}

void gemv_t(size_t m, size_t n, const real *a, const real *x, real *y) {
    GEMV(CblasRowMajor, CblasTrans, (blasint)m, (blasint)n, 1, a, (blasint)n, x, 1, 0, y,
         1);
}
