/* spread: how long the rows of a matrix X [rows, n] are, and how far they point in
 * different directions.
 *
 *     Spread s = spread_rows(x, rows, n, total);
 *     share of what the rows have in common: |total|^2 / (rows s.squares)
 *     real *spare = mem_array(spread_spare(rows, n), sizeof *spare);
 *     double rank = spread_rank(x, rows, n, spare);
 *
 * On the calling thread; outside of parallel loops OpenBLAS makes the Gram matrices. */
#ifndef STEADY_SPREAD_H
#define STEADY_SPREAD_H

#include "engine/core/base.h"

typedef struct Spread {
    double squares; /* sum of |x_i|^2 */
    double largest; /* of |x_i|^2 */
} Spread;

/* total [n] = sum of x_i. */
Spread spread_rows(const real *x, size_t rows, size_t n, real *total);

/* Numbers that the two below need beside X. */
size_t spread_spare(size_t rows, size_t n);

/* Participation ratio of the singular values, (sum s_i^2)^2 / sum s_i^4: 1 where all rows
 * are multiples of one, min(rows, n) where they are orthogonal and equally long.  X = 0
 * has 0. */
double spread_rank(const real *x, size_t rows, size_t n, real *spare);

/* An upper bound of |X|_2^2, mostly within 1 %; with `ones` of [X 1], X with a column of
 * ones.  Where it is seen to be at least `enough` |X|_F^2 will do.  `total` as
 * spread_rows gives it. */
double spread_norm(const real *x, size_t rows, size_t n, bool ones, const real *total,
                   double enough, real *spare);

#endif
