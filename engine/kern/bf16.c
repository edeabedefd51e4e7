#include "engine/kern/bf16_block.h"

bool bf16_units(void) { return bf16_kernels_of_processor() != NULL; }

void bf16_round(bf16 *y, const real *x, size_t n) {
    bf16_kernels(BF16_BEST)->round(y, x, n);
}

void bf16_widen(real *y, const bf16 *x, size_t n) {
    bf16_kernels(BF16_BEST)->widen(y, x, n);
}
