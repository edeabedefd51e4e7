/* eigen: the eigenvalues of largest magnitude of a symmetric matrix that is known by its
 * products alone, by ARPACK-NG (implicitly restarted Lanczos with full
 * reorthogonalisation).
 *
 *     if (!eigen_check(&err)) ...                     built without ARPACK: FAIL_USAGE
 *     EigenTask task = {.size = n, .count = 5, .product = product, .context = &matrix,
 *                       .start = x0, .tolerance = 1e-8};
 *     double value[5], *vector = mem_array(5 * n, sizeof *vector);
 *     if (eigen_largest(&task, value, vector, &err)) return err.status;
 *
 * For the double build; the float one has no ARPACK (eigen_none.c). */
#ifndef STEADY_EIGEN_H
#define STEADY_EIGEN_H

#include "engine/core/base.h"

/* y = A x; another status than OK ends the search with it. */
typedef Status EigenProduct(void *context, const double *x, double *y, Err *err);

typedef struct EigenTask {
    size_t size, count; /* of A; of the eigenvalues, less than size */
    EigenProduct *product;
    void *context;
    const double *start; /* [size] first vector, not 0 */
    double tolerance;    /* |A x - value x| <= tolerance |value|, |x| = 1 */
} EigenTask;

/* FAIL_USAGE with what to install. */
Status eigen_check(Err *err);

/* Vectors that the search keeps: min(max(2 count, count + 32), size - 1), as SciPy and
 * CuPy choose for it. */
size_t eigen_kept(size_t size, size_t count);

/* value [count] by falling magnitude, with their signs; vector [count, size] of length 1.
 * FAIL_RUN where it does not converge. */
Status eigen_largest(const EigenTask *task, double *value, double *vector, Err *err);

#endif
