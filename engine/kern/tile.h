/* tile: products of matrices that stay in the caches, on the calling thread.
 *
 * BLAS copies both matrices into its own order before it multiplies, and clears C
 * first; for the few hundred rows of one attention head that is half of the time.
 * Here the caller packs what is used many times, once, and the product reads the
 * rest in place.
 *
 * Rows that a product reads or writes as vectors are padded to TILE_LANES numbers:
 * tile_padded(n).  A need not be padded.
 *
 * Not for: large matrices (panel.h, gemm.h). */
#ifndef STEADY_TILE_H
#define STEADY_TILE_H

#include "engine/core/base.h"

/* A line of the caches, at every level (level.h). */
enum { TILE_LANES = 64 / sizeof(real) };

static inline size_t tile_padded(size_t n) {
    return (n + TILE_LANES - 1) / TILE_LANES * TILE_LANES;
}

/* A(i, l) is at a[i * row + l * column]: a matrix or its transpose. */
typedef struct TileA {
    const real *a;
    size_t row, column;
} TileA;

/* C[m, n] = alpha A[m, k] B[k, n] + (add ? C : 0).  n is a multiple of TILE_LANES; B and
 * C have rows of ldb and ldc numbers, at least n. */
void tile_product(size_t m, size_t n, size_t k, real alpha, TileA a, const real *b,
                  size_t ldb, bool add, real *c, size_t ldc);

/* out[rows, tile_padded(columns)] = x[rows, columns], zeros behind each row. */
void tile_pack(real *out, const real *x, size_t ldx, size_t rows, size_t columns);

/* out[columns, tile_padded(rows)] = x[rows, columns] transposed, zeros behind each
 * row. */
void tile_pack_transposed(real *out, const real *x, size_t ldx, size_t rows,
                          size_t columns);

/* The same with rows of ldo numbers, and `padded` >= rows, a multiple of
 * TILE_LANES, of them set. */
void tile_transpose(real *out, size_t ldo, const real *x, size_t ldx, size_t rows,
                    size_t columns, size_t padded);

/* tile_product for any n: B has rows of tile_padded(n), C of ldc numbers; scratch holds
 * [m, tile_padded(n)], unused where n is a multiple of TILE_LANES. */
void tile_product_into(size_t m, size_t n, size_t k, real alpha, TileA a, const real *b,
                       bool add, real *c, size_t ldc, real *scratch);

#endif
