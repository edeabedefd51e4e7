#include "engine/reparam/spectral.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/core/rng.h"
#include "engine/kern/gemm.h"
#include "engine/kern/reduce.h"
#include "engine/kern/rows.h"

enum { EXACT_SIDE_MAX = 512, SMALL = 16384 };

/* LAPACK's symmetric eigen-solver, by its Fortran symbol (Debian has no LAPACKE). */
#ifdef STEADY_DOUBLE
#define SYEVR dsyevr_
#else
#define SYEVR ssyevr_
#endif
void SYEVR(const char *jobz, const char *range, const char *uplo, const int *n, real *a,
           const int *lda, const real *vl, const real *vu, const int *il, const int *iu,
           const real *abstol, int *m, real *w, real *z, const int *ldz, int *isuppz,
           real *work, const int *lwork, int *iwork, const int *liwork, int *info);

static real normalize(real *x, size_t n) {
    real norm = (real)sqrt(reduce_sum_squares(x, n));
    if (norm > 0)
        for (size_t i = 0; i < n; i++) x[i] /= norm;
    return norm;
}

/* Rows first ... last-1: v_r = W_r.u, and back += v_r W_r while the row is in cache. */
static void pass_rows(const real *w, size_t in, size_t first, size_t last, const real *u,
                      real *v, real *back) {
    memset(back, 0, in * sizeof(real));
    for (size_t r = first; r < last; r++) {
        const real *row = w + r * in;
        real t = row_dot(row, u, in);
        v[r] = t;
#pragma omp simd
        for (size_t j = 0; j < in; j++) back[j] += t * row[j];
    }
}

/* v = W u, back = W^T W u; parts are added in the order of the threads. */
static void pass(const real *w, size_t out, size_t in, const real *u, real *v,
                 real *back) {
    size_t threads = out * in > SMALL ? (size_t)omp_get_max_threads() : 1;
    real *parts = mem_alloc(threads * in * sizeof(real));
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < threads; i++)
        pass_rows(w, in, out * i / threads, out * (i + 1) / threads, u, v,
                  parts + i * in);
    memcpy(back, parts, in * sizeof(real));
    for (size_t i = 1; i < threads; i++)
        for (size_t j = 0; j < in; j++) back[j] += parts[i * in + j];
    mem_free(parts);
}

/* *image: |W u|. */
static real step(const real *w, size_t out, size_t in, real *u, real *v, real *image) {
    real *next = mem_alloc((in + out) * sizeof(real)), *product = next + in;
    pass(w, out, in, u, product, next);
    real length = normalize(product, out), sigma = 0;
    if (length !=
        0) { /* NaN goes on its way: a bad weight must not look like an empty one */
        sigma = normalize(next, in) / length;
        if (sigma == 0 || isinf(sigma)) { /* |W|^2 left the range of float, |W| did not */
            gemv_t(out, in, w, product, next);
            sigma = normalize(next, in);
        }
        memcpy(u, next, in * sizeof(real));
        memcpy(v, product, out * sizeof(real));
    }
    mem_free(next);
    *image = length;
    return sigma;
}

real spectral_step(const real *w, size_t out, size_t in, real *u, real *v) {
    real image;
    return step(w, out, in, u, v, &image);
}

real spectral_settle(const real *w, size_t out, size_t in, real *u, real *v, double gain,
                     size_t most) {
    real sigma = 0, image = 0;
    for (size_t i = 0; i < most; i++) {
        sigma = step(w, out, in, u, v, &image);
        if (!((double)sigma > (1 + gain) * (double)image)) break;
    }
    return sigma;
}

real spectral_form(const real *w, size_t out, size_t in, const real *u, const real *v) {
    real *product = mem_alloc(out * sizeof(real));
    gemv_n(out, in, w, u, product);
    real form = (real)reduce_dot(product, v, out);
    mem_free(product);
    return form;
}

/* Eigenvectors of the symmetric a [n, n], whose upper part and diagonal are destroyed:
 * that of the largest eigenvalue, or with `all` those of all, by rising eigenvalue.
 * Returns how many LAPACK found. */
