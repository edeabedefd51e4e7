/* choice: softmax against a label over a long row, a vocabulary's.
 *
 * A row is visited three times while it stays in the second-level cache: for its largest
 * logit, for the exponentials, and, where a gradient is wanted, to put that in the
 * logits' place.  Runs on the calling thread.
 *
 * Not for: rows of attention (rows.h). */
#ifndef STEADY_CHOICE_H
#define STEADY_CHOICE_H

#include "engine/core/base.h"

typedef struct Choice {
    double loss; /* - sum_j t_j ln p_j, nats */
    double nll;  /* - ln p_label */
    bool right;  /* the label is the first of the largest logits */
} Choice;

/* z[0..n) are logits; where scale or bias are given, [n] each, the logits
 * are scale z + bias.
 *   p = softmax(logits),  t = (1 - smoothing) [label] + smoothing / n
 * With `gradient` z becomes p - t, else it is lost.  Everything is taken relative to the
 * largest logit, so that a confident network's small loss, and its label's gradient, keep
 * their digits.  Sums are made of blocks of 1024 floats, added in double.  A row with NaN
 * has a loss of NaN. */
Choice choice_row(real *z, const real *scale, const real *bias, size_t n, size_t label,
                  double smoothing, bool gradient);

#endif
