/* falling: does a loss still fall where its log ends?  Then nothing is wrong with the run
 * but its length.
 *
 *     LossFall fall = loss_fall(loss, n);
 *     if (fall.falls) ... "fell by 14 % in the last fifth of the steps" ... fall.share
 *
 * The mean of the last fifth of n logged losses is compared with that of the fifth before
 * it.  The loss still falls if it went down
 *   - by FALL_PERCENT % of the mean before, at least, and
 *   - by FALL_ERRORS standard errors of the difference of two such means, where the
 *     scatter of a loss is sqrt(mean (x[i-1] - 2 x[i] + x[i+1])^2 / 6) over the last half
 *     of the log (10 rows at least): that of numbers without a trend, and
 *   - to its lowest so far: no fifth had a lower mean, and the first loss is higher.  A
 *     loss that comes down from an explosion is not falling in this sense. */
#ifndef STEADY_FALLING_H
#define STEADY_FALLING_H

#include <stdbool.h>
#include <stddef.h>

#define FALL_PERCENT 1
#define FALL_ERRORS 3

typedef struct LossFall {
    bool falls;
    double share; /* of the mean before; NaN: too few losses, or one is not finite */
} LossFall;

/* loss: [count]; under 10 never fall. */
LossFall loss_fall(const double *loss, size_t count);

/* Of the losses of one split, which is the same at each evaluation: a fall is seen where
 * batches of different lengths scatter too much.  3 at least; the last one is the lowest,
 * by FALL_PERCENT % or more below that in the middle (share), and below `first`, the
 * first loss in training. */
LossFall loss_fall_scored(const double *loss, size_t count, double first);

/* Is the mean of the last fifth above that of the first `start` losses, by FALL_ERRORS
 * standard errors and by more than `share` of it? */
bool loss_rose(const double *loss, size_t count, size_t start, double share);

#endif
