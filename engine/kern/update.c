#include "engine/kern/update.h"

#include <math.h>

void update_adam(const AdamUpdate *u, real *p, real *m, real *v, const real *grad,
                 size_t n) {
    real *restrict value = p, *restrict mean = m, *restrict square = v;
    const real *restrict gradient = grad;
    const AdamUpdate k = *u;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        real g = k.scale * gradient[i] + k.decay * value[i];
        mean[i] = k.beta1 * mean[i] + k.rest1 * g;
        square[i] = k.beta2 * square[i] + k.rest2 * (g * g);
        value[i] = k.keep * value[i] -
                   k.rate * mean[i] / ((real)sqrt(square[i]) * k.root + k.eps);
    }
}

void update_moved(const real *p, const real *before, size_t n, double *value,
                  double *update) {
    double squares = 0, moves = 0;
#pragma omp simd reduction(+ : squares, moves)
    for (size_t i = 0; i < n; i++) {
        double old = before[i], d = p[i] - old;
        squares += old * old;
        moves += d * d;
    }
    *value += squares;
    *update += moves;
}
