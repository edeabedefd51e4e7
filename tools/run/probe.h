/* probe: what a step shows of itself - entropy, largest logit, spectral norms,
 * gradients. */
#ifndef STEADY_PROBE_H
#define STEADY_PROBE_H

#include <jansson.h>

#include "engine/optim/optim.h"
#include "engine/reparam/track.h"
#include "models/layer.h"
#include "tools/recipe/recipe.h"

typedef struct Prober Prober;

/* Keeps a pair of singular vectors for each weight, so that later probes need few
 * passes. */
Prober *prober_new(const Model *model);
void prober_free(Prober *prober);

/* What the forward pass of a step that has a row is to measure (ForwardMode.measure):
 * heads at step 1 and where probe.heads_every divides the step. */
MeasureLevel probe_level(const ProbeConfig *config, size_t step);

/* The row of probe.jsonl for `step` is taken in two calls, around the update:
 *
 *     prober_look(prober, config, step);         weights as the forward pass used them
 *     optim_watch(optim, OPTIM_WATCH_GRADS);     one visit measures what follows
 *     ... optim_step ...
 *     row = prober_row(prober, config, step, optim);
 *
 * sigma and gamma are of before the update; entropies and logits of the step's forward
 * pass; gradients after the fold of the reparametrisation and before clipping; "update"
 * is |W after - W before|, decay and trust ratio included, and "update_ratio" that over
 * |W before| (Frobenius norms of W itself, not of W-hat).  Weights that are no layers
 * (tables of embeddings, the speech convolution) come last, without sigma.
 *
 * optim NULL, or not watched: there was no update.  "update" is null then, and gradients
 * are read again. */
void prober_look(Prober *prober, const ProbeConfig *config, size_t step);

/* The same for a step that has a row because the run ends with it: what the prober keeps
 * of weights stays as it was, so later rows do not depend on whether there was an end. */
void prober_glance(Prober *prober, const ProbeConfig *config, size_t step);
json_t *prober_row(Prober *prober, const ProbeConfig *config, size_t step,
                   const Optimizer *optim);

/* The input-side vectors that layer i's norm is followed with, PROBER_VECTORS of *size
 * numbers, and whether the first is known yet; in a checkpoint they make a resumed run's
 * rows the same to the last digit.  Those after the first are zero until frequent probes
 * need them. */
enum { PROBER_VECTORS = TRACK_SPACE };
real *prober_vectors(Prober *prober, size_t layer, size_t *size, bool **known);

/* The spectral norm of layer i's effective weight; never above it, rounding aside.  To
 * 1e-4 of itself or better in a layer's first row and where probes are more than 4 steps
 * apart (rounds of Lanczos iteration).  Of frequent probes to 1e-3, mostly to 1e-5: the
 * two largest singular values are tracked (engine/reparam/track.h), with more than one
 * look where the estimated error is above 5e-4.  A singular value that overtakes from
 * outside what is tracked - only one whose vectors no update mixes with those - is seen
 * when the layer's turn comes to be followed as rarer probes do, every 32nd step.  From
 * above: the norm of W itself is at most its last exact one plus all "update" since
 * (Weyl). */
double prober_sigma(Prober *prober, size_t layer);

#endif
