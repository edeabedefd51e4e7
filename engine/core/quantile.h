/* quantile: where a share of a distribution lies below, for intervals of a few numbers.
 *
 *     double half = quantile_student(0.975, n - 1.0) * deviation / sqrt(n);       95 %
 *
 * By bisection; relative error below 1e-9 up to 1,000 degrees of freedom, against SciPy
 * (test/unit/test_quantile.c). */
#ifndef STEADY_QUANTILE_H
#define STEADY_QUANTILE_H

/* x with I_x(a, b) = share, the incomplete beta function; a, b > 0, 0 < share < 1. */
double quantile_beta(double share, double a, double b);

/* t with P(T < t) = share, Student's t, 0 < share < 1; NaN for freedom <= 0, as of one
 * number alone. */
double quantile_student(double share, double freedom);

#endif
