/* probing: what weights show of themselves on a fixed sample of the run's data: one
 * forward and one backward pass without masks, u and v as they are.
 *
 *     Probing m;
 *     if (probing_begin(&m, &run, SPLIT_TRAIN, 64, &err)) return err.status;
 *     json_t *row = probing_row(&m);       again after run_load: another checkpoint
 *     probing_end(&m);
 *
 * The row is that of probe.jsonl (tools/run/probe.h), every probe on and spectral norms
 * to convergence, and beside it
 *   "checkpoint"   file, or null: initial weights
 *   "average"      of so many checkpoints the mean; "ema": averaged weights (train.ema)
 *   "split", "sample"            what was measured on: so many of its examples
 *   "loss", "grad_norm", "temperature"
 *   "fault"        {"op", "scope", "backward"} of the first number that is not finite,
 *                  where there is one
 *   "tensors"      all that is trained: [{"name", "shape", "norm", "grad_norm", "grad_inf"}]
 * Numbers that are unknown or not finite are null. */
#ifndef STEADY_PROBING_H
#define STEADY_PROBING_H

#include "tools/task/openrun.h"
#include "tools/task/step.h"

typedef struct Probing {
    OpenRun *run;
    Split split;
    bool ema; /* the caller's: the weights are averages */
    Step step;
} Probing;

/* Reads the sample.  FAIL_DATA: the split is empty, or cannot be read. */
Status probing_begin(Probing *m, OpenRun *run, Split split, size_t sample, Err *err);
/* Of the weights that run->task has now. */
json_t *probing_row(Probing *m);
void probing_end(Probing *m); /* all zero is fine */

#endif
