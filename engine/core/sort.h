/* sort: a few numbers by size.
 *
 *     double middle = sort_median(x, n);          x is then ascending
 *
 * NaN has no place among others: leave it out first. */
#ifndef STEADY_SORT_H
#define STEADY_SORT_H

#include <stddef.h>

void sort_numbers(double *x, size_t n);

/* The middle one, or the mean of the two in the middle; n = 0 gives NaN.  Sorts x [n]. */
double sort_median(double *x, size_t n);

#endif
