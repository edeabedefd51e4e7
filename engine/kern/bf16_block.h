/* bf16_block: the innermost loop of products in bf16 (bf16_panel.h, bf16_tile.h). */
#ifndef STEADY_BF16_BLOCK_H
#define STEADY_BF16_BLOCK_H

#include "engine/kern/bf16.h"

/* A block of BF16_ROWS x BF16_VECTORS vectors of C stays in registers: with as many
 * vectors of B and one pair of A that is 29 of AVX-512's 32.  The layout of packed
 * matrices is the same on every processor. */
enum { BF16_ROWS = 6, BF16_VECTORS = 4, BF16_LANES = 16 };

/* Pair l of row i stands at a[i row + l step]; B has rows of pairs: pair l of column j at
 * b[l ldb + 2 j].  Of an odd k the second number of the last pair is read in B alone,
 * which must be finite. */
typedef struct Bf16Block {
    size_t k;
    real alpha;
    const bf16 *a;
    size_t row, step;
    const bf16 *b;
    size_t ldb;
    bool add;
    real *c;
    size_t ldc;
} Bf16Block;

/* C[rows, vectors BF16_LANES] = alpha A B + (add ? C : 0); rows <= BF16_ROWS,
 * vectors <= BF16_VECTORS, both at least 1. */
typedef void Bf16Multiply(const Bf16Block *t, size_t rows, size_t vectors);

Bf16Multiply *bf16_multiply(Bf16Way way);

#endif
