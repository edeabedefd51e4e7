/* tile_kernel: the innermost loop of every product that is not BLAS's. */
#ifndef STEADY_TILE_KERNEL_H
#define STEADY_TILE_KERNEL_H

#include "engine/kern/tile.h"
#include "engine/kern/vector.h"

/* A block of TILE_ROWS x TILE_VECTORS vectors of C stays in registers: with as many
 * vectors of B and one number of A that is 29 of AVX-512's and NEON's 32, 15 of
 * AVX's and SSE's 16. */
enum { TILE_ROWS = 6, TILE_VECTORS = VECTOR_REGISTERS / 8 };

typedef struct TileBlock {
    size_t k;
    real alpha;
    TileA a;
    const real *b;
    size_t ldb;
    bool add;
    real *c;
    size_t ldc;
} TileBlock;

/* rows <= TILE_ROWS, vectors <= TILE_VECTORS, both at least 1. */
void tile_block(const TileBlock *t, size_t rows, size_t vectors);

#endif