static size_t eigenvectors(real *a, size_t n, bool all, real *vectors) {
    int order = (int)n, found = 0, info = 0, lwork = -1, liwork = -1, iwork_size;
    real work_size, tolerance = 0, none = 0;
    real *values = mem_alloc(n * sizeof(real)), *work = &work_size;
    int *support = mem_alloc(2 * n * sizeof(int)), *iwork = &iwork_size;
    for (int asked = 0; asked < 2; asked++) { /* the first call asks for sizes */
        SYEVR("V", all ? "A" : "I", "L", &order, a, &order, &none, &none, &order, &order,
              &tolerance, &found, values, vectors, &order, support, work, &lwork, iwork,
              &liwork, &info);
        if (asked) break;
        lwork = (int)work_size;
        liwork = iwork_size;
        work = mem_alloc((size_t)lwork * sizeof(real));
        iwork = mem_alloc((size_t)liwork * sizeof(int));
    }
    CHECK(info == 0, "LAPACK syevr: info %d", info);
    mem_free(iwork);
    mem_free(work);
    mem_free(support);
    mem_free(values);
    return (size_t)found;
}

/* The eigenvector of the largest eigenvalue of the symmetric a [n, n], which is
 * destroyed.  Asked for that one alone, LAPACK sometimes finds none where many are equal
 * (I - 11^T/n has an eigenvalue n - 1 times): then all are asked for. */
static void top_eigenvector(real *a, size_t n, real *vector) {
    real *diagonal = mem_alloc(n * sizeof(real));
    for (size_t i = 0; i < n; i++) diagonal[i] = a[i * n + i];
    if (eigenvectors(a, n, false, vector) != 1) {
        for (size_t i = 0; i < n; i++) {
            a[i * n + i] = diagonal[i];
            for (size_t j = 0; j < i; j++) a[j * n + i] = a[i * n + j];
        }
        real *vectors = mem_alloc(n * n * sizeof(real));
        size_t found = eigenvectors(a, n, true, vectors);
        CHECK(found == n, "LAPACK syevr: %zu of %zu eigenvalues", found, n);
        memcpy(vector, vectors + (n - 1) * n, n * sizeof(real));
        mem_free(vectors);
    }
    mem_free(diagonal);
}

/* ---- Lanczos on W^T W, with every new vector made orthogonal to all before ---- */

/* The residual is looked at after CHECK_FIRST vectors at the earliest: a vector that has
 * just overtaken is hardly seen before. */
enum { LANCZOS_STEPS = 24, CHECK_FIRST = 8 };

typedef struct Lanczos {
    size_t in, count; /* count: vectors in the basis */
    real *basis;      /* [LANCZOS_STEPS + 1, in] */
    double diagonal[LANCZOS_STEPS], below[LANCZOS_STEPS];
} Lanczos;

/* back -= its part in the basis; twice is enough. */
static void make_orthogonal(const Lanczos *l, real *back) {
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < l->count; i++) {
            const real *q = l->basis + i * l->in;
            real inner = (real)reduce_dot(q, back, l->in);
            for (size_t j = 0; j < l->in; j++) back[j] -= inner * q[j];
        }
}

/* The tridiagonal matrix's top eigenvector, and |W^T W x - theta x| /
 * theta of what it means. */
static double top_ritz(const Lanczos *l, real *vector) {
    size_t n = l->count;
    real *dense = mem_zalloc(n * n * sizeof(real));
    for (size_t i = 0; i < n; i++) {
        dense[i * n + i] = (real)l->diagonal[i];
        if (i + 1 < n) dense[i * n + i + 1] = dense[(i + 1) * n + i] = (real)l->below[i];
    }
    top_eigenvector(dense, n, vector);
    mem_free(dense);
    double theta = 0;
    for (size_t i = 0; i < n; i++) {
        theta += l->diagonal[i] * (double)vector[i] * (double)vector[i];
        if (i + 1 < n)
            theta += 2 * l->below[i] * (double)vector[i] * (double)vector[i + 1];
    }
    return theta > 0 ? fabs(l->below[n - 1] * (double)vector[n - 1]) / theta : 0;
}

