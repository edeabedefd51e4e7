#include "engine/kern/bound.h"

#include <math.h>

double entropy_bound(size_t keys, double sigma) {
    if (keys < 2) return 0;
    if (!(sigma > 0)) return log((double)keys);
    double t = (double)keys, gap = sigma * sqrt(t / (t - 1)), b = exp(-gap);
    return log1p((t - 1) * b) + sigma * sqrt(t * (t - 1)) * b / (1 + (t - 1) * b);
}
