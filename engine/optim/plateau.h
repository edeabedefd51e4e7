/* plateau: has the validation loss stopped falling?  For schedule.name = plateau.
 *
 *     Plateau plateau = PLATEAU_START;
 *     if (plateau_see(&plateau, loss, patience)) ...            the rate is now lower
 *     schedule_rate(&config, lr, step, steps, warmup, plateau.reductions);
 *
 * As PyTorch's ReduceLROnPlateau(mode = "min", threshold = 1e-4, threshold_mode = "rel",
 * cooldown = 0, eps = 0): a loss counts as better below best (1 - 1e-4); after more than
 * `patience` losses in a row that are not, the rate shrinks and the count begins again. */
#ifndef STEADY_PLATEAU_H
#define STEADY_PLATEAU_H

#include <math.h>

#include "engine/core/base.h"

typedef struct Plateau {
    double best;
    size_t bad;        /* losses since the best, or since the last reduction */
    size_t reductions; /* so far */
} Plateau;

#define PLATEAU_START ((Plateau){.best = INFINITY})

/* True where this loss, one evaluation's, makes the rate shrink. */
bool plateau_see(Plateau *plateau, double loss, size_t patience);

#endif
