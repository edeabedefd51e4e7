/* gains: what became of layers whose weight a file brought without the scale that they
 * have in this model, in words. */
#ifndef STEADY_GAINS_H
#define STEADY_GAINS_H

#include "models/layer.h"

enum { GAINS_LINES = 2, GAINS_LINE = 200 };

/* Lines for notes, behind model_start; loaded: [params->count].  The number of lines. */
size_t gains_describe(const Model *model, const bool *loaded,
                      char lines[GAINS_LINES][GAINS_LINE]);

#endif
