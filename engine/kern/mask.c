#include "engine/kern/mask.h"

#include <math.h>

Mask mask_make(Rng rng, double p) {
    double limit = round(p * 0x1p16);
    CHECK(p >= 0 && p < 1, "a mask that drops with probability %g", p);
    limit = MIN(limit, 0x1p16 - 1);
    return (Mask){rng, (uint16_t)limit, (real)(1 / (1 - limit * 0x1p-16))};
}

static void apply_block(const Mask *mask, const uint16_t *bits, real *out, real alpha,
                        const real *base, const real *in, size_t n) {
    real scale = mask->scale;
    uint16_t limit = mask->limit;
    if (!base) {
#pragma omp simd
        for (size_t j = 0; j < n; j++) out[j] = bits[j] >= limit ? in[j] * scale : 0;
    } else {
#pragma omp simd
        for (size_t j = 0; j < n; j++)
            out[j] = alpha * base[j] + (bits[j] >= limit ? in[j] * scale : 0);
    }
}

void mask_apply(const Mask *mask, uint64_t block, real *out, real alpha, const real *base,
                const real *in, size_t n) {
    uint16_t bits[RNG_BLOCK];
    for (size_t j = 0; j < n; j += RNG_BLOCK) {
        rng_block(mask->rng, block++, bits);
        apply_block(mask, bits, out + j, alpha, base ? base + j : NULL, in + j,
                    MIN((size_t)RNG_BLOCK, n - j));
    }
}

enum { BLOCKS = 32 }; /* that a thread takes at a time */

void mask_examples(const Mask *mask, const MaskedExamples *e, real *out, real alpha,
                   const real *base, const real *in) {
    size_t piece = BLOCKS * RNG_BLOCK, pieces = (e->size + piece - 1) / piece;
#pragma omp parallel for schedule(static) if (e->count * e->size > 8192)
    for (size_t i = 0; i < e->count * pieces; i++) {
        size_t b = i / pieces, part = i % pieces, at = b * e->size + part * piece;
        uint64_t example = e->first + (e->numbers ? e->numbers[b] : b);
        mask_apply(mask, (example << 32) + part * BLOCKS, out + at, alpha,
                   base ? base + at : NULL, in + at, MIN(piece, e->size - part * piece));
    }
}
