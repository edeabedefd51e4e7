#include "engine/kern/mask.h"

#include <math.h>

Mask mask_make(Rng rng, double p) {
    double limit = round(p * 0x1p16);
    CHECK(p >= 0 && p < 1, "a mask that drops with probability %g", p);
    limit = MIN(limit, 0x1p16 - 1);
    return (Mask){rng, (uint16_t)limit, (real)(1 / (1 - limit * 0x1p-16))};
}

static void apply_block(const Mask *mask, const uint16_t *bits, real *out, real beta,
                        const real *in, size_t n) {
    real scale = mask->scale;
    uint16_t limit = mask->limit;
    if (beta == 0) {
#pragma omp simd
        for (size_t j = 0; j < n; j++) out[j] = bits[j] >= limit ? in[j] * scale : 0;
    } else {
#pragma omp simd
        for (size_t j = 0; j < n; j++)
            out[j] = beta * out[j] + (bits[j] >= limit ? in[j] * scale : 0);
    }
}

void mask_apply(const Mask *mask, uint64_t block, real *out, real beta, const real *in,
                size_t n) {
    uint16_t bits[RNG_BLOCK];
    for (size_t j = 0; j < n; j += RNG_BLOCK) {
        rng_block(mask->rng, block++, bits);
        apply_block(mask, bits, out + j, beta, in + j, MIN((size_t)RNG_BLOCK, n - j));
    }
}
