/* together: what the ranks of one run tell each other in a step, besides the gradients.
 * With ranks = NULL nothing changes and nothing is sent. */
#ifndef STEADY_TOGETHER_H
#define STEADY_TOGETHER_H

#include "engine/dist/ranks.h"
#include "models/layer.h"

/* The step's loss and attention statistics out of those of each rank's examples: *loss is
 * the sum (each rank's is its share of the mean), entropies are means weighted by
 * queries, the largest logit is the largest, what was measured adds up. */
void together_measure(Ranks *ranks, Model *model, double *loss);

/* Do all ranks hold the same weights, to the bit?  They must: each makes the same updates
 * from the same sums.  FAIL_RUN where they do not. */
Status together_check(Ranks *ranks, const ParamSet *params, size_t step, Err *err);

#endif
