/* sample: draws the next token of a text from what a model gives for it.
 *
 *     Rng dice = rng_make(seed, purpose, 0);
 *     for (size_t t = 0; t < length; t++)
 *         token = sample_next(logits_after(token), vocab, 0.8, 40, dice, t);
 *
 * The draw is a function of (dice, index): a text is made again by its seed. */
#ifndef STEADY_SAMPLE_H
#define STEADY_SAMPLE_H

#include "engine/core/rng.h"

/* A token with p proportional to exp(logit / temperature) among the top_k largest logits
 * (of equal ones the lower ids); top_k 0: among all.  temperature 0 is the largest logit.
 * logits: [vocab], ln p too; -infinity and NaN are never drawn, unless
 * there is nothing else. */
uint32_t sample_next(const real *logits, size_t vocab, double temperature, size_t top_k,
                     Rng dice, uint64_t index);

#endif
