/* look: what a site of attention shows of itself where a probe is due.
 *
 * step_gradients begins, block.c looks; nothing is measured, and nothing costs anything,
 * where the mode does not ask for it.  Numbers of the step do not change by a bit.
 *
 *     look_start(model, &mode);                       once a step, behind the refresh
 *     Look look;
 *     viewer = look_begin(&look, tape, site, mode, &args, x, memory);
 *     ... op_linear_fused with that viewer makes the queries, op_attention makes y ...
 *     look_output(&look, y);
 *     site_input(site, false), site_bound(site, h), site_rank(site)        models/site.h
 *
 * Of each example b the theorem's sigma is
 *   sigma_h = pair_h |X_b|_2^2 / (sqrt(K) tau)      cross: |X_b|_2 |memory_b|_2
 * with X_b its valid tokens (and a one behind each where the products have biases), and
 * its rows are entropy_bound(keys, sigma_h), causal: of 1, 2, ... keys.  |X_b|_2 is an
 * upper bound within 1 % (spread_norm), or |X_b|_F where even the smallest norm that
 * there can be gives less than 1e-4 nats.
 *
 * Blocks that are recomputed are measured once, dropped ones too.  Not for: weights
 * (models/heads.h), decoding with caches. */
#ifndef STEADY_LOOK_H
#define STEADY_LOOK_H

#include "models/layer.h"

/* Forgets what was measured; heads' weights are measured here. */
void look_start(Model *model, const ForwardMode *mode);

/* One forward pass of a site. */
typedef struct Look {
    Tape *tape;
    Site *site;
    MeasureLevel level;
    const AttentionArgs *args; /* counts, causal; q, k and v are not read */
    const Tensor *x, *memory;  /* [B, T, D], [B, S, D]; memory NULL: self-attention */
    Viewer viewer;
} Look;

/* For the product that makes the queries out of x; NULL: there is nothing to measure. */
const Viewer *look_begin(Look *look, Tape *tape, Site *site, const ForwardMode *mode,
                         const AttentionArgs *args, const Tensor *x,
                         const Tensor *memory);

/* y [B, T, D] as op_attention made it, for all queries. */
void look_output(const Look *look, const Tensor *y);

#endif
