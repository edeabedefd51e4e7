#include "engine/kern/mask.h"

#include <math.h>

Mask mask_make(Rng rng, double p) {
    double limit = round(p * 0x1p16);
    CHECK(p >= 0 && p < 1, "a mask that drops with probability %g", p);
    limit = MIN(limit, 0x1p16 - 1);
    return (Mask){rng, (uint16_t)limit, (real)(1 / (1 - limit * 0x1p-16))};
}

/* Philox of LANES neighbouring counters side by side.  A word has 64 bits, of which the
 * upper half is never looked at, so that a product needs no shuffle; the numbers of one
 * word are put apart for the same reason. */
void mask_bits(Rng rng, uint64_t index, uint16_t bits[RNG_BLOCK]) {
    enum { LANES = RNG_BLOCK / 8 };
    uint64_t a[LANES], b[LANES], c[LANES], d[LANES];
    uint64_t key0 = rng.key[0], key1 = rng.key[1];
    for (int i = 0; i < LANES; i++) {
        a[i] = (uint32_t)(index * LANES) + (uint32_t)i;
        b[i] = (uint32_t)(index * LANES >> 32);
        c[i] = rng.stream[0];
        d[i] = rng.stream[1];
    }
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
#pragma omp simd
        for (int i = 0; i < LANES; i++) {
            uint64_t left = 0xD2511F53ull * (uint32_t)a[i],
                     right = 0xCD9E8D57ull * (uint32_t)c[i];
            a[i] = (right >> 32) ^ b[i] ^ key0;
            b[i] = right;
            c[i] = (left >> 32) ^ d[i] ^ key1;
            d[i] = left;
        }
        key0 = (uint32_t)(key0 + 0x9E3779B9u);
        key1 = (uint32_t)(key1 + 0xBB67AE85u);
    }
    const uint64_t *words[4] = {a, b, c, d};
    for (int w = 0; w < 4; w++) {
#pragma omp simd
        for (int i = 0; i < LANES; i++) {
            bits[2 * w * LANES + i] = (uint16_t)words[w][i];
            bits[(2 * w + 1) * LANES + i] = (uint16_t)(words[w][i] >> 16);
        }
    }
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
        mask_bits(mask->rng, block++, bits);
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
