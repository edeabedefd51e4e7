#include "engine/kern/bf16.h"

#include "engine/kern/bf16_units.h"

bool bf16_units(void) { return bf16_units_found() != NULL; }

void bf16_round(bf16 *y, const real *x, size_t n) {
    const Bf16Units *units = bf16_units_found();
    if (units) {
        units->round(y, x, n);
        return;
    }
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = bf16_of(x[i]);
}

void bf16_widen(real *y, const bf16 *x, size_t n) {
    const Bf16Units *units = bf16_units_found();
    if (units) {
        units->widen(y, x, n);
        return;
    }
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = (real)bf16_float(x[i]);
}
