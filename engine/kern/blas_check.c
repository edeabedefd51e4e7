/* C = alpha op(A) op(B) + beta C, by OpenBLAS and by loops in double.
 *
 * Factors are of 24 bits within -1 ... 1, so that float and double see the same ones.  A
 * sum of k products in any order differs from the exact one by at most u k sum |a b| (u:
 * half a unit in the last place; Higham, Accuracy and Stability, 3.1), and |a b| is 1/4
 * in the mean: right kernels stay far below `bound`, a product that is missing, doubled
 * or of 16 bits does not. */
#include "engine/kern/blas_check.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/core/rng.h"

enum { ROOM = 1 << 19, APART = 3, SHIFTS = 61 };

typedef struct Work {
    const float *single;   /* [ROOM] factors; A and B are windows of it */
    const double *doubled; /* the same */
    float *c_single;
    double *c_double, *start, *wanted; /* C before and as it should be */
    double *row, *columns;             /* of op(A); op(B) transposed */
} Work;

/* What a thread needs of its own. */
static void work_open(Work *w, const float *single, const double *doubled) {
    *w = (Work){.single = single,
                .doubled = doubled,
                .c_single = mem_alloc(ROOM * sizeof *w->c_single),
                .c_double = mem_alloc(ROOM * sizeof *w->c_double),
                .start = mem_alloc(ROOM * sizeof *w->start),
                .wanted = mem_alloc(ROOM * sizeof *w->wanted),
                .row = mem_alloc(ROOM * sizeof *w->row),
                .columns = mem_alloc(ROOM * sizeof *w->columns)};
}

static void fill_factors(float *single, double *doubled) {
    Rng rng = rng_make(1, RNG_PROBE, 0);
    for (size_t i = 0; i < ROOM; i += 4) {
        uint32_t words[4];
        rng_words(rng, i, words);
        for (size_t j = 0; j < 4; j++)
            doubled[i + j] = single[i + j] =
                (float)((int32_t)words[j] / 256) / (float)(1 << 23);
    }
}

static void work_close(Work *w) {
    mem_free(w->c_single);
    mem_free(w->c_double);
    mem_free(w->start);
    mem_free(w->wanted);
    mem_free(w->row);
    mem_free(w->columns);
}

/* Where the matrices lie: rows further apart than they are long, at odd addresses. */
typedef struct Layout {
    size_t a, lda, b, ldb, c, ldc;
} Layout;

static Layout layout_of(const BlasCase *c) {
    if (c->routine == BLAS_GEMV) /* as the engine has it: no gaps */
        return (Layout){c->number % SHIFTS, c->ta ? c->m : c->k, 7, c->k, 0, 1};
    size_t apart = c->number % APART;
    return (Layout){.a = c->number * 7 % SHIFTS,
                    .lda = (c->ta ? c->m : c->k) + apart,
                    .b = c->number * 5 % SHIFTS,
                    .ldb = (c->tb ? c->k : c->n) + apart,
                    .c = c->number * 3 % SHIFTS,
                    .ldc = c->n + apart};
}

/* ---- plain loops ---- */

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static void plain_product(Work *w, const BlasCase *c, const Layout *l) {
    const double *a = w->doubled + l->a, *b = w->doubled + l->b;
    for (size_t j = 0; j < c->n && !c->tb; j++)
        for (size_t p = 0; p < c->k; p++) w->columns[j * c->k + p] = b[p * l->ldb + j];
    for (size_t i = 0; i < c->m; i++) {
        const double *row = c->ta ? w->row : a + i * l->lda;
        for (size_t p = 0; p < c->k && c->ta; p++) w->row[p] = a[p * l->lda + i];
        for (size_t j = 0; j < c->n; j++) {
            const double *column = c->tb ? b + j * l->ldb : w->columns + j * c->k;
            double *to = &w->wanted[i * l->ldc + j];
            double old = c->beta != 0 ? c->beta * w->start[i * l->ldc + j] : 0;
            *to = c->alpha * dot(row, column, c->k) + old;
        }
    }
}

/* What C holds before: numbers, or NaN that beta = 0 must not read; and between its
 * rows what must stay. */
static void prepare(Work *w, const BlasCase *c, const Layout *l) {
    for (size_t i = 0; i < c->m; i++)
        for (size_t j = 0; j < l->ldc; j++) {
            bool inside = j < c->n;
            double x = inside && c->beta == 0 ? NAN : w->doubled[i + j];
            w->start[i * l->ldc + j] = x;
            w->wanted[i * l->ldc + j] = x;
        }
    plain_product(w, c, l);
}

