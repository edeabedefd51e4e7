#include "engine/kern/gemm.h"

#include <cblas.h>
#include <math.h>
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

/* Of the largest of `parts` parts. */
static double part_length(size_t n, size_t parts) {
    size_t grains = (n + GRAIN - 1) / GRAIN;
    return (double)((grains + parts - 1) / parts * GRAIN);
}

/* C is cut into a grid of tiles, one a thread; how many rows of tiles.  Up to three
 * threads have strips of the longer side.  More have the grid whose largest tile is the
 * least work: its numbers, and those of A and B for it, which BLAS copies at the price of
 * COPY of C's (a row of k = 1).  Strips alone would leave 40 of 64 threads without one
 * where C has 384 rows. */
static size_t grid_rows(size_t m, size_t n, size_t threads) {
    enum { COPY = 32 };
    if (threads < 4) return m >= n ? threads : 1;
    size_t best = 1;
    double least = INFINITY;
    for (size_t rows = threads; rows > 0; rows--) {
        if (threads % rows) continue;
        double down = part_length(m, rows), across = part_length(n, threads / rows);
        double work = down * across + COPY * (down + across);
        if (work < least) best = rows, least = work;
    }
    return best;
}

/* Each thread multiplies a tile of C of its own with a single-threaded product:
 * OpenBLAS's own threads wait for each other's packed blocks in a loop of
 * sched_yield, which on a machine that is busy with something else as well costs a
 * time slice at every wait. */
static void product(Product p) {
    size_t threads = (size_t)omp_get_max_threads();
    if (omp_in_parallel() || threads == 1 || p.m * p.n * p.k < SERIAL_WORK) {
        run(&p);
        return;
    }
    size_t rows = grid_rows(p.m, p.n, threads), columns = threads / rows;
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < threads; i++) {
        size_t r = i / columns, c = i % columns;
        Product tile = rows_of(p, part_start(p.m, r, rows), part_start(p.m, r + 1, rows));
        tile = columns_of(tile, part_start(p.n, c, columns),
                          part_start(p.n, c + 1, columns));
        run(&tile);
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
