/* dip: how far a score fell from the best that the run had reached, and when it was back.
 *
 *     ScoreDip dip = score_dip(top1, epoch, n, METRIC_TOP1);
 *     if (dip.depth > 0.05) ... dip.until - dip.bottom ... epochs to recover
 *
 * A dip is a point that is worse than the best before it; the one reported is the
 * deepest, of equal ones the first.  It ends with the first point behind its bottom that
 * is as good as that best, or better.  A noisy score has dips as deep as its noise, so a
 * depth means something beside that of runs without a failure. */
#ifndef STEADY_DIP_H
#define STEADY_DIP_H

#include "tools/recipe/metric.h"

typedef struct ScoreDip {
    double depth; /* best before - lowest, as the score counts; 0: it never fell; NaN:
                     fewer than two points */
    double from, bottom; /* x of the best before, of the lowest; NaN without a dip */
    double until;        /* x where the best is reached again; NaN: not */
} ScoreDip;

/* Of curves in which more is better (metrics[metric].better), or less: then a dip is a
 * rise.  x: [count] ascending, or NULL: 1, 2, 3, ...  Points that are not finite are left
 * out. */
ScoreDip score_dip(const double *score, const double *x, size_t count, Metric metric);

#endif
