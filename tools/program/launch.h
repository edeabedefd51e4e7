/* launch: whether a launcher (mpirun, srun) started this process as one of several, as
 * its environment says; MPI itself is joined in tools/program/join.h. */
#ifndef STEADY_LAUNCH_H
#define STEADY_LAUNCH_H

#include "engine/core/base.h"

/* What the environment says, without calling MPI: {0, 1} where there is no launcher; a
 * count of 0: a launcher that does not say how many. */
typedef struct Launch {
    size_t rank, count;
} Launch;
Launch launch_read(void);

/* In a process of our own that is to be one alone: the environment says so. */
void launch_forget(void);

/* command_fail for all processes of a launcher before they have joined: one speaks. */
int launch_fail(const char *command, const Err *err);

#endif
