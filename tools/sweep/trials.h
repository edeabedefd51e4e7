/* trials: runs of each method by their final score - which was best, which worst, how
 * many fail - and figures of them.
 *
 *     SweepTrials trials;
 *     if (trials_open(&trials, &pool, NULL, &err)) ...
 *     trials.list[trials.first[m]]                  the best trial of method m
 *     trials_close(&trials);
 *
 * A trial is a run that has ended; those of a method may differ in their seeds or in
 * whatever else is swept.  For tools/sweep alone. */
#ifndef STEADY_SWEEP_TRIALS_H
#define STEADY_SWEEP_TRIALS_H

#include "tools/sweep/pool.h"

typedef struct SweepTrial {
    const PoolCell *at;
    double score; /* at the end, as people read it; NaN: none, or it was not finite */
    bool failed;  /* by the criterion of the sweeps; without one it diverged */
} SweepTrial;

typedef struct SweepTrials {
    SweepTrial *list; /* [count] by method, the best first, those without a score last */
    size_t count;
    size_t *first; /* [methods + 1] place of each method's best in the list */
    Metric metric; /* of the score; METRIC_COUNT: the training loss */
} SweepTrials;

/* score: the key of a metric, "loss", NULL: what the sweeps are judged by, or the
 * training loss where they were not evaluated.  The last evaluation counts; a run whose
 * loss or gradient was not finite has no score, and none is of another split than that of
 * most runs.  Of runs without one that which broke
 * off earliest is last.  FAIL_USAGE: no run has that score; no run has ended. */
Status trials_open(SweepTrials *trials, const Pool *pool, const char *score, Err *err);
void trials_close(SweepTrials *trials);

/* Of a method. */
size_t trials_failed(const SweepTrials *trials, size_t method);

/* "top-1 % (test)" */
void trials_score_name(const SweepTrials *trials, const Pool *pool, char name[96]);

#endif
