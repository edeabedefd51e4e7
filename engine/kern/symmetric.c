#include "engine/kern/symmetric.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* LAPACK by its Fortran symbols (Debian has no LAPACKE). */
#ifdef STEADY_DOUBLE
#define SYEVR dsyevr_
#define POTRF dpotrf_
#define SYMV cblas_dsymv
#define ROUNDING DBL_EPSILON
#else
#define SYEVR ssyevr_
#define POTRF spotrf_
#define SYMV cblas_ssymv
#define ROUNDING FLT_EPSILON
#endif
void SYEVR(const char *jobz, const char *range, const char *uplo, const int *n, real *a,
           const int *lda, const real *vl, const real *vu, const int *il, const int *iu,
           const real *abstol, int *m, real *w, real *z, const int *ldz, int *isuppz,
           real *work, const int *lwork, int *iwork, const int *liwork, int *info);
void POTRF(const char *uplo, const int *n, real *a, const int *lda, int *info);

/* syevr without vectors: its smallest workspaces, and one number for each eigenvalue. */
enum { WORK = 26, INDICES = 10, SUPPORT = 2, VALUES = 1 };

size_t symmetric_room(size_t n) {
    return n * (WORK + VALUES) * sizeof(real) + n * (INDICES + SUPPORT) * sizeof(int);
}

static bool all_finite(const real *a, size_t n) {
    real sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * 0;
    return sum == 0;
}

void symmetric_largest(real *a, size_t n, size_t count, double *values, void *room) {
    count = MIN(count, n);
    for (size_t i = 0; i < count; i++) values[i] = (double)NAN;
    if (!n || !all_finite(a, n * n)) return;
    int order = (int)n, first = (int)(n - count) + 1, found = 0, info = 0, one = 1;
    int work = WORK * order, indices = INDICES * order;
    real none = 0, *rising = room, *memory = rising + n;
    int *index = (int *)(void *)(memory + WORK * n), *support = index + INDICES * n;
    SYEVR("N", "I", "L", &order, a, &order, &none, &none, &first, &order, &none, &found,
          rising, NULL, &one, support, memory, &work, index, &indices, &info);
    if (info || found != (int)count) return;
    for (size_t i = 0; i < count; i++) values[i] = (double)rising[count - 1 - i];
}

static void clear_above(real *a, size_t n) {
    for (size_t i = 0; i < n; i++) memset(a + i * n + i + 1, 0, (n - i - 1) * sizeof *a);
}

/* Row by row, L_ij = (a_ij - sum_{k<j} L_ik L_jk) / L_jj; a pivot that is nothing beside
 * the largest diagonal entry makes a column of zeros. */
static void root_of_any_rank(real *a, size_t n) {
    real most = 0;
    for (size_t i = 0; i < n; i++) most = MAX(most, a[i * n + i]);
    real least = (real)n * (real)ROUNDING * most;
    for (size_t i = 0; i < n; i++) {
        real *row = a + i * n;
        for (size_t j = 0; j <= i; j++) {
            const real *other = a + j * n;
            real sum = row[j];
#pragma omp simd reduction(- : sum)
            for (size_t k = 0; k < j; k++) sum -= row[k] * other[k];
            if (i == j) row[j] = sum > least ? (real)sqrt((double)sum) : 0;
            else row[j] = other[j] > 0 ? sum / other[j] : 0;
        }
    }
}

/* LAPACK's upper half is our lower one. */
static bool factor(real *a, size_t n) {
    int order = (int)n, info = 0;
    POTRF("U", &order, a, &order, &info);
    return info == 0;
}

void symmetric_root(real *a, size_t n, real *spare) {
    memcpy(spare, a, n * n * sizeof *a);
    if (!factor(a, n)) {
        memcpy(a, spare, n * n * sizeof *a);
        root_of_any_rank(a, n);
    }
    clear_above(a, n);
}

/* ---- a bound of the largest eigenvalue ---- */

static const double TIGHT = 5e-3; /* share of the bound above the estimate */
enum { ITERATIONS = 12 };

/* x becomes a^k x / |a^k x|; returns x.a x of the last x but one. */
static double iterate(const real *a, size_t n, real *x, real *y) {
    double form = 0;
    for (int round = 0; round < ITERATIONS; round++) {
        double squares = 0;
        form = 0;
        SYMV(CblasRowMajor, CblasLower, (blasint)n, 1, a, (blasint)n, x, 1, 0, y, 1);
        for (size_t j = 0; j < n; j++) {
            squares += (double)y[j] * (double)y[j];
            form += (double)y[j] * (double)x[j];
        }
        double length = sqrt(squares);
        if (!(length > 0)) return 0;
        for (size_t j = 0; j < n; j++) x[j] = (real)((double)y[j] / length);
    }
    return form;
}

/* Has mu - a no negative eigenvalue? */
static bool is_above(const real *a, size_t n, double mu, real *copy) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) copy[i * n + j] = -a[i * n + j];
        copy[i * n + i] = (real)(mu - (double)a[i * n + i]);
    }
    return factor(copy, n);
}

double symmetric_above(const real *a, size_t n, double enough, real *spare) {
    real *copy = spare, *x = copy + n * n, *y = x + n;
    double trace = 0, more = TIGHT, rounding = 1 + 8 * (double)n * (double)ROUNDING;
    for (size_t i = 0; i < n; i++) {
        trace += (double)a[i * n + i];
        /* Mostly what rows have in common; tilted, so that it is orthogonal to little. */
        x[i] = (real)((1 + 0.37 * sin((double)i)) / sqrt((double)n));
    }
    if (!(trace > 0) || isinf(trace)) return trace == 0 ? 0 : (double)NAN;
    double mu = 0, form = 0;
    while (mu < trace && form < enough) {
        form = iterate(a, n, x, y);
        if (isnan(form)) return form;
        mu = MAX(form, mu) * (1 + more);
        if (form < enough && mu < trace && is_above(a, n, mu, copy)) break;
        more *= 1.5;
    }
    if (form >= enough) mu = trace;
    return MIN(mu, trace) * rounding;
}
