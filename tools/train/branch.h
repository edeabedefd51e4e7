/* branch: a run that goes on from an earlier checkpoint of another one, in a folder of
 * its own: as after a collapse.
 *
 *     Branch from;
 *     if (branch_find("runs/x", "30", &from, &err)) ...     30, or "best"
 *     trainer_open_branch(&trainer, recipe, was, &from, "runs/x-from-30", ...);
 *
 * The new folder gets that checkpoint, the rows up to its step, and the best checkpoint
 * up to there, if the other run still has it; from then on it is a run like any other.
 * The other run is only read, and may be training meanwhile. */
#ifndef STEADY_BRANCH_H
#define STEADY_BRANCH_H

#include "tools/recipe/recipe.h"
#include "tools/run/rundir.h"

typedef struct Branch {
    const char *run;      /* the other run's folder; borrowed */
    char path[PATH_SIZE]; /* of the checkpoint, in it */
    size_t step;
    char best[PATH_SIZE]; /* the best checkpoint up to there; "": none (branch_best) */
} Branch;

/* FAIL_USAGE for a word that is neither; FAIL_DATA where the run has no such checkpoint:
 * the message lists those that are there. */
Status branch_find(const char *run, const char *word, Branch *from, Err *err);

/* Sets from->best to what holds the best checkpoint of `best_step`; false: it is
 * gone. */
bool branch_best(Branch *from, size_t best_step);

/* Copies checkpoints, logs and the snapshots of `steps` [count] that wait for their
 * sharpness into the folder `dir`, which has its folders (rundir_create). */
Status branch_copy(const Branch *from, const char *dir, const size_t *steps, size_t count,
                   Err *err);
/* Takes back what no other part of a run removes: its checkpoints. */
void branch_remove(const Branch *from, const char *dir);

#endif
