#include "engine/kern/symmetric.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* LAPACK by its Fortran symbols (Debian has no LAPACKE). */
#ifdef STEADY_DOUBLE
#define SYEVR dsyevr_
#define ROUNDING DBL_EPSILON
#else
#define SYEVR ssyevr_
#define ROUNDING FLT_EPSILON
#endif
void SYEVR(const char *jobz, const char *range, const char *uplo, const int *n, real *a,
           const int *lda, const real *vl, const real *vu, const int *il, const int *iu,
           const real *abstol, int *m, real *w, real *z, const int *ldz, int *isuppz,
           real *work, const int *lwork, int *iwork, const int *liwork, int *info);

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

/* Row by row: L_ij = (a_ij - sum_{k<j} L_ik L_jk) / L_jj. */
void symmetric_root(real *a, size_t n) {
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
        memset(row + i + 1, 0, (n - i - 1) * sizeof(real));
    }
}
