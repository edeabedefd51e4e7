/* panel: C = A B for a tall A and a B that all its rows share: activations times weights.
 *
 * B is packed once, into panels of PANEL columns that stream through the caches in order;
 * A is read in place.  BLAS packs A as well and clears C before it adds to it:
 * with a few hundred columns that is a tenth of the time.  What C starts from (bias,
 * residual) is put in while its tile is in the first-level cache.
 *
 *     real *packed = ...                                 panel_size(k, n) numbers
 *     panel_pack(packed, w, ldw, k, n, PANEL_TRANSPOSED);
 *     panel_product(&(PanelProduct){.m = m, .n = n, .k = k, .alpha = 1, .a = {x, k, 1},
 *                                   .packed = packed, .c = y, .ldc = n});
 *
 * Both functions share their work out among the OpenMP threads. */
#ifndef STEADY_PANEL_H
#define STEADY_PANEL_H

#include "engine/kern/tile.h"

/* How B [k, n] is given: rows of k, or its transpose, rows of n. */
typedef enum { PANEL_PLAIN, PANEL_TRANSPOSED } PanelOrder;

/* Enough at every level (level.h), of which each has panels of its own. */
static inline size_t panel_size(size_t k, size_t n) {
    size_t most = 4 * TILE_LANES;
    return (n + most - 1) / most * most * k;
}

void panel_pack(real *packed, const real *b, size_t ldb, size_t k, size_t n,
                PanelOrder order);

/* C[m, n] = alpha A[m, k] B[k, n] + what C starts from */
typedef struct PanelProduct {
    size_t m, n, k;
    real alpha;
    TileA a;
    const real *packed;
    bool add;             /* C starts from what it holds; else from */
    const real *residual; /* residual_alpha residual[m, n] (NULL: 0) ... */
    real residual_alpha;
    const real *bias; /* ... + bias_factor bias[n] (NULL: 0) */
    real bias_factor;
    real *c;
    size_t ldc; /* of C and of the residual */
} PanelProduct;

void panel_product(const PanelProduct *p);

#endif
