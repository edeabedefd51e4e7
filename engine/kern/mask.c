#include "engine/kern/mask.h"

#include <math.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "engine/kern/vector.h"

Mask mask_make(Rng rng, double p) {
    double limit = round(p * 0x1p16);
    CHECK(p >= 0 && p < 1, "a mask that drops with probability %g", p);
    limit = MIN(limit, 0x1p16 - 1);
    return (Mask){rng, (uint16_t)limit, (real)(1 / (1 - limit * 0x1p-16))};
}

/* A word of Philox has 32 bits; here it has 64, of which the upper half is never looked
 * at, so that a product needs no shuffle. */
typedef uint64_t Words __attribute__((vector_size(VECTOR_BYTES)));

enum {
    COUNTERS = RNG_BLOCK / 8, /* of a block: each gives four words, eight numbers */
    WORD_LANES = VECTOR_BYTES / sizeof(uint64_t),
    TOGETHER = MIN(4, COUNTERS / WORD_LANES) /* vectors whose products overlap in time */
};

/* factor times the lower halves.  Compilers make twenty instructions of the last line. */
static inline Words product(uint32_t factor, Words x) {
#if defined __AVX512F__
    return (Words)_mm512_mul_epu32((__m512i)x, _mm512_set1_epi64(factor));
#elif defined __AVX2__
    return (Words)_mm256_mul_epu32((__m256i)x, _mm256_set1_epi64x(factor));
#elif defined __SSE2__ && VECTOR_BYTES == 16
    return (Words)_mm_mul_epu32((__m128i)x, _mm_set1_epi64x(factor));
#else
    return (x & 0xFFFFFFFFu) * (uint64_t)factor;
#endif
}

/* Ten rounds of the counters index + 0, 1, ... of TOGETHER vectors; their four words are
 * COUNTERS apart. */
static inline void philox(Rng rng, uint64_t index, uint64_t *words) {
    static const uint64_t ORDER[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    Words order, a[TOGETHER], b[TOGETHER], c[TOGETHER], d[TOGETHER];
    uint64_t key0 = rng.key[0], key1 = rng.key[1];
    memcpy(&order, ORDER, sizeof order);
    UNROLL(8) for (int v = 0; v < TOGETHER; v++) {
        a[v] = order + (index + (uint64_t)(v * WORD_LANES));
        b[v] = (Words){0} + (index >> 32);
        c[v] = (Words){0} + rng.stream[0];
        d[v] = (Words){0} + rng.stream[1];
    }
    UNROLL(10) for (int round = 0; round < 10; round++) {
        UNROLL(8) for (int v = 0; v < TOGETHER; v++) {
            Words left = product(0xD2511F53u, a[v]), right = product(0xCD9E8D57u, c[v]);
            a[v] = (right >> 32) ^ b[v] ^ key0;
            b[v] = right;
            c[v] = (left >> 32) ^ d[v] ^ key1;
            d[v] = left;
        }
        key0 = (uint32_t)(key0 + 0x9E3779B9u);
        key1 = (uint32_t)(key1 + 0xBB67AE85u);
    }
    memcpy(words, a, sizeof a);
    memcpy(words + COUNTERS, b, sizeof b);
    memcpy(words + 2 * COUNTERS, c, sizeof c);
    memcpy(words + 3 * COUNTERS, d, sizeof d);
}

/* The two numbers of a word are put COUNTERS apart, again without shuffles. */
void mask_bits(Rng rng, uint64_t index, uint16_t bits[RNG_BLOCK]) {
    uint64_t words[4 * COUNTERS];
    for (int i = 0; i < COUNTERS; i += TOGETHER * WORD_LANES)
        philox(rng, index * COUNTERS + (uint64_t)i, words + i);
    for (int w = 0; w < 4; w++) {
#pragma omp simd
        for (int i = 0; i < COUNTERS; i++) {
            bits[2 * w * COUNTERS + i] = (uint16_t)words[w * COUNTERS + i];
            bits[(2 * w + 1) * COUNTERS + i] = (uint16_t)(words[w * COUNTERS + i] >> 16);
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
