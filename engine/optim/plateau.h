/* plateau: has the score of the validation split stopped getting better?  For
 * schedule.name = plateau.
 *
 *     Plateau plateau = PLATEAU_START;
 *     if (plateau_see(&plateau, 0, loss, patience)) ...        the rate is now lower
 *     schedule_rate(&config, lr, step, steps, warmup, plateau.reductions);
 *
 * As PyTorch's ReduceLROnPlateau(threshold = 1e-4, threshold_mode = "rel", cooldown =
 * 0, eps = 0): a score counts as better below best (1 - 1e-4); after more than
 * `patience` in a row that are not, the rate shrinks and the count begins again.
 * Scores that are better when larger come in with a minus sign, which is mode = "max":
 * better above best (1 + 1e-4). */
#ifndef STEADY_PLATEAU_H
#define STEADY_PLATEAU_H

#include <math.h>

#include "engine/optim/config.h"

typedef struct Plateau {
    int watch; /* what `best` is of, by a number of the caller's */
    double best;
    size_t bad;        /* scores since the best, or since the last reduction */
    size_t reductions; /* so far */
} Plateau;

#define PLATEAU_START ((Plateau){.best = INFINITY})

/* Where scores are of something else from here on: best and count begin
 * again, reductions stay. */
Plateau plateau_again(const Plateau *plateau);

/* True where this score, one evaluation's, makes the rate shrink.  Where `watch` is
 * another than before, after plateau_again. */
bool plateau_see(Plateau *plateau, int watch, double score, size_t patience);

#endif
