/* mask: dropout of rows of numbers, by masks that are drawn, never kept.
 *
 *     Mask mask = mask_make(rng, 0.1);
 *     mask_apply(&mask, block, y, 0, x, n);       y_j = m_j x_j,  m_j = 0 or 1 / 0.9
 *
 * Number j of the row has the mask of (rng, block + j / RNG_BLOCK, j % RNG_BLOCK).  Runs on the
 * calling thread. */
#ifndef STEADY_MASK_H
#define STEADY_MASK_H

#include "engine/core/rng.h"

typedef struct Mask {
    Rng rng;
    uint16_t limit; /* dropped where the 16 random bits are below */
    real scale;     /* of what is kept */
} Mask;

/* p is rounded to a multiple of 2^-16 (below 1), what is kept is divided by 1 - p. */
Mask mask_make(Rng rng, double p);

/* out = beta out + m in, [n]; out may be in. */
void mask_apply(const Mask *mask, uint64_t block, real *out, real beta, const real *in,
                size_t n);

#endif
