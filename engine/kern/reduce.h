/* reduce: sums and maxima over long vectors, in double, by all OpenMP threads.
 *
 * A vector is cut into parts that depend on n alone; each part is summed by one thread
 * and the parts are added in order.  So the result is the same for any number of threads.
 * Below 32768 numbers the calling thread does all.
 *
 *     if (!reduce_all_finite(g, n)) ...
 *     double norm = sqrt(reduce_sum_squares(g, n));
 *
 * Products are formed and added in double: the relative error of a sum of n terms of one
 * sign is at most about n / 8 * 2^-53 a part, and no float product overflows.  n = 0
 * gives 0 (all_finite: true). */
#ifndef STEADY_REDUCE_H
#define STEADY_REDUCE_H

#include "engine/core/base.h"

double reduce_sum(const real *a, size_t n);                /* sum a_i */
double reduce_dot(const real *a, const real *b, size_t n); /* sum a_i b_i */
double reduce_sum_squares(const real *a, size_t n);        /* sum a_i^2 */
double reduce_max_abs(const real *a, size_t n);  /* max |a_i|; NaN if any is NaN */
bool reduce_all_finite(const real *a, size_t n); /* no NaN, no infinity */

#endif
