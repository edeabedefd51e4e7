/* bf16_avx512: AVX512-BF16.  vdpbf16ps adds the products of a pair to a float; it and the
 * conversion treat denormals as 0 and flush results to 0, whatever the control register
 * says. */
#include "engine/core/machine.h"
#include "engine/kern/bf16_block.h"

#if defined(__x86_64__) && !defined(STEADY_DOUBLE)

#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define INLINE static inline __attribute__((always_inline)) TARGET

/* The first n lanes; none where n is "negative". */
INLINE __mmask16 lanes_16(size_t n) {
    return n > PTRDIFF_MAX ? 0 : n < 16 ? (__mmask16)((1u << n) - 1) : (__mmask16)0xffff;
}

INLINE __mmask32 lanes_32(size_t n) {
    return n > PTRDIFF_MAX ? 0 : n < 32 ? (__mmask32)((1u << n) - 1) : 0xffffffffu;
}

/* ---- rows ---- */

TARGET static void round_row(bf16 *y, const real *x, size_t n) {
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m512 low = _mm512_loadu_ps(x + i), high = _mm512_loadu_ps(x + i + 16);
        _mm512_storeu_si512(y + i, (__m512i)_mm512_cvtne2ps_pbh(high, low));
    }
    for (; i < n; i += 16) {
        __mmask16 mask = lanes_16(n - i);
        __m256bh part = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + i));
        _mm256_mask_storeu_epi16(y + i, mask, (__m256i)part);
    }
}

