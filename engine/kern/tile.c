#include "engine/kern/tile_kernel.h"

#include <string.h>

enum { DEPTH = 128 }; /* rows of B that stay in the first-level cache: 32 KB */

/* All rows of C, one strip of columns. */
static void strip(TileBlock t, size_t m, size_t columns) {
    const real *a = t.a.a;
    real *c = t.c;
    for (size_t i = 0; i < m; i += TILE_ROWS) {
        t.a.a = a + i * t.a.row;
        t.c = c + i * t.ldc;
        tile_block(&t, MIN((size_t)TILE_ROWS, m - i), columns);
    }
}

void tile_product(size_t m, size_t n, size_t k, real alpha, TileA a, const real *b,
                  size_t ldb, bool add, real *c, size_t ldc) {
    size_t vectors = n / VECTOR_LANES;
    CHECK(n % TILE_LANES == 0, "tile_product of %zu columns", n);
    for (size_t l = 0; l == 0 || l < k; l += DEPTH) {
        TileBlock t = {.k = MIN((size_t)DEPTH, k - l),
                       .alpha = alpha,
                       .a = {a.a + l * a.column, a.row, a.column},
                       .ldb = ldb,
                       .add = add || l,
                       .ldc = ldc};
        for (size_t j = 0; j < vectors; j += TILE_VECTORS) {
            t.b = b + l * ldb + j * VECTOR_LANES;
            t.c = c + j * VECTOR_LANES;
            strip(t, m, MIN((size_t)TILE_VECTORS, vectors - j));
        }
    }
}

/* ---- packing ---- */

void tile_pack(real *out, const real *x, size_t ldx, size_t rows, size_t columns) {
    size_t width = tile_padded(columns), whole = columns / VECTOR_LANES * VECTOR_LANES;
    for (size_t i = 0; i < rows; i++) {
        const real *from = x + i * ldx;
        real *to = out + i * width;
        for (size_t j = 0; j < whole; j += VECTOR_LANES)
            *(Vector *)(to + j) = *(const Vector *)(from + j);
        for (size_t j = whole; j < width; j++) to[j] = j < columns ? from[j] : 0;
    }
}

/* VECTOR_LANES numbers in each of `columns` rows of out, of which `rows` come from x. */
static void transpose_part(real *out, size_t ldo, const real *x, size_t ldx, size_t rows,
                           size_t columns) {
    for (size_t j = 0; j < columns; j++)
        for (size_t l = 0; l < VECTOR_LANES; l++)
            out[j * ldo + l] = l < rows ? x[l * ldx + j] : 0;
}

#ifdef STEADY_DOUBLE
typedef int64_t Lane;
#else
typedef int32_t Lane;
#endif

/* clang-format off */
#define LANES_2(F, d) F(0, d), F(1, d)
#define LANES_4(F, d) LANES_2(F, d), F(2, d), F(3, d)
#define LANES_8(F, d) LANES_4(F, d), F(4, d), F(5, d), F(6, d), F(7, d)
#define LANES_16(F, d) LANES_8(F, d), F(8, d), F(9, d), F(10, d), F(11, d), F(12, d),    \
    F(13, d), F(14, d), F(15, d)
#if VECTOR_BYTES == 64 && !defined STEADY_DOUBLE
#define EACH_LANE LANES_16
#elif VECTOR_BYTES == 64 || (VECTOR_BYTES == 32 && !defined STEADY_DOUBLE)
#define EACH_LANE LANES_8
#elif VECTOR_BYTES == 32 || !defined STEADY_DOUBLE
#define EACH_LANE LANES_4
#else
#define EACH_LANE LANES_2
#endif
/* clang-format on */

/* Lanes of two vectors of which the first has numbers from 0; both compilers want them as
 * constants, each in its own way. */
#ifdef __clang__
#define SHUFFLE(a, b, F, d) __builtin_shufflevector(a, b, EACH_LANE(F, d))
#else
typedef Lane Lanes __attribute__((vector_size(VECTOR_BYTES)));
#define SHUFFLE(a, b, F, d) __builtin_shuffle(a, b, (Lanes){EACH_LANE(F, d)})
#endif
#define LOW(l, d) ((l) & (d) ? VECTOR_LANES + (l) - (d) : (l))
#define HIGH(l, d) (((l) & (d) ? VECTOR_LANES + (l) : (l) + (d)) % (2 * VECTOR_LANES))

/* Rows at a distance d exchange the lanes in which the number of the lane has bit d. */
#define EXCHANGE(row, d)                                                                 \
    UNROLL(8)                                                                            \
    for (size_t pair = 0; (d) < VECTOR_LANES && pair < VECTOR_LANES / 2; pair++) {       \
        size_t first = pair / (d) * (d)*2 + pair % (d), second = first + (d);            \
        Vector a = row[first], b = row[second % VECTOR_LANES];                           \
        row[first] = SHUFFLE(a, b, LOW, d);                                              \
        row[second % VECTOR_LANES] = SHUFFLE(a, b, HIGH, d);                             \
    }

/* A square of VECTOR_LANES x VECTOR_LANES, in as many rounds as a lane's number has
 * bits. */
static void transpose_square(real *out, size_t length, const real *x, size_t ldx) {
    Vector row[VECTOR_LANES];
    UNROLL(16)
    for (size_t i = 0; i < VECTOR_LANES; i++) row[i] = *(const Vector *)(x + i * ldx);
    EXCHANGE(row, 1)
    EXCHANGE(row, 2)
    EXCHANGE(row, 4)
    EXCHANGE(row, 8)
    UNROLL(16)
    for (size_t i = 0; i < VECTOR_LANES; i++) *(Vector *)(out + i * length) = row[i];
}

void tile_transpose(real *out, size_t ldo, const real *x, size_t ldx, size_t rows,
                    size_t columns, size_t padded) {
    size_t whole = columns / VECTOR_LANES * VECTOR_LANES;
    for (size_t i = 0; i < padded; i += VECTOR_LANES) {
        size_t count = i < rows ? MIN((size_t)VECTOR_LANES, rows - i) : 0, j = 0;
        const real *from = x + i * ldx;
        for (; count == VECTOR_LANES && j < whole; j += VECTOR_LANES)
            transpose_square(out + j * ldo + i, ldo, from + j, ldx);
        transpose_part(out + j * ldo + i, ldo, count ? from + j : NULL, ldx, count,
                       columns - j);
    }
}

void tile_pack_transposed(real *out, const real *x, size_t ldx, size_t rows,
                          size_t columns) {
    size_t length = tile_padded(rows);
    tile_transpose(out, length, x, ldx, rows, columns, length);
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
