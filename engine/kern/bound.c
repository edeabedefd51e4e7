#include "engine/kern/bound.h"

#include <math.h>

enum { PLAIN = 128, NODES = 5 }; /* rows summed one by one; pairs of nodes a panel */

/* The formula with any number t >= 2 in place of T. */
static double bound_at(double t, double sigma) {
    if (isnan(sigma)) return sigma;
    if (!(sigma > 0)) return log(t);
    double b = exp(-sigma * sqrt(t / (t - 1)));
    if (b == 0) return 0; /* where sigma could be infinite: 0 * infinity */
    return log1p((t - 1) * b) + sigma * sqrt(t * (t - 1)) * b / (1 + (t - 1) * b);
}

double entropy_bound(size_t keys, double sigma) {
    return keys < 2 ? 0 : bound_at((double)keys, sigma);
}

/* Integral of bound_at over t from `from` to `to`, at most twice `from`: ten nodes leave
 * less than 1e-13 of it, the formula's singularities being at t <= 1. */
static double panel(double from, double to, double sigma) {
    static const double NODE[NODES] = {0.1488743389816312, 0.4333953941292472,
                                       0.6794095682990244, 0.8650633666889845,
                                       0.9739065285171717};
    static const double WEIGHT[NODES] = {0.2955242247147529, 0.2692667193099963,
                                         0.2190863625159820, 0.1494513491505806,
                                         0.0666713443086881};
    double middle = (from + to) / 2, half = (to - from) / 2, sum = 0;
    for (int i = 0; i < NODES; i++)
        sum += WEIGHT[i] * (bound_at(middle - half * NODE[i], sigma) +
                            bound_at(middle + half * NODE[i], sigma));
    return half * sum;
}

static double slope(double t, double sigma) {
    return bound_at(t + 0.5, sigma) - bound_at(t - 0.5, sigma);
}

double entropy_bound_causal(size_t rows, double sigma) {
    double sum = 0, end = (double)rows + 0.5;
    for (size_t keys = 2; keys <= rows && keys <= PLAIN; keys++)
        sum += entropy_bound(keys, sigma);
    if (rows > PLAIN) {
        double start = PLAIN + 0.5, from = start;
        while (from < end) {
            double to = fmin(2 * from, end);
            sum += panel(from, to, sigma);
            from = to;
        }
        sum -= (slope(end, sigma) - slope(start, sigma)) / 24;
    }
    return rows ? sum / (double)rows : 0;
}
