/* cape: continuous positions of speech (Likhomanenko et al., "CAPE", 2021), in seconds.
 *   pos_t = seconds t - mean over the utterance's frames + g
 *   y[b, t, c] = sin(30 pos_t 10000^(-2 floor(c/2) / D) + (c mod 2) pi/2)
 * g is one global shift of each utterance, uniform in +-shift, in training only.  Local
 * shifts and scaling of the paper are not made.
 *
 *     CapeArgs args = {B, T, D, frames, 0.03, 30, mode->first_example};
 *     x = op_add(tape, x, cape_positions(tape, &args), 1);
 */
#ifndef STEADY_CAPE_H
#define STEADY_CAPE_H

#include "engine/core/tape.h"

typedef struct CapeArgs {
    size_t batch, length, width; /* B, T, D */
    const size_t *frame_count;   /* [B] each <= T, or NULL: all T */
    double seconds;              /* from one frame to the next */
    double shift;                /* largest |g|, seconds */
    /* of the optimizer step, so that micro-batches shift as the whole batch */
    size_t first_example;
} CapeArgs;

/* [B, T, D] without gradient; 0 at padding. */
Tensor *cape_positions(Tape *tape, const CapeArgs *args);

#endif
