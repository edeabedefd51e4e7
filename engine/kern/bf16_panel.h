/* bf16_panel: C = alpha A B + what C starts from, with A and B in bf16 and sums in fp32.
 *
 * The processor multiplies pairs along k: B is packed into panels of pairs (from fp32 or
 * bf16, rounded on the way), A is read in place, since its rows have pairs next to each
 * other; A given as its transpose is packed into strips of pairs.  The three
 * products of a linear layer y = x W^T:
 *
 *     bf16 *room = ...                          bf16_panel_room(in, out) numbers
 *     bf16_panel_product(&(Bf16PanelProduct){.m = rows, .n = out, .k = in, .alpha = 1,
 *                        .a = x16, .lda = in, .b = {.wide = w, .ld = in},
 *                        .order = PANEL_TRANSPOSED, .room = room, .c = y, .ldc = out});
 *     dx:  .b = {.wide = w, .ld = in}, .order = PANEL_PLAIN, k = out, n = in;  a = dz16
 *     dW:  bf16_panel_pack(packed, x [rows, in], rows, in, PANEL_PLAIN);
 *          k = rows, m = out, n = in, .transpose = dz, .packed = packed
 *
 * k may be odd, n any number.  All functions share their work out among the OpenMP
 * threads; inside a parallel region they run on the calling thread. */
#ifndef STEADY_BF16_PANEL_H
#define STEADY_BF16_PANEL_H

#include "engine/kern/bf16.h"
#include "engine/kern/panel.h"

/* B [k, n] (PANEL_TRANSPOSED: given as rows of n) in panels. */
size_t bf16_panel_size(size_t k, size_t n);
void bf16_panel_pack(bf16 *packed, Bf16Matrix b, size_t k, size_t n, PanelOrder order);

/* A [m, k], given as its transpose [k, m], in strips. */
size_t bf16_strips_size(size_t k, size_t m);
void bf16_strips_pack(bf16 *strips, Bf16Matrix transpose, size_t k, size_t m);

/* C[m, n] = alpha A[m, k] B[k, n] + what C starts from, rounded once where C is bf16 */
typedef struct Bf16PanelProduct {
    Bf16Way way;
    size_t m, n, k;
    real alpha;
    const bf16 *a; /* rows of lda numbers; */
    size_t lda;
    const bf16 *strips;   /* or, where not NULL, A in strips; */
    Bf16Matrix transpose; /* or A's transpose [k, m]: each thread packs strips */
    const bf16 *packed;   /* B in panels; */
    size_t packed_k;      /* the k it was packed with (0: k), which may be more */
    Bf16Matrix b;         /* or, where `packed` is NULL, B itself: each thread packs */
    PanelOrder order;     /* panels */
    bf16 *room;           /* where threads pack during the product, in their caches */
    bool add;             /* C starts from what it holds; else from */
    const real *residual; /* residual_alpha residual[m, n] (NULL: 0) ... */
    real residual_alpha;
    const real *bias; /* ... + bias_factor bias[n] (NULL: 0) */
    real bias_factor;
    real *c;    /* one of both: the result in fp32, */
    bf16 *c16;  /* or in bf16 */
    size_t ldc; /* of C and of the residual */
} Bf16PanelProduct;

void bf16_panel_product(const Bf16PanelProduct *p);

/* Numbers in `room`, for the number of threads that OpenMP has now. */
size_t bf16_panel_room(size_t k, size_t n);

#endif