/* ---- the library ---- */

static void multiply(Work *w, const BlasCase *c, const Layout *l) {
    CBLAS_TRANSPOSE ta = c->ta ? CblasTrans : CblasNoTrans;
    CBLAS_TRANSPOSE tb = c->tb ? CblasTrans : CblasNoTrans;
    blasint m = (blasint)c->m, n = (blasint)c->n, k = (blasint)c->k;
    blasint lda = (blasint)l->lda, ldb = (blasint)l->ldb, ldc = (blasint)l->ldc;
    blasint rows = c->ta ? k : m, columns = c->ta ? m : k; /* of A as it lies */
    const float *sa = w->single + l->a, *sb = w->single + l->b;
    const double *da = w->doubled + l->a, *db = w->doubled + l->b;
    float *sc = w->c_single + l->c;
    double *dc = w->c_double + l->c;
    if (c->routine == BLAS_GEMV && c->single)
        cblas_sgemv(CblasRowMajor, ta, rows, columns, (float)c->alpha, sa, lda, sb, 1,
                    (float)c->beta, sc, 1);
    else if (c->routine == BLAS_GEMV)
        cblas_dgemv(CblasRowMajor, ta, rows, columns, c->alpha, da, lda, db, 1, c->beta,
                    dc, 1);
    else if (c->single)
        cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, (float)c->alpha, sa, lda, sb, ldb,
                    (float)c->beta, sc, ldc);
    else
        cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, c->alpha, da, lda, db, ldb, c->beta,
                    dc, ldc);
}

static Status fail_value(const BlasCase *c, size_t i, size_t j, double value,
                         double wanted, Err *err) {
    char text[160];
    blas_case_text(c, text, sizeof text);
    return err_set(err, FAIL_RUN, "%s: C[%zu, %zu] is %.9g; plain loops give %.9g", text,
                   i, j, value, wanted);
}

static Status compare(const Work *w, const BlasCase *c, const Layout *l, Err *err) {
    double k = (double)c->k, unit = ldexp(1, c->single ? -24 : -53);
    double bound = unit * (k + 3) * (fabs(c->alpha) * (k / 4 + 2 * sqrt(k)) + 2);
    for (size_t i = 0; i < c->m; i++)
        for (size_t j = 0; j < l->ldc; j++) {
            size_t at = i * l->ldc + j;
            double value =
                c->single ? (double)w->c_single[l->c + at] : w->c_double[l->c + at];
            double off = fabs(value - w->wanted[at]);
            if (!(off <= (j < c->n ? bound : 0)))
                return fail_value(c, i, j, value, w->wanted[at], err);
        }
    return OK;
}

/* The case in both types; the loops run once. */
static Status check_case(Work *w, BlasCase *c, Err *err) {
    Layout l = layout_of(c);
    size_t size = c->m * l.ldc;
    CHECK(size + SHIFTS <= ROOM && (c->k + APART) * MAX(c->m, c->n) + SHIFTS <= ROOM,
          "%zu x %zu x %zu", c->m, c->n, c->k);
    prepare(w, c, &l);
    for (size_t i = 0; i < size; i++) {
        w->c_double[l.c + i] = w->start[i];
        w->c_single[l.c + i] = (float)w->start[i];
    }
    for (int single = 1; single >= 0; single--) {
        c->single = single;
        multiply(w, c, &l);
        if (compare(w, c, &l, err)) return err->status;
    }
    return OK;
}

/* ---- the eigenvector that spectral norms ask for ---- */

typedef void Syevr(const char *, const char *, const char *, const int *, void *,
                   const int *, const void *, const void *, const int *, const int *,
                   const void *, int *, void *, void *, const int *, int *, void *,
                   const int *, int *, const int *, int *);
Syevr ssyevr_, dsyevr_;

/* a = G G^T of a window of the factors. */
static void fill_symmetric(const Work *w, size_t n, double *a) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            a[i * n + j] = dot(w->doubled + i * n, w->doubled + j * n, n);
}

