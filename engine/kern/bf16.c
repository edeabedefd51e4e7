#include "engine/kern/bf16.h"

bool bf16_units(void) { return false; }

void bf16_round(bf16 *y, const real *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = bf16_of(x[i]);
}

void bf16_widen(real *y, const bf16 *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = (real)bf16_float(x[i]);
}
