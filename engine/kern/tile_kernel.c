#include "engine/kern/tile_kernel.h"

static inline __attribute__((always_inline)) void multiply(const TileBlock *t,
                                                           size_t rows, size_t columns) {
    Vector sum[TILE_ROWS][TILE_VECTORS] = {0};
    const real *a = t->a.a, *b = t->b;
    for (size_t l = 0; l < t->k; l++) {
        Vector right[TILE_VECTORS];
        UNROLL(8)
        for (size_t j = 0; j < columns; j++)
            right[j] = *(const Vector *)(b + j * VECTOR_LANES);
        UNROLL(8)
        for (size_t i = 0; i < rows; i++) UNROLL(8)
        for (size_t j = 0; j < columns; j++) sum[i][j] += a[i * t->a.row] * right[j];
        a += t->a.column;
        b += t->ldb;
    }
    UNROLL(8)
    for (size_t i = 0; i < rows; i++) UNROLL(8)
    for (size_t j = 0; j < columns; j++) {
        Vector *c = (Vector *)(t->c + i * t->ldc + j * VECTOR_LANES);
        *c = t->add ? *c + t->alpha * sum[i][j] : t->alpha * sum[i][j];
    }
}

/* One function for each size of block, so that the loops above have constant ends. */
typedef void Multiply(const TileBlock *t);

#define SIZE(rows, columns)                                                              \
    static void multiply_##rows##_##columns(const TileBlock *t) {                        \
        multiply(t, rows, columns);                                                      \
    }
#if VECTOR_REGISTERS == 16
#define SIZES(rows) SIZE(rows, 1) SIZE(rows, 2)
#define NAMES(rows)                                                                      \
    { multiply_##rows##_1, multiply_##rows##_2 }
#else
#define SIZES(rows) SIZE(rows, 1) SIZE(rows, 2) SIZE(rows, 3) SIZE(rows, 4)
#define NAMES(rows)                                                                      \
    { multiply_##rows##_1, multiply_##rows##_2, multiply_##rows##_3, multiply_##rows##_4 }
#endif

SIZES(1)
SIZES(2)
SIZES(3)
SIZES(4)
SIZES(5)
SIZES(6)

static Multiply *const MULTIPLY[TILE_ROWS][TILE_VECTORS] = {NAMES(1), NAMES(2), NAMES(3),
                                                            NAMES(4), NAMES(5), NAMES(6)};

void tile_block(const TileBlock *t, size_t rows, size_t vectors) {
    MULTIPLY[rows - 1][vectors - 1](t);
}