/* The top eigenvector to w->row; the library's answer to its state. */
static int top_vector(Work *w, const BlasCase *c) {
    int n = (int)c->m, found = 0, info = 0, support[2];
    int lwork = 26 * n, liwork = 10 * n; /* the least that it asks for */
    int *iwork = mem_alloc((size_t)liwork * sizeof *iwork);
    double zero = 0; /* all bits 0, in float too */
    void *a = c->single ? (void *)w->c_single : w->c_double;
    double *room = mem_alloc((size_t)(lwork + 2 * n) * sizeof *room);
    double *values = room + lwork, *vector = values + n;
    for (size_t i = 0; i < c->m * c->m; i++) {
        w->c_double[i] = w->start[i];
        w->c_single[i] = (float)w->start[i];
    }
    (c->single ? ssyevr_ : dsyevr_)("V", "I", "L", &n, a, &n, &zero, &zero, &n, &n, &zero,
                                    &found, values, vector, &n, support, room, &lwork,
                                    iwork, &liwork, &info);
    for (size_t i = 0; i < c->m; i++) {
        float single;
        memcpy(&single, (char *)vector + i * sizeof single, sizeof single);
        w->row[i] = c->single ? (double)single : vector[i];
    }
    mem_free(room);
    mem_free(iwork);
    return info ? info : found != 1;
}

/* |A x - (x.A x) x| / (x.A x); and what x.A x is. */
static double residual_of(const Work *w, size_t n, double *value) {
    double *product = w->columns, square = 0;
    for (size_t i = 0; i < n; i++) product[i] = dot(w->start + i * n, w->row, n);
    *value = dot(product, w->row, n);
    for (size_t i = 0; i < n; i++) {
        double off = product[i] - *value * w->row[i];
        square += off * off;
    }
    return sqrt(square) / *value;
}

/* A lower bound of the largest eigenvalue: powers of A. */
static double power_value(Work *w, size_t n) {
    double value = 0;
    for (size_t i = 0; i < n; i++) w->row[i] = 1 / sqrt((double)n);
    for (int round = 0; round < 40; round++) {
        residual_of(w, n, &value);
        double length = sqrt(dot(w->columns, w->columns, n));
        for (size_t i = 0; i < n; i++) w->row[i] = w->columns[i] / length;
    }
    return value;
}

static Status check_vector(Work *w, BlasCase *c, Err *err) {
    char text[160];
    double value, least;
    fill_symmetric(w, c->m, w->start);
    least = power_value(w, c->m);
    for (int single = 1; single >= 0; single--) {
        c->single = single;
        double share = single ? 2e-5 : 1e-12;
        int state = top_vector(w, c);
        double residual = residual_of(w, c->m, &value);
        if (!state && residual < share * (double)c->m && value > 0.999 * least) continue;
        blas_case_text(c, text, sizeof text);
        return err_set(
            err, FAIL_RUN,
            "%s: not the top eigenvector (state %d, residual %.2g, value %.6g; "
            "at least %.6g is right)",
            text, state, residual, value, least);
    }
    return OK;
}

/* ---- all cases ---- */

typedef struct Check {
    Work work;
    size_t threads;
    BlasCase *now;
    Err *err;
} Check;

static Status try_next(Check *k, BlasCase c) {
    static const double ALPHA[] = {1, -0.5, 1.5, 1, 1}, BETA[] = {0, 1, 0.25, 1, 0};
    c.number = k->now->number + 1;
    c.threads = (size_t)omp_get_max_threads();
    bool gemm = c.routine == BLAS_GEMM;
    c.alpha = gemm ? ALPHA[c.number % COUNT(ALPHA)] : 1;
    c.beta = gemm ? BETA[c.number % COUNT(BETA)] : 0;
    *k->now = c;
    return c.routine == BLAS_SYEVR ? check_vector(&k->work, k->now, k->err)
                                   : check_case(&k->work, k->now, k->err);
}

/* Around the blocks of registers that kernels have, of 1 to 64. */
static Status try_small(Check *k) {
    static const size_t SIZES[] = {1, 2, 3, 5, 8, 9, 16, 17, 31, 33, 48, 65};
    enum { N = COUNT(SIZES) };
    for (size_t i = 0; i < 4 * N * N * N; i++) {
        BlasCase c = {.ta = i % 4 / 2, .tb = i % 2};
        c.m = SIZES[i / 4 % N];
        c.n = SIZES[i / (4 * N) % N];
        c.k = SIZES[i / (4 * N * N)];
        if (try_next(k, c)) return k->err->status;
    }
    return OK;
}

/* Around the blocks of caches, of 128 to 1024. */
static const struct {
    size_t m, n, k;
} LARGE[] = {{129, 67, 257},  {255, 33, 385}, {97, 113, 1031}, {1031, 19, 129},
             {65, 1031, 321}, {17, 2051, 33}, {3, 7, 4099},    {515, 259, 131},
             {2049, 1, 130},  {1, 1025, 200}, {96, 64, 64},    {100, 101, 102},
             {385, 769, 5},   {193, 193, 193}};

