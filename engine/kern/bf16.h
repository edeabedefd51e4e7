/* bf16: numbers of 16 bits with the range of a float and 8 bits of precision, for the
 * operands of products and what is kept for them.
 *
 * A bf16 is the upper half of a float.  Rounding is to the nearest, ties to even: a
 * relative error of at most 2^-8.  Infinities stay, NaN stays NaN and becomes quiet,
 * denormals become 0 with their sign (so do the processor's conversion and product, and
 * the program flushes them everywhere: machine_flush_denormals); what is beyond
 * 3.3962e38 becomes infinity.
 *
 *     bf16 *narrow = ...;
 *     bf16_round(narrow, x, n);                          real -> bf16
 *     bf16_widen(x, narrow, n);                          exact
 *
 * Functions with a row in their name run on the calling thread.  Not for: arithmetic;
 * products read bf16 (bf16_panel.h, bf16_tile.h) and sum in fp32. */
#ifndef STEADY_BF16_H
#define STEADY_BF16_H

#include "engine/core/base.h"

/* The processor multiplies bf16 (AVX512-BF16), and this build uses it: products in bf16
 * are faster than fp32.  Elsewhere plain loops give the same to rounding, slower. */
bool bf16_units(void);

/* Who multiplies: the processor's units where there are any; or the plain loops. */
typedef enum { BF16_BEST, BF16_PLAIN } Bf16Way;

/* y[n] = x[n]; the same bits with and without units. */
void bf16_round(bf16 *y, const real *x, size_t n);
void bf16_widen(real *y, const bf16 *x, size_t n);

/* A matrix of either type: one of the pointers; rows of ld numbers. */
typedef struct Bf16Matrix {
    const real *wide; /* rounded where it is read */
    const bf16 *narrow;
    size_t ld;
} Bf16Matrix;

/* ---- one number -------------------------------------------------------------------- */

static inline float bf16_float(bf16 x) {
    union {
        uint32_t bits;
        float value;
    } pun = {.bits = (uint32_t)x << 16};
    return pun.value;
}

/* Free of branches, so that it fits vectorised loops.  The double build rounds to
 * float first. */
static inline bf16 bf16_of(real x) {
    union {
        float value;
        uint32_t bits;
    } pun = {.value = (float)x};
    uint32_t bits = pun.bits, size = bits & 0x7fffffffu;
    uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    rounded = size > 0x7f800000u ? bits >> 16 | 0x40u : rounded;
    return (bf16)(size < 0x00800000u ? bits >> 16 & 0x8000u : rounded);
}

#endif
