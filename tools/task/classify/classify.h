/* classify: what the files of the task share. */
#ifndef STEADY_CLASSIFY_H
#define STEADY_CLASSIFY_H

#include "tools/task/pictures.h"

/* Logits [B, classes] of a batch, without gradients. */
Tensor *classify_logits(Task *task, Tape *tape, const ForwardMode *mode,
                        const Batch *batch);

#endif
