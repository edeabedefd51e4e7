/* probe: what a step shows of itself - entropy, largest logit, spectral norms,
 * gradients. */
#ifndef STEADY_PROBE_H
#define STEADY_PROBE_H

#include <jansson.h>

#include "models/layer.h"
#include "tools/recipe/recipe.h"

typedef struct Prober Prober;

/* Keeps a pair of singular vectors for each weight, so that later probes need few
 * passes. */
Prober *prober_new(const Model *model);
void prober_free(Prober *prober);

/* The row of probe.jsonl for `step`, taken after the backward pass and before the update:
 * entropies and logits of the step's forward pass, weights as that pass used them,
 * gradients after the fold of the reparametrisation and before clipping. */
json_t *prober_row(Prober *prober, const ProbeConfig *config, size_t step);

/* The input-side vector that layer i's norm is followed with, and whether it is known
 * yet; in a checkpoint it makes a resumed run's rows the same to the last digit. */
real *prober_vector(Prober *prober, size_t layer, size_t *size, bool **known);

/* The spectral norm of layer i's effective weight.  To 1e-4 of itself or better; in rows
 * of frequent probes (probe.every <= 4), but for those of every eighth step, it is a
 * lower bound, mostly as good. */
double prober_sigma(Prober *prober, size_t layer);

#endif
