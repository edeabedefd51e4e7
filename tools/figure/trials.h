/* trials: figures of many runs of a few methods - their curves, a column a method, and
 * their final scores by rank.
 *
 *     Trial trials[] = {{"runs/s/cells/a", 0, TRIAL_BEST, 71.2}, {"runs/s/cells/b", 0, TRIAL_WORST, 12}};
 *     TrialMethods methods = {.name = (const char *[]){"demo"}, .detail = ..., .count = 1};
 *     Chart *chart = figure_trials(trials, 2, &methods, &(TrialOptions){...}, &err);
 *
 * Which runs are which is the caller's to say (tools/sweep/trials.h).  Logs are read one
 * after the other, so there may be hundreds. */
#ifndef STEADY_TRIALS_H
#define STEADY_TRIALS_H

#include "tools/figure/figures.h"

typedef enum { TRIAL_BEST, TRIAL_WORST, TRIAL_PASSED, TRIAL_FAILED } TrialRole;

typedef struct Trial {
    const char *run; /* its folder */
    size_t method;
    TrialRole role;
    double score; /* at the end, as people read it; NaN: none */
} Trial;

enum { TRIAL_METHODS_MOST = 16 };

typedef struct TrialMethods {
    const char *const *name, *const *detail; /* [count] heading, and the line below it */
    size_t count;
} TrialMethods;

typedef struct TrialOptions {
    FigureOptions figure; /* rows of trial_rows(), NULL: all below "best-worst"; layers,
                             NULL: "first" */
    Metric metric;        /* of the row "score"; METRIC_COUNT: the training loss */
    const char *y;        /* what its numbers are: "top-1 % (test)" */
    const char *fails;    /* what a failure is, for the legend: "diverged" */
} TrialOptions;

/* "score,loss,entropy,...": rows that such a figure has.  Those of attention show the
 * chosen layers, a line each; with the first layer, the score and both gradients these
 * are the metrics of Figure 4 of the paper. */
const char *trial_rows(void);
#define TRIAL_ROWS_DEFAULT "score,entropy,sigma,grad-inf,front-grad"

/* Columns are methods, x the epoch (the step where the log has no epochs).  The best
 * solid, the worst dashed; of all trials those that failed in another colour.  One row
 * of more than four methods is broken into lines, whose axes are equal.  Evaluations are
 * those of the split that has the most.  NULL: an unknown row or layer (FAIL_USAGE), no
 * folder of a run. */
Chart *figure_trials(const Trial *trials, size_t count, const TrialMethods *methods,
                     const TrialOptions *options, Err *err);

/* Final score against rank, one line a method: trials are in the order of their methods,
 * the best first.  Crosses failed; those without a score are at the worst end. */
Chart *figure_rank(const Trial *trials, size_t count, const TrialMethods *methods,
                   const TrialOptions *options);

#endif