static Status try_large(Check *k) {
    for (size_t i = 0; i < 4 * COUNT(LARGE); i++) {
        BlasCase c = {.ta = i % 4 / 2, .tb = i % 2};
        c.m = LARGE[i / 4].m;
        c.n = LARGE[i / 4].n;
        c.k = LARGE[i / 4].k;
        if (try_next(k, c)) return k->err->status;
    }
    return OK;
}

static Status try_vectors(Check *k) {
    static const size_t SIZES[] = {1, 2, 3, 7, 8, 17, 33, 64, 100, 257, 515};
    enum { N = COUNT(SIZES) };
    for (size_t i = 0; i < 2 * N * N; i++) {
        BlasCase c = {BLAS_GEMV, .ta = i % 2, .tb = true, .n = 1};
        c.m = SIZES[i / 2 % N];
        c.k = SIZES[i / (2 * N)];
        if (try_next(k, c)) return k->err->status;
    }
    return OK;
}

static Status try_eigenvectors(Check *k) {
    static const size_t ORDERS[] = {2, 8, 24, 33, 64, 131};
    for (size_t i = 0; i < COUNT(ORDERS); i++)
        if (try_next(k, (BlasCase){BLAS_SYEVR, .m = ORDERS[i]})) return k->err->status;
    return OK;
}

/* As the engine multiplies: each thread calls for a product of its own. */
static Status try_at_once(Check *k) {
    BlasCase first = {.single = true,
                      .m = LARGE[0].m,
                      .n = LARGE[0].n,
                      .k = LARGE[0].k,
                      .alpha = 1,
                      .threads = k->threads,
                      .at_once = true,
                      .number = k->now->number + 4 * COUNT(LARGE)};
    *k->now = first;
    Err failed = ERR_NONE;
#pragma omp parallel num_threads((int)k->threads)
    {
        Work own;
        work_open(&own, k->work.single, k->work.doubled);
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < 4 * COUNT(LARGE); i++) {
            Err err = ERR_NONE;
            BlasCase c = first;
            c.m = LARGE[i / 4].m;
            c.n = LARGE[i / 4].n;
            c.k = LARGE[i / 4].k;
            c.ta = i % 4 / 2;
            c.tb = i % 2;
            if (check_case(&own, &c, &err))
#pragma omp critical(blas_check)
                failed = err;
        }
        work_close(&own);
    }
    if (failed.status && k->err) *k->err = failed;
    return failed.status;
}

static Status try_all(Check *k) {
    omp_set_num_threads(1);
    if (try_small(k) || try_large(k) || try_vectors(k) || try_eigenvectors(k))
        return k->err->status;
    if (k->threads < 2) return OK;
    omp_set_num_threads((int)k->threads);
    if (try_large(k) || try_vectors(k) || try_at_once(k)) return k->err->status;
    return OK;
}

Status blas_check(size_t threads, BlasCase *now, Err *err) {
    Err own = ERR_NONE;
    Check k = {.threads = threads, .now = now, .err = err ? err : &own};
    int before = omp_get_max_threads();
    float *single = mem_alloc(ROOM * sizeof *single);
    double *doubled = mem_alloc(ROOM * sizeof *doubled);
    *now = (BlasCase){0};
    fill_factors(single, doubled);
    work_open(&k.work, single, doubled);
    Status status = try_all(&k);
    work_close(&k.work);
    mem_free(single);
    mem_free(doubled);
    omp_set_num_threads(before);
    return status;
}

void blas_case_text(const BlasCase *c, char *text, size_t size) {
    static const char *const NAMES[] = {"gemm", "gemv", "syevr", "product in bf16"};
    char what[100];
    if (c->routine == BLAS_SYEVR) text_format(what, sizeof what, "order %zu", c->m);
    else if (c->routine == BLAS_GEMV)
        text_format(what, sizeof what, "A%s x, m %zu, k %zu", c->ta ? "^T" : "", c->m,
                    c->k);
    else
        text_format(what, sizeof what, "A%s B%s, m %zu, n %zu, k %zu, alpha %g, beta %g",
                    c->ta ? "^T" : "", c->tb ? "^T" : "", c->m, c->n, c->k, c->alpha,
                    c->beta);
    text_format(text, size, "%s%s (%s; %zu thread%s%s)",
                c->routine == BLAS_BF16 ? ""
                : c->single             ? "s"
                                        : "d",
                NAMES[c->routine], what, c->threads, c->threads == 1 ? "" : "s",
                c->at_once ? " at once" : "");
}
