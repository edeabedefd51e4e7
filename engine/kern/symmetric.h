/* symmetric: eigenvalues of small symmetric matrices [n, n], row-major; the lower half is
 * read.
 *
 *     void *room = mem_alloc(symmetric_room(n));
 *     symmetric_largest(a, n, 4, values, room);
 *
 * Memory is the caller's, so that each thread of a loop has its own.  Not for: singular
 * vectors of weights (engine/reparam/spectral.h). */
#ifndef STEADY_SYMMETRIC_H
#define STEADY_SYMMETRIC_H

#include "engine/core/base.h"

/* Bytes that the functions below need beside a [n, n]. */
size_t symmetric_room(size_t n);

/* values[0] >= values[1] ...: the min(count, n) largest eigenvalues, by LAPACK; exact to
 * rounding.  `a` is destroyed.  Numbers that are not finite give NaN. */
void symmetric_largest(real *a, size_t n, size_t count, double *values, void *room);

/* L [n, n] lower triangular, zeros above, in place of a, with a = L L^T: of a matrix
 * without negative eigenvalues, within n times rounding of its largest.  Where it has not
 * full rank a column of L is zero.  spare: n^2 numbers. */
void symmetric_root(real *a, size_t n, real *spare);

/* An upper bound of the largest eigenvalue of a [n, n] without negative ones, mostly
 * within 1 % of it and never more than the trace: mu is one as soon as mu - a has a
 * Cholesky factor.  (Power iteration alone gives a lower bound.)  Where the eigenvalue is
 * seen to be at least `enough` the trace will do.  Rounding is allowed for.  spare:
 * n (n + 2) numbers.  A number that is not finite gives NaN. */
double symmetric_above(const real *a, size_t n, double enough, real *spare);

#endif
