/* bf16_block: what products in bf16 are made of (bf16_panel.h, bf16_tile.h): the
 * innermost loop, and packing.  Each has a variant of plain C, compiled for each level of
 * instructions (kernels.h), and one for the processor's own bf16 instructions that is
 * compiled whatever -march says and runs where bf16_units() holds.
 * Packed matrices are laid out the same way everywhere.
 *
 * Not for use elsewhere. */
#ifndef STEADY_BF16_BLOCK_H
#define STEADY_BF16_BLOCK_H

#include "engine/kern/bf16.h"

/* A block of BF16_ROWS x BF16_VECTORS vectors of C stays in registers: with as many
 * vectors of B and one pair of A that is 29 of AVX-512's 32. */
enum {
    BF16_ROWS = 6,
    BF16_VECTORS = 4,
    BF16_LANES = 16,
    BF16_WIDTH = BF16_VECTORS * BF16_LANES, /* columns of a panel */
};

/* Pair l of row i is at a[i row + l step]; B has rows of pairs: pair l of column j at
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

/* Columns first ... first + width of x [k, .] in pairs of rows, zeros where there is no
 * number.  The results are the same to the bit in every variant. */
typedef void Bf16Pack(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                      size_t width);

typedef struct Bf16Kernels {
    Bf16Multiply *multiply;
    Bf16Pack *panel;            /* to[k/2][BF16_WIDTH][2], width <= BF16_WIDTH */
    Bf16Pack *panel_transposed; /* the same of the transpose, x [first + width, k] */
    Bf16Pack *strips;           /* to[width/BF16_ROWS][k/2][BF16_ROWS][2] */
    void (*round)(bf16 *y, const real *x, size_t n);
    void (*widen)(real *y, const bf16 *x, size_t n);
} Bf16Kernels;

const Bf16Kernels *bf16_kernels(Bf16Way way);

/* The variant of plain C, of the level in use. */
const Bf16Kernels *bf16_loops(void);

/* The processor's own; NULL where it, or this build, has none. */
const Bf16Kernels *bf16_kernels_of_processor(void);

#endif
