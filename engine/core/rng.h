/* rng: random numbers as a function of (seed, purpose, step, index).
 *
 * Philox4x32-10 (Salmon et al., SC 2011).  Nothing is stored: a mask can be made again in
 * the backward pass, the number of threads does not matter, and a resumed run draws the
 * numbers that the uninterrupted run would have drawn.
 *
 *     Rng dice = rng_make(seed, RNG_DROPOUT + site, step);
 *     real keep = rng_uniform(dice, index) >= p;
 *
 * Not for: cryptography. */
#ifndef STEADY_RNG_H
#define STEADY_RNG_H

#include "engine/core/base.h"

/* Purposes keep the streams of one seed apart; low 32 bits are free for a
 * site or an example. */
#define RNG_INIT (1ull << 32)
#define RNG_SHUFFLE (2ull << 32)
#define RNG_AUGMENT (3ull << 32)
#define RNG_MIX (4ull << 32)
#define RNG_DROPOUT (5ull << 32)
#define RNG_DROP_PATH (6ull << 32)
#define RNG_SPLIT (7ull << 32)
#define RNG_SYNTHETIC (8ull << 32)
#define RNG_PROBE (9ull << 32)
#define RNG_ATTENTION (10ull << 32)
#define RNG_SAMPLE (11ull << 32)
#define RNG_LAYER_DROP (12ull << 32)
#define RNG_POSITION (13ull << 32)
#define RNG_BOOTSTRAP (14ull << 32)
#define RNG_VIEW (15ull << 32)
#define RNG_VIEW_FIXED (16ull << 32)

/* A stream: copy it freely, it has no state. */
typedef struct Rng {
    uint32_t key[2];
    uint32_t stream[2];
} Rng;

Rng rng_make(uint64_t seed, uint64_t purpose, uint64_t step);

void rng_words(Rng rng, uint64_t index, uint32_t words[4]); /* 128 random bits */

/* Numbers of 16 random bits that mask_bits (engine/kern/mask.h) draws at once. */
enum { RNG_BLOCK = 128 };

double rng_uniform(Rng rng, uint64_t index);         /* [0, 1), 32 random bits */
double rng_normal(Rng rng, uint64_t index);          /* N(0, 1), Box-Muller */
size_t rng_below(Rng rng, uint64_t index, size_t n); /* 0 ... n-1, n < 2^32 */

/* order[0..n) becomes a random permutation of 0..n-1 (Fisher-Yates). */
void rng_permutation(Rng rng, size_t *order, size_t n);

/* A sequence drawn from one stream, for code that draws a varying count of numbers. */
typedef struct RngCursor {
    Rng rng;
    uint64_t next;
} RngCursor;

double rng_next(RngCursor *cursor); /* uniform [0, 1) */
double rng_next_between(RngCursor *cursor, double low, double high);
double rng_next_normal(RngCursor *cursor);
double rng_next_beta(RngCursor *cursor, double a, double b); /* a, b > 0 */

#endif
