/* model: what a steady_model is (include/steady.h): a recipe's task, and the place in its
 * training.  The files of this room share it. */
#ifndef STEADY_LIBRARY_MODEL_H
#define STEADY_LIBRARY_MODEL_H

#include <jansson.h>

#include "tools/library/door.h"
#include "tools/run/probe.h"
#include "tools/task/step.h"

struct steady_model {
    Handle handle; /* first */
    Recipe recipe;
    Task *task;
    Step step;
    Prober *prober;
    size_t steps, warmup_steps, done;
    json_t *scores; /* the row of the last evaluation; NULL: none */
};

/* NULL stays NULL. */
static inline Handle *handle_of(steady_model *model) {
    return model ? &model->handle : NULL;
}

/* How the forward pass of `step` is run. */
ForwardMode model_mode(const steady_model *model, size_t step);

#endif
