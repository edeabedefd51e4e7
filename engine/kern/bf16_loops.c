/* Products and packing by the instructions that each level has for floats: both halves of
 * a pair are widened in registers. */
#include <string.h>

#include "engine/kern/bf16_block.h"
#include "engine/kern/vector.h"

typedef uint32_t Pairs __attribute__((vector_size(VECTOR_LANES * 4)));
typedef Pairs StoredPairs __attribute__((aligned(sizeof(bf16)), may_alias));
typedef float Floats __attribute__((vector_size(VECTOR_LANES * 4)));

/* Vectors of C that stay in registers, in each of BF16_ROWS rows. */
enum { ACROSS = 2 };

/* ---- the product ---- */

/* One number of each pair; the first is its lower half. */
static inline Vector half_of(Pairs pairs, bool second) {
    Pairs bits = second ? pairs & 0xffff0000u : pairs << 16;
    return __builtin_convertvector((Floats)bits, Vector);
}

/* One half of all pairs after the other: 12 vectors of sums, two of B, one of A. */
static inline __attribute__((always_inline)) void add_half(Vector sum[BF16_ROWS][ACROSS],
                                                           const bf16 *a, size_t row,
                                                           const bf16 *b, size_t rows,
                                                           size_t vectors, bool second) {
    Vector right[ACROSS];
    UNROLL(2)
    for (size_t j = 0; j < vectors; j++)
        right[j] = half_of(*(const StoredPairs *)(b + 2 * VECTOR_LANES * j), second);
    UNROLL(6)
    for (size_t i = 0; i < rows; i++) {
        real left = (real)bf16_float(a[i * row + second]);
        UNROLL(2)
        for (size_t j = 0; j < vectors; j++) sum[i][j] += left * right[j];
    }
}

/* Columns [column, column + vectors VECTOR_LANES) of the block. */
static inline __attribute__((always_inline)) void
multiply(const Bf16Block *t, size_t column, size_t rows, size_t vectors) {
    Vector sum[BF16_ROWS][ACROSS] = {0};
    const bf16 *a = t->a, *b = t->b + 2 * column;
    for (size_t l = 0; l < t->k / 2; l++) {
        add_half(sum, a, t->row, b, rows, vectors, false);
        add_half(sum, a, t->row, b, rows, vectors, true);
        a += t->step;
        b += t->ldb;
    }
    if (t->k % 2) add_half(sum, a, t->row, b, rows, vectors, false);
    UNROLL(6)
    for (size_t i = 0; i < rows; i++) UNROLL(2)
    for (size_t j = 0; j < vectors; j++) {
        Vector *c = (Vector *)(t->c + i * t->ldc + column + j * VECTOR_LANES);
        *c = t->add ? *c + t->alpha * sum[i][j] : t->alpha * sum[i][j];
    }
}

/* One function for each size of block, so that the loops above have constant ends. */
typedef void Multiply(const Bf16Block *t, size_t column);

#define SIZE(rows, vectors)                                                              \
    static void multiply_##rows##_##vectors(const Bf16Block *t, size_t column) {         \
        multiply(t, column, rows, vectors);                                              \
    }
#define SIZES(rows) SIZE(rows, 1) SIZE(rows, 2)
#define NAMES(rows)                                                                      \
    { multiply_##rows##_1, multiply_##rows##_2 }

SIZES(1)
SIZES(2)
SIZES(3)
SIZES(4)
SIZES(5)
SIZES(6)

static Multiply *const MULTIPLY[BF16_ROWS][ACROSS] = {NAMES(1), NAMES(2), NAMES(3),
                                                      NAMES(4), NAMES(5), NAMES(6)};

static void multiply_block(const Bf16Block *t, size_t rows, size_t vectors) {
    size_t all = vectors * BF16_LANES / VECTOR_LANES;
    for (size_t j = 0; j < all; j += ACROSS)
        MULTIPLY[rows - 1][MIN((size_t)ACROSS, all - j) - 1](t, j * VECTOR_LANES);
}

/* ---- rows ---- */

static void round_row(bf16 *y, const real *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = bf16_of(x[i]);
}

static void widen_row(real *y, const bf16 *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = (real)bf16_float(x[i]);
}

/* Columns first ... first + n of a row. */
static void read_row(bf16 *to, const Bf16Matrix *x, size_t row, size_t first, size_t n) {
    size_t at = row * x->ld + first;
    if (x->narrow) memcpy(to, x->narrow + at, n * sizeof(bf16));
    else round_row(to, x->wide + at, n);
}

/* ---- packing ---- */

/* Columns that are rounded at a time: whole panels and whole strips. */
enum { PIECE = 3 * BF16_WIDTH };

static void in_turn(bf16 *to, const bf16 *row, const bf16 *next, size_t n) {
#pragma omp simd
    for (size_t j = 0; j < n; j++) to[2 * j] = row[j], to[2 * j + 1] = next[j];
}

/* Units of so many columns, one behind the other. */
static void pack_units(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                       size_t width, size_t unit) {
    for (size_t from = 0; from < width; from += PIECE) {
        bf16 row[PIECE] = {0}, next[PIECE] = {0};
        size_t columns = MIN((size_t)PIECE, width - from);
        for (size_t l = 0; l < k; l += 2) {
            read_row(row, x, l, first + from, columns);
            if (l + 1 < k) read_row(next, x, l + 1, first + from, columns);
            else memset(next, 0, sizeof next);
            for (size_t i = 0; i < columns; i += unit)
                in_turn(to + (from + i) * (k + k % 2) + l * unit, row + i, next + i,
                        unit);
        }
    }
}

static void panel(bf16 *to, const Bf16Matrix *x, size_t k, size_t first, size_t width) {
    pack_units(to, x, k, first, width, BF16_WIDTH);
}

static void strips(bf16 *to, const Bf16Matrix *x, size_t k, size_t first, size_t width) {
    pack_units(to, x, k, first, width, BF16_ROWS);
}

static void panel_transposed(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                             size_t width) {
    for (size_t from = 0; from < k; from += PIECE)
        for (size_t j = 0; j < BF16_WIDTH; j++) {
            bf16 row[PIECE] = {0}, *out = to + from * BF16_WIDTH + 2 * j;
            size_t count = MIN((size_t)PIECE, k - from);
            if (j < width) read_row(row, x, first + j, from, count);
            for (size_t l = 0; l < count; l += 2)
                memcpy(out + l * BF16_WIDTH, row + l, 2 * sizeof(bf16));
        }
}

const Bf16Kernels *bf16_loops(void) {
    static const Bf16Kernels LOOPS = {multiply_block, panel,     panel_transposed,
                                      strips,         round_row, widen_row};
    return &LOOPS;
}
