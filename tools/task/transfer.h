/* transfer: train.transfer, weights of another run or program for a model of pictures
 * that has another head, other classes, or another grid of patches.
 *
 *     steady: note: runs/pre/checkpoints/best.safetensors: 148 tensors kept
 *     steady: note: ...: head made anew: 10 outputs -> 100
 *     steady: note: ...: positions 8x8 -> 12x12, bicubic (8x8 by the file)
 *
 * Blocks, norms, patch embedding and class token must fit, by shape and by what shapes do
 * not show (tools/task/meaning.h).  A group of the ends (head, projector, probe) is kept
 * where all of it fits and classes have the same names; else it is as task_initialize
 * left it.  Learned positions are resampled (models/positions.h), fixed ones are the
 * model's own.  A scale (gamma/sigma, 1/sigma, g/|w|) that the model does not have in
 * the same way is folded into its weight; companions that the file lacks are made.  Each
 * of these is a line. */
#ifndef STEADY_TRANSFER_H
#define STEADY_TRANSFER_H

#include "tools/task/task.h"

/* The model of `task`, which is initialised and of pictures, from the file; started
 * (model_start).  FAIL_DATA: tensors that must fit do not, with names and shapes; numbers
 * that are not finite; a broken file.  FAIL_USAGE: which grid the positions are of is not
 * known (train.init_grid says it), or there are no averaged weights (train.init_ema). */
Status transfer_weights(Task *task, const char *path, const char *root,
                        const char *advice, Err *err);

#endif
