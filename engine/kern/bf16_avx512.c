/* AVX512-BF16.  vdpbf16ps adds the products of a pair to a float, treats denormals as 0
 * and flushes results to 0, whatever the control register says. */
#include "engine/core/machine.h"
#include "engine/kern/bf16_units.h"

#if defined(__x86_64__) && !defined(STEADY_DOUBLE)

#include <immintrin.h>
#include <string.h>

#define UNITS __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define INLINE static inline __attribute__((always_inline)) UNITS

/* ---- rows ---- */

INLINE __mmask16 mask_of(size_t n) {
    return n < 16 ? (__mmask16)((1u << n) - 1) : (__mmask16)0xffff;
}

UNITS static void round_row(bf16 *y, const real *x, size_t n) {
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m512bh both =
            _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i));
        _mm512_storeu_si512(y + i, (__m512i)both);
    }
    for (; i < n; i += 16) {
        __mmask16 mask = mask_of(n - i);
        __m256bh part = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + i));
        _mm256_mask_storeu_epi16(y + i, mask, (__m256i)part);
    }
}

UNITS static void widen_row(real *y, const bf16 *x, size_t n) {
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 mask = mask_of(n - i);
        __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, x + i));
        _mm512_mask_storeu_epi32(y + i, mask, _mm512_slli_epi32(wide, 16));
    }
}

/* ---- the product ---- */

/* A pair, or the first number of one, in all lanes. */
INLINE __m512bh pair_of(const bf16 *a, size_t bytes) {
    int32_t pair = 0;
    memcpy(&pair, a, bytes);
    return (__m512bh)_mm512_set1_epi32(pair);
}

INLINE void add_pairs(__m512 sum[BF16_ROWS][BF16_VECTORS], const bf16 *a, size_t row,
                      const bf16 *b, size_t rows, size_t vectors, size_t bytes) {
    __m512bh right[BF16_VECTORS];
#pragma GCC unroll 8
    for (size_t j = 0; j < BF16_VECTORS && j < vectors; j++)
        right[j] = (__m512bh)_mm512_loadu_si512(b + 2 * BF16_LANES * j);
#pragma GCC unroll 8
    for (size_t i = 0; i < BF16_ROWS && i < rows; i++) {
        __m512bh left = pair_of(a + i * row, bytes);
#pragma GCC unroll 8
        for (size_t j = 0; j < BF16_VECTORS && j < vectors; j++)
            sum[i][j] = _mm512_dpbf16_ps(sum[i][j], left, right[j]);
    }
}

INLINE void multiply(const Bf16Block *t, size_t rows, size_t vectors) {
    __m512 sum[BF16_ROWS][BF16_VECTORS], alpha = _mm512_set1_ps(t->alpha);
#pragma GCC unroll 8
    for (size_t i = 0; i < BF16_ROWS && i < rows; i++)
#pragma GCC unroll 8
        for (size_t j = 0; j < BF16_VECTORS && j < vectors; j++)
            sum[i][j] = _mm512_setzero_ps();
    const bf16 *a = t->a, *b = t->b;
    for (size_t l = 0; l < t->k / 2; l++) {
        add_pairs(sum, a, t->row, b, rows, vectors, 4);
        a += t->step;
        b += t->ldb;
    }
    if (t->k % 2) add_pairs(sum, a, t->row, b, rows, vectors, 2);
#pragma GCC unroll 8
    for (size_t i = 0; i < BF16_ROWS && i < rows; i++)
#pragma GCC unroll 8
        for (size_t j = 0; j < BF16_VECTORS && j < vectors; j++) {
            real *c = t->c + i * t->ldc + j * BF16_LANES;
            __m512 old = t->add ? _mm512_loadu_ps(c) : _mm512_setzero_ps();
            _mm512_storeu_ps(c, _mm512_fmadd_ps(alpha, sum[i][j], old));
        }
}

/* One function for each size of block, so that the loops above have constant ends. */
typedef void Multiply(const Bf16Block *t);

#define SIZE(rows, vectors)                                                              \
    UNITS static void multiply_##rows##_##vectors(const Bf16Block *t) {                  \
        multiply(t, rows, vectors);                                                      \
    }
#define SIZES(rows) SIZE(rows, 1) SIZE(rows, 2) SIZE(rows, 3) SIZE(rows, 4)
#define NAMES(rows)                                                                      \
    { multiply_##rows##_1, multiply_##rows##_2, multiply_##rows##_3, multiply_##rows##_4 }

SIZES(1)
SIZES(2)
SIZES(3)
SIZES(4)
SIZES(5)
SIZES(6)

static Multiply *const MULTIPLY[BF16_ROWS][BF16_VECTORS] = {NAMES(1), NAMES(2), NAMES(3),
                                                            NAMES(4), NAMES(5), NAMES(6)};

static void multiply_block(const Bf16Block *t, size_t rows, size_t vectors) {
    MULTIPLY[rows - 1][vectors - 1](t);
}

static const Bf16Units AVX512 = {multiply_block, round_row, widen_row};

const Bf16Units *bf16_units_found(void) {
    unsigned needed = SIMD_AVX512 | SIMD_AVX512_BF16;
    return (machine_simd() & needed) == needed ? &AVX512 : NULL;
}

#else

const Bf16Units *bf16_units_found(void) { return NULL; }

#endif
