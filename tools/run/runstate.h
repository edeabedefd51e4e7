/* runstate: does a run still train, and if not, how did it end?
 *
 *     RunState state = runstate_of(run);
 *     printf("%s, %zu of %zu steps\n", runstate_names[state.kind], state.step, state.steps);
 *
 * running: a process has the lock on its folder.  Else what its last process left in
 * run.json (session.h) counts; of a run without it, of an older version or of another
 * program, the logs: the last step or epoch of the recipe is there, or an event says
 * that a number was not finite.  Without a recipe it is unknown. */
#ifndef STEADY_RUNSTATE_H
#define STEADY_RUNSTATE_H

#include "tools/run/runlog.h"

/* X(KIND, name) */
#define RUNSTATE_LIST(X)                                                                 \
    X(RUNNING, "running")                                                                \
    X(FINISHED, "finished")                                                              \
    X(INTERRUPTED, "interrupted")                                                        \
    X(FAILED, "failed")                                                                  \
    X(UNKNOWN, "unknown")

#define RUNSTATE_KIND(KIND, name) RUNSTATE_##KIND,
typedef enum { RUNSTATE_LIST(RUNSTATE_KIND) RUNSTATE_KINDS } RunStateKind;
#undef RUNSTATE_KIND

extern const char *const runstate_names[RUNSTATE_KINDS];

typedef struct RunState {
    RunStateKind kind;
    size_t step;    /* the last one that is logged, or that run.json has */
    size_t logged;  /* the last one that is logged; a row of an event counts */
    bool unlogged;  /* rows behind it are missing: see runstate_lacks_rows */
    size_t steps;   /* of the whole run; 0: not known */
    char why[1024]; /* what ended it before its time; "" */
} RunState;

RunState runstate_of(const RunLog *run);

/* Does run.json say that the last process took steps that the log, whose last row is of
 * step `logged`, should have rows of (train.log_every)?  Not of a process that runs or
 * was killed, which did not say. */
bool runstate_lacks_rows(const RunLog *run, double logged);

/* Has a process, training or sweeping, the lock on the folder? */
bool runstate_in_use(const char *dir);

#endif
