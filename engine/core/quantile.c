#include "engine/core/quantile.h"

#include <math.h>

/* Continued fraction of I_x(a, b) by Lentz's method (Numerical Recipes, 6.4), for
 * x < (a + 1) / (a + b + 2); relative error below 1e-13. */
static double beta_fraction(double x, double a, double b) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), value;
    d = 1 / (fabs(d) < tiny ? tiny : d);
    value = d;
    for (int i = 1; i <= 10000; i++) {
        double even = i * (b - i) * x / ((a + 2 * i - 1) * (a + 2 * i));
        double odd = -(a + i) * (a + b + i) * x / ((a + 2 * i) * (a + 2 * i + 1));
        double before = value;
        for (int half = 0; half < 2; half++) {
            double term = half ? odd : even;
            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            value *= c * d;
        }
        if (fabs(value - before) <= 1e-15 * fabs(value)) break;
    }
    return value;
}

/* I_x(a, b), a, b > 0. */
static double beta_share(double x, double a, double b) {
    if (x <= 0 || x >= 1) return x >= 1;
    double scale =
        exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) return scale * beta_fraction(x, a, b) / a;
    return 1 - scale * beta_fraction(1 - x, b, a) / b;
}

double quantile_beta(double share, double a, double b) {
    double low = 0, high = 1;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        if (beta_share(middle, a, b) < share) low = middle;
        else high = middle;
    }
    return (low + high) / 2;
}

/* P(|T| > t) = I_x(v / 2, 1 / 2) with x = v / (v + t^2). */
double quantile_student(double share, double freedom) {
    if (!(freedom > 0)) return NAN;
    double x = quantile_beta(2 * fmin(share, 1 - share), freedom / 2, 0.5);
    return copysign(sqrt(freedom * (1 - x) / x), share - 0.5);
}