/* u becomes the best vector of the space that LANCZOS_STEPS passes from u span; returns
 * the residual of its eigenvalue as a share of it. */
static double improve(const real *w, size_t out, size_t in, real *u, real *v,
                      double tolerance) {
    Lanczos l = {.in = in, .basis = mem_alloc((LANCZOS_STEPS + 1) * in * sizeof(real))};
    size_t most = MIN((size_t)LANCZOS_STEPS, in);
    real ritz[LANCZOS_STEPS];
    double residual = 0;
    memcpy(l.basis, u, in * sizeof(real));
    while (l.count < most) {
        real *q = l.basis + l.count * in, *back = q + in;
        pass(w, out, in, q, v, back);
        l.diagonal[l.count] = reduce_dot(q, back, in);
        l.count++;
        make_orthogonal(&l, back);
        l.below[l.count - 1] = (double)normalize(back, in);
        bool over = l.count == most || l.below[l.count - 1] <= 1e-6 * l.diagonal[0];
        if (!over && (l.count < CHECK_FIRST || l.count % 4)) continue;
        residual = top_ritz(&l, ritz);
        if (over || residual < tolerance) break;
    }
    memset(u, 0, in * sizeof(real));
    for (size_t i = 0; i < l.count; i++)
        for (size_t j = 0; j < in; j++) u[j] += ritz[i] * l.basis[i * in + j];
    normalize(u, in);
    mem_free(l.basis);
    return residual;
}

/* Sides up to which the exact answer is as cheap as passes over W. */
enum { FOLLOW_EXACT_MAX = 64 };

/* A share of noise, always the same: where the largest two singular values have changed
 * places, the old vector alone would be taken for the answer. */
static void stir(real *u, size_t in) {
    Rng rng = rng_make(0, RNG_PROBE, 0);
    double share = 0.5 / sqrt((double)in);
    for (size_t j = 0; j < in; j++) u[j] += (real)(share * rng_normal(rng, j));
    normalize(u, in);
}

/* From the Gram matrix of the shorter side; the other vector follows from the product. */
static real exact(const real *w, size_t out, size_t in, real *u, real *v) {
    size_t n = MIN(out, in);
    real *gram = mem_alloc(n * n * sizeof(real));
    if (in <= out) {
        gemm_tn(n, n, out, 1, w, in, w, in, 0, gram, n);
        top_eigenvector(gram, n, u);
    } else {
        gemm_nt(n, n, in, 1, w, in, w, in, 0, gram, n);
        top_eigenvector(gram, n, v);
        gemv_t(out, in, w, v, u);
    }
    mem_free(gram);
    normalize(u, in);
    return spectral_step(w, out, in, u, v);
}

real spectral_follow(const real *w, size_t out, size_t in, real *u, real *v,
                     double tolerance, size_t rounds) {
    double squares = reduce_sum_squares(w, out * in);
    if (!(squares > 0) || !isfinite(squares)) return (real)sqrt(squares);
    if (MIN(out, in) <= FOLLOW_EXACT_MAX) return exact(w, out, in, u, v);
    stir(u, in);
    for (size_t i = 0; i < rounds; i++)
        if (improve(w, out, in, u, v, tolerance) < tolerance) break;
    return spectral_step(w, out, in, u, v);
}

real spectral_norm(const real *w, size_t out, size_t in, real *u, real *v) {
    memset(u, 0, in * sizeof(real));
    memset(v, 0, out * sizeof(real));
    double squares = reduce_sum_squares(w, out * in);
    if (!(squares > 0) || !isfinite(squares)) {
        u[0] = v[0] = 1;
        return squares > 0 ? (real)squares : (real)sqrt(squares);
    }
    if (MIN(out, in) <= EXACT_SIDE_MAX) return exact(w, out, in, u, v);
    return spectral_follow(w, out, in, u, v, SPECTRAL_RESIDUAL, SPECTRAL_ROUNDS);
}
