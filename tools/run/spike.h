/* spike: rises of the loss above the best level that the run had reached.
 *
 *     LossSpikes found = loss_spikes(loss, step, n, log(10));
 *     if (found.count) ... found.worst.depth, found.worst.steps ...
 *
 * Definitions, over n logged losses:
 *   level     median of w rows around one; w = n/20, odd, from 9 to 25: one bad batch, or
 *             a few in a row, do not move it.  The first and last w/2 rows have none.
 *   noise     standard deviation of a level where nothing happens, from the median of
 *             |loss(i+1) - loss(i)| over the 6 w rows (at least 50) before the best level
 *   margin    the largest of SPIKE_NOISES + 2 sqrt(2 ln(n/w)) noises, SPIKE_PERCENT % of
 *             the best level so far and SPIKE_CHANCE_PERCENT % of chance
 *   spike     a level above the best so far by more than the margin, once the run has
 *             learned something (the best is under SPIKE_LEARNED_PERCENT % of chance)
 *   steps     from the last row within half of the margin of the best to the first one
 *             that is there again: then it has recovered
 *   depth     its highest level less the best one before it, in nats
 *
 * Of 8,000 made curves without a spike and with normal noise 1 had one, with noise as
 * skewed as a log-normal of sigma 0.5 about 1 in 100 (test_spike).
 * What the recipe changed meanwhile does not matter: the best level is that before the
 * rise, not a mean that follows it. */
#ifndef STEADY_SPIKE_H
#define STEADY_SPIKE_H

#include "engine/core/base.h"

#define SPIKE_NOISES 4
#define SPIKE_PERCENT 10
#define SPIKE_CHANCE_PERCENT 2
#define SPIKE_LEARNED_PERCENT 98
#define SPIKE_ROWS_MIN 30 /* fewer rows: nothing is said */

typedef struct LossSpike {
    double from, top; /* steps: the last one before the rise, and that of the top */
    double steps;     /* from there until it has recovered, or until the log ends */
    double best;      /* level before the rise */
    double depth;     /* nats */
    bool recovered;
} LossSpike;

typedef struct LossSpikes {
    size_t count;
    bool open;       /* the last has not recovered */
    LossSpike worst; /* the one that is open, else the deepest */
} LossSpikes;

/* step [count], or NULL: 1, 2, 3, ...; chance: level of a guess, or where that is unknown
 * the mean of the first losses.  A loss that is not finite: nothing is said. */
LossSpikes loss_spikes(const double *loss, const double *step, size_t count,
                       double chance);

#endif
