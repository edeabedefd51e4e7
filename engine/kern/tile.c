#include "engine/kern/tile.h"

#include <string.h>

/* A block of ROWS x COLUMNS vectors of C stays in registers: with COLUMNS vectors of B and one
 * number of A that is 29 of AVX-512's and NEON's 32, 15 of AVX's 16. */
#if defined __AVX__ && !defined __AVX512F__
enum { ROWS = 6, COLUMNS = 2 };
#else
enum { ROWS = 6, COLUMNS = 4 };
#endif

enum { DEPTH = 128 }; /* rows of B that stay in the first-level cache: 32 KB */

typedef real Vector __attribute__((vector_size(TILE_BYTES), aligned(sizeof(real))));

typedef struct Block {
    size_t k;
    real alpha;
    TileA a;
    const real *b;
    size_t ldb;
    bool add;
    real *c;
    size_t ldc;
} Block;

static inline __attribute__((always_inline)) void multiply(const Block *t, size_t rows,
                                                           size_t columns) {
    Vector sum[ROWS][COLUMNS] = {0};
    const real *a = t->a.a, *b = t->b;
    for (size_t l = 0; l < t->k; l++) {
        Vector right[COLUMNS];
#pragma GCC unroll 8
        for (size_t j = 0; j < columns; j++)
            right[j] = *(const Vector *)(b + j * TILE_LANES);
#pragma GCC unroll 8
        for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 8
            for (size_t j = 0; j < columns; j++) sum[i][j] += a[i * t->a.row] * right[j];
        a += t->a.column;
        b += t->ldb;
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 8
        for (size_t j = 0; j < columns; j++) {
            Vector *c = (Vector *)(t->c + i * t->ldc + j * TILE_LANES);
            *c = t->add ? *c + t->alpha * sum[i][j] : t->alpha * sum[i][j];
        }
}

/* One function for each size of block, so that the loops above have constant ends. */
typedef void Multiply(const Block *t);

#define SIZE(rows, columns)                                                              \
    static void multiply_##rows##_##columns(const Block *t) {                            \
        multiply(t, rows, columns);                                                      \
    }
