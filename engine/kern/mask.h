/* mask: dropout of rows of numbers, by masks that are drawn, never kept.
 *
 *     Mask mask = mask_make(rng, 0.1);
 *     mask_apply(&mask, block, y, 0, NULL, x, n);       y_j = m_j x_j,  m_j = 0 or 1 / 0.9
 *
 * Number j of the row has the mask of (rng, block + j / RNG_BLOCK, j % RNG_BLOCK). */
#ifndef STEADY_MASK_H
#define STEADY_MASK_H

#include "engine/core/rng.h"

/* RNG_BLOCK numbers of 16 random bits by Philox, as rng_words: a function of rng and
 * `index` < 2^60. */
void mask_bits(Rng rng, uint64_t index, uint16_t bits[RNG_BLOCK]);

typedef struct Mask {
    Rng rng;
    uint16_t limit; /* dropped where the 16 random bits are below */
    real scale;     /* of what is kept */
} Mask;

/* p is rounded to a multiple of 2^-16 (below 1), what is kept is divided by 1 - p. */
Mask mask_make(Rng rng, double p);

/* out = alpha base + m in, [n]; base NULL: 0.  out may be base or in.  On
 * the calling thread. */
void mask_apply(const Mask *mask, uint64_t block, real *out, real alpha, const real *base,
                const real *in, size_t n);

/* Examples [count] of `size` numbers each: those of dropout, by all threads. */
typedef struct MaskedExamples {
    size_t first; /* number of the first, < 2^28 with all others, in the optimizer step */
    const size_t *numbers; /* [count] added to it; NULL: 0, 1, ... */
    size_t count, size;
} MaskedExamples;

/* out = alpha base + m in, as mask_apply; an example's masks begin at block number
 * 2^32. */
void mask_examples(const Mask *mask, const MaskedExamples *examples, real *out,
                   real alpha, const real *base, const real *in);

#endif
