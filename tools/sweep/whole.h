/* whole: are the logs of a run that has ended those that its process left?  A log that
 * lost its end still has a last fifth and a lowest entropy, but not the run's.  For
 * tools/sweep alone. */
#ifndef STEADY_SWEEP_WHOLE_H
#define STEADY_SWEEP_WHOLE_H

#include <jansson.h>

#include "tools/run/runlog.h"
#include "tools/sweep/sweep.h"

/* Against the last session of run.json: its last step, loss and, of this version, the
 * verdict.  A run without it, or whose process did not end, is taken as it is.  FAIL_DATA
 * names the log. */
Status whole_check(const RunLog *run, const Verdict *verdict, Err *err);

/* Against what sweep.json had of the same run, `row` of its cells: a number that it had
 * must not be gone, and score and lowest entropy are no worse, unless the run was trained
 * again or further since: its loss is another, or its last process has not ended it. */
Status whole_check_row(const Sweep *sweep, size_t cell, const json_t *row, Err *err);

#endif
