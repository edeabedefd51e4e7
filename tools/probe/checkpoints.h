/* checkpoints: all that a run has kept, in the order of their steps.
 *
 *     Checkpoints all = checkpoints_of(dir);
 *     for (size_t i = 0; i < all.count; i++) ... all.path[i] ...
 *     checkpoints_free(&all); */
#ifndef STEADY_CHECKPOINTS_H
#define STEADY_CHECKPOINTS_H

#include "tools/run/rundir.h"

typedef struct Checkpoints {
    char (*path)[PATH_SIZE];
    size_t count, room;
} Checkpoints;

/* step-N.safetensors, and best.safetensors where it is of a step that none of these is
 * of. */
Checkpoints checkpoints_of(const char *dir);
void checkpoints_free(Checkpoints *c);

#endif
