/* measure: what weights show of themselves on a fixed sample of the run's data: one
 * forward and one backward pass without masks, u and v as they are.
 *
 *     Measuring m;
 *     if (measure_begin(&m, &run, SPLIT_TRAIN, 64, &err)) return err.status;
 *     json_t *row = measure_row(&m);       again after run_load: another checkpoint
 *     measure_end(&m);
 *
 * The row is that of probe.jsonl (tools/run/probe.h), every probe on and spectral norms
 * to convergence, and beside it
 *   "checkpoint"   file, or null: initial weights
 *   "split", "sample"            what was measured on: so many of its first examples
 *   "loss", "grad_norm", "temperature"
 *   "tensors"      all that is trained: [{"name", "shape", "norm", "grad_norm", "grad_inf"}]
 * Numbers that are unknown or not finite are null. */
#ifndef STEADY_MEASURE_H
#define STEADY_MEASURE_H

#include "tools/task/openrun.h"
#include "tools/task/step.h"

typedef struct Measuring {
    OpenRun *run;
    Split split;
    Step step;
} Measuring;

/* Reads the sample.  FAIL_DATA: the split is empty, or cannot be read. */
Status measure_begin(Measuring *m, OpenRun *run, Split split, size_t sample, Err *err);
/* Of the weights that run->task has now. */
json_t *measure_row(Measuring *m);
void measure_end(Measuring *m); /* all zero is fine */

#endif
