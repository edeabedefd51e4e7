/* level: the losses above which a run fails by `midpoint`.  For tools/sweep alone.
 *
 *     Levels levels = {0};
 *     levels_add(&levels, &sweep);                    of each sweep that is judged
 *     const Level *level = levels_find(&levels, log(10));
 *     if (level && loss > level_loss(level)) ...
 *     levels_free(&levels);
 *
 * A level is the middle between chance and the lowest mean loss of a configuration that
 * has it: runs of 2 classes are not judged by the best of 10.  Chances within
 * CHANCE_APART of each other are one (that of texts follows the tokens of their training
 * split, which a seed may draw).  A level is never above chance: where no configuration
 * learns it is chance, and not the middle between that and a loss that diverged. */
#ifndef STEADY_SWEEP_LEVEL_H
#define STEADY_SWEEP_LEVEL_H

#include "tools/sweep/sweep.h"

#define CHANCE_APART 0.01

typedef struct Level {
    double chance, best; /* of the configuration with the lowest mean loss, and that */
} Level;

typedef struct Levels {
    Level *list; /* [count] in the order of the cells that have the chance */
    size_t count, room;
} Levels;

/* Those of the sweep's configurations whose runs have all ended with a finite loss. */
void levels_add(Levels *levels, const Sweep *sweep);
void levels_free(Levels *levels);

/* NULL: no configuration has that chance, or it is not known. */
const Level *levels_find(const Levels *levels, double chance);
double level_loss(const Level *level);
bool level_is_chance(const Level *level); /* no configuration has a lower mean */

#endif