TARGET static void widen_row(real *y, const bf16 *x, size_t n) {
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 mask = lanes_16(n - i);
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

/* Both ends of a loop, so that every compiler unrolls it. */
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
#pragma GCC unroll 8
    for (size_t i = 0; i < BF16_ROWS && i < rows; i++)
#pragma GCC unroll 8
        for (size_t j = 0; j < BF16_VECTORS && j < vectors; j++)
            _mm_prefetch((const char *)(t->c + i * t->ldc + j * BF16_LANES), _MM_HINT_T0);
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
    TARGET static void multiply_##rows##_##vectors(const Bf16Block *t) {                 \
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

/* ---- packing rows in pairs ---- */

/* Lanes of 16 bits that bring two runs together: start, start + apart, start + 1, ... */
INLINE __m512i in_turn(int start, int apart) {
    int32_t lanes[16];
    for (int i = 0; i < 16; i++) lanes[i] = (start + i) | (start + i + apart) << 16;
    return _mm512_loadu_si512(lanes);
}

/* 16 pairs of two rows of floats; `next` NULL: zeros. */
INLINE __m512i wide_pairs(const real *row, const real *next, __mmask16 mask,
                          __m512i turn) {
    __m512 low = _mm512_maskz_loadu_ps(mask, row), high = _mm512_setzero_ps();
    if (next) high = _mm512_maskz_loadu_ps(mask, next);
    return _mm512_permutexvar_epi16(turn, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

TARGET static void panel_wide(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                              size_t width) {
    const __m512i turn = in_turn(0, 16);
    for (size_t l = 0; l < k; l += 2, to += 2 * BF16_WIDTH) {
        const real *row = x->wide + l * x->ld + first;
        for (size_t j = 0; j < BF16_WIDTH; j += 16)
            _mm512_storeu_si512(to + 2 * j,
                                wide_pairs(row + j, l + 1 < k ? row + x->ld + j : NULL,
                                           lanes_16(width - j), turn));
    }
}

TARGET static void panel_narrow(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                                size_t width) {
    const __m512i front = in_turn(0, 32), back = in_turn(16, 32);
    for (size_t l = 0; l < k; l += 2, to += 2 * BF16_WIDTH) {
        const bf16 *row = x->narrow + l * x->ld + first;
        for (size_t j = 0; j < BF16_WIDTH; j += 32) {
            __mmask32 mask = lanes_32(width - j);
            __m512i low = _mm512_maskz_loadu_epi16(mask, row + j);
            __m512i high = _mm512_setzero_si512();
            if (l + 1 < k) high = _mm512_maskz_loadu_epi16(mask, row + x->ld + j);
            _mm512_storeu_si512(to + 2 * j, _mm512_permutex2var_epi16(low, front, high));
            _mm512_storeu_si512(to + 2 * j + 32,
                                _mm512_permutex2var_epi16(low, back, high));
        }
    }
}

static void panel(bf16 *to, const Bf16Matrix *x, size_t k, size_t first, size_t width) {
    if (x->wide) panel_wide(to, x, k, first, width);
    else panel_narrow(to, x, k, first, width);
}

/* ---- packing the transpose: squares of 16 x 16 pairs ---- */

INLINE void transpose(__m512i row[16]) {
    __m512i t[16];
#pragma GCC unroll 8
    for (size_t i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
    }
    /* row[4 i + c]: in each quarter q, column 4 q + c of rows 4 i ... 4 i + 3 */
#pragma GCC unroll 8
    for (size_t i = 0; i < 16; i += 4) {
        row[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        row[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        row[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        row[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    enum { EVEN = 0x88, ODD = 0xdd };
#pragma GCC unroll 8
    for (size_t c = 0; c < 4; c++) {
        t[c] = _mm512_shuffle_i32x4(row[c], row[4 + c], EVEN);
        t[4 + c] = _mm512_shuffle_i32x4(row[c], row[4 + c], ODD);
        t[8 + c] = _mm512_shuffle_i32x4(row[8 + c], row[12 + c], EVEN);
        t[12 + c] = _mm512_shuffle_i32x4(row[8 + c], row[12 + c], ODD);
    }
#pragma GCC unroll 8
    for (size_t c = 0; c < 4; c++) {
        row[c] = _mm512_shuffle_i32x4(t[c], t[8 + c], EVEN);
        row[4 + c] = _mm512_shuffle_i32x4(t[4 + c], t[12 + c], EVEN);
        row[8 + c] = _mm512_shuffle_i32x4(t[c], t[8 + c], ODD);
        row[12 + c] = _mm512_shuffle_i32x4(t[4 + c], t[12 + c], ODD);
    }
}

/* Numbers l ... l + 32 of a row of k; zeros behind it. */
INLINE __m512i numbers_32(const Bf16Matrix *x, size_t row, size_t l, size_t k) {
    if (x->narrow)
        return _mm512_maskz_loadu_epi16(lanes_32(k - l), x->narrow + row * x->ld + l);
    const real *from = x->wide + row * x->ld + l;
    __m512 low = _mm512_maskz_loadu_ps(lanes_16(k - l), from);
    __m512 high = _mm512_maskz_loadu_ps(lanes_16(k - l - 16), from + 16);
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

TARGET static void panel_transposed(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                                    size_t width) {
    for (size_t j = 0; j < BF16_WIDTH; j += 16)
        for (size_t l = 0; l < k; l += 32) {
            __m512i row[16];
            bf16 *out = to + l * BF16_WIDTH + 2 * j;
            size_t pairs = MIN((size_t)16, (k - l + 1) / 2);
#pragma GCC unroll 16
            for (size_t i = 0; i < 16; i++)
                row[i] = j + i < width ? numbers_32(x, first + j + i, l, k)
                                       : _mm512_setzero_si512();
            transpose(row);
#pragma GCC unroll 16
            for (size_t i = 0; i < 16; i++)
                if (i < pairs) _mm512_storeu_si512(out + i * 2 * BF16_WIDTH, row[i]);
        }
}

/* ---- packing strips ---- */

/* The numbers of two rows of a strip in turn, BF16_ROWS pairs, from 8 columns. */
INLINE void strip_pairs(bf16 *to, __m128i row, __m128i next) {
    _mm_storeu_si128((__m128i *)to, _mm_unpacklo_epi16(row, next));
    _mm_storel_epi64((__m128i *)(to + 8), _mm_unpackhi_epi16(row, next));
}

INLINE __m128i numbers_8(const Bf16Matrix *x, size_t row, size_t column, size_t width) {
    __mmask8 mask = width < 8 ? (__mmask8)((1u << width) - 1) : (__mmask8)0xff;
    size_t at = row * x->ld + column;
    if (x->narrow) return _mm_maskz_loadu_epi16(mask, x->narrow + at);
    return (__m128i)_mm256_cvtneps_pbh(_mm256_maskz_loadu_ps(mask, x->wide + at));
}

/* So many rows at a time that their lines stay in the first-level cache. */
enum { STRIP_ROWS = 16 };

TARGET static void strips(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                          size_t width) {
    size_t size = BF16_ROWS * (k + k % 2);
    for (size_t from = 0; from < k; from += STRIP_ROWS)
        for (size_t i = 0; i < width; i += BF16_ROWS) {
            bf16 *strip = to + i / BF16_ROWS * size + from * BF16_ROWS;
            size_t columns = MIN((size_t)BF16_ROWS, width - i);
            for (size_t l = from; l < MIN(k, from + STRIP_ROWS); l += 2) {
                __m128i row = numbers_8(x, l, first + i, columns);
                __m128i next = _mm_setzero_si128();
                if (l + 1 < k) next = numbers_8(x, l + 1, first + i, columns);
                strip_pairs(strip, row, next);
                strip += 2 * BF16_ROWS;
            }
        }
}

/* ---- which ---- */

static const Bf16Kernels AVX512 = {multiply_block, panel,     panel_transposed,
                                   strips,         round_row, widen_row};

const Bf16Kernels *bf16_kernels_of_processor(void) {
    unsigned needed = SIMD_AVX512 | SIMD_AVX512_BF16;
    return (machine_simd() & needed) == needed ? &AVX512 : NULL;
}

#else

const Bf16Kernels *bf16_kernels_of_processor(void) { return NULL; }

#endif
