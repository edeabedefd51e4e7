#include "engine/core/sort.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sort_numbers(double *x, size_t n) {
    if (n) qsort(x, n, sizeof *x, by_size);
}

double sort_median(double *x, size_t n) {
    sort_numbers(x, n);
    return n ? (x[(n - 1) / 2] + x[n / 2]) / 2 : NAN;
}