#define COLUMN_SIZES(rows) SIZE(rows, 1) SIZE(rows, 2) SIZE(rows, 3) SIZE(rows, 4)
#define NAMES(rows)                                                                      \
    { multiply_##rows##_1, multiply_##rows##_2, multiply_##rows##_3, multiply_##rows##_4 }

COLUMN_SIZES(1)
COLUMN_SIZES(2)
COLUMN_SIZES(3)
COLUMN_SIZES(4)
COLUMN_SIZES(5)
COLUMN_SIZES(6)

static Multiply *const MULTIPLY[ROWS][4] = {NAMES(1), NAMES(2), NAMES(3),
                                            NAMES(4), NAMES(5), NAMES(6)};

/* All rows of C, one strip of columns. */
static void strip(Block t, size_t m, size_t columns) {
    const real *a = t.a.a;
    real *c = t.c;
    for (size_t i = 0; i < m; i += ROWS) {
        t.a.a = a + i * t.a.row;
        t.c = c + i * t.ldc;
        MULTIPLY[MIN((size_t)ROWS, m - i) - 1][columns - 1](&t);
    }
}

void tile_product(size_t m, size_t n, size_t k, real alpha, TileA a, const real *b,
                  size_t ldb, bool add, real *c, size_t ldc) {
    size_t vectors = n / TILE_LANES;
    CHECK(n % TILE_LANES == 0, "tile_product of %zu columns", n);
    for (size_t l = 0; l == 0 || l < k; l += DEPTH) {
        Block t = {.k = MIN((size_t)DEPTH, k - l),
                   .alpha = alpha,
                   .a = {a.a + l * a.column, a.row, a.column},
                   .ldb = ldb,
                   .add = add || l,
                   .ldc = ldc};
        for (size_t j = 0; j < vectors; j += COLUMNS) {
            t.b = b + l * ldb + j * TILE_LANES;
            t.c = c + j * TILE_LANES;
            strip(t, m, MIN((size_t)COLUMNS, vectors - j));
        }
    }
}

/* ---- packing ---- */

void tile_pack(real *out, const real *x, size_t ldx, size_t rows, size_t columns) {
    size_t width = tile_padded(columns), whole = columns / TILE_LANES * TILE_LANES;
    for (size_t i = 0; i < rows; i++) {
        const real *from = x + i * ldx;
        real *to = out + i * width;
        for (size_t j = 0; j < whole; j += TILE_LANES)
            *(Vector *)(to + j) = *(const Vector *)(from + j);
        for (size_t j = whole; j < width; j++) to[j] = j < columns ? from[j] : 0;
    }
}

static void transpose_part(real *out, size_t length, const real *x, size_t ldx,
                           size_t rows, size_t columns) {
    for (size_t j = 0; j < columns; j++)
        for (size_t l = 0; l < TILE_LANES; l++)
            out[j * length + l] = l < rows ? x[l * ldx + j] : 0;
}

#if defined __GNUC__ && !defined __clang__

#ifdef STEADY_DOUBLE
typedef int64_t Lane;
#else
typedef int32_t Lane;
#endif
typedef Lane Lanes __attribute__((vector_size(TILE_BYTES)));

/* A square of TILE_LANES x TILE_LANES: in each round rows at a distance d exchange the lanes in
 * which the number of the lane has bit d. */
static void transpose_square(real *out, size_t length, const real *x, size_t ldx) {
    Vector row[TILE_LANES];
#pragma GCC unroll 16
    for (size_t i = 0; i < TILE_LANES; i++) row[i] = *(const Vector *)(x + i * ldx);
#pragma GCC unroll 4
    for (size_t d = 1; d < TILE_LANES; d *= 2) {
        Lanes low, high;
#pragma GCC unroll 16
        for (size_t l = 0; l < TILE_LANES; l++) {
            low[l] = (Lane)(l & d ? TILE_LANES + l - d : l);
            high[l] = (Lane)(l & d ? TILE_LANES + l : l + d);
        }
#pragma GCC unroll 16
        for (size_t i = 0; i < TILE_LANES; i++) {
            if (i & d) continue;
            Vector a = row[i], b = row[i + d];
            row[i] = __builtin_shuffle(a, b, low);
            row[i + d] = __builtin_shuffle(a, b, high);
        }
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < TILE_LANES; i++) *(Vector *)(out + i * length) = row[i];
}

#else

static void transpose_square(real *out, size_t length, const real *x, size_t ldx) {
    transpose_part(out, length, x, ldx, TILE_LANES, TILE_LANES);
}

#endif

void tile_pack_transposed(real *out, const real *x, size_t ldx, size_t rows,
                          size_t columns) {
    size_t length = tile_padded(rows), whole = columns / TILE_LANES * TILE_LANES;
    for (size_t i = 0; i < rows; i += TILE_LANES) {
        size_t count = MIN((size_t)TILE_LANES, rows - i), j = 0;
        const real *from = x + i * ldx;
        for (; count == TILE_LANES && j < whole; j += TILE_LANES)
            transpose_square(out + j * length + i, length, from + j, ldx);
        transpose_part(out + j * length + i, length, from + j, ldx, count, columns - j);
    }
}

/* ---- products whose result has rows that are not padded ---- */

void tile_product_into(size_t m, size_t n, size_t k, real alpha, TileA a, const real *b,
                       bool add, real *c, size_t ldc, real *scratch) {
    size_t width = tile_padded(n);
    if (n == width) {
        tile_product(m, n, k, alpha, a, b, n, add, c, ldc);
        return;
    }
    tile_product(m, width, k, alpha, a, b, width, false, scratch, width);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            c[i * ldc + j] = (add ? c[i * ldc + j] : 0) + scratch[i * width + j];
}
