/* freeze: model.freeze, by names of the model's parameters.
 *
 *     if (freeze_apply(task, &err)) ...     "patch_embed, blocks.0"
 *     freeze_say(task);                     "model.freeze: 2 tensors, 6336 parameters ..."
 *
 * A name is a parameter's, or the beginning of several up to a dot.  What it means for
 * the step is in engine/core/params.h and models/layer.h. */
#ifndef STEADY_FREEZE_H
#define STEADY_FREEZE_H

#include "tools/task/task.h"

/* FAIL_USAGE: a name that no trained parameter has, with the nearest one; a list that
 * leaves nothing to train. */
Status freeze_apply(Task *task, Err *err);

/* A line for what stays as it is; nothing where all is trained. */
void freeze_say(const Task *task);

#endif
