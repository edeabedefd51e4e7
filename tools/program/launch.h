/* launch: whether a launcher (mpirun, srun) started this process as one of several.
 *
 *     Ranks *ranks;
 *     if (launch_join(&ranks, &err)) return launch_fail("train", &err);
 *     ...
 *     ranks_finish(ranks);
 *
 * A process that no launcher started, or that was started alone, gets ranks = NULL and never
 * calls MPI. */
#ifndef STEADY_LAUNCH_H
#define STEADY_LAUNCH_H

#include "engine/dist/ranks.h"

/* What the environment says, without calling MPI: {0, 1} where there is no launcher; a count
 * of 0: a launcher that does not say how many. */
typedef struct Launch {
    size_t rank, count;
} Launch;
Launch launch_read(void);

/* Joins the other processes and takes this one's share of the host's processors (see
 * start_share_processors).  FAIL_USAGE where several were started and this build has no MPI,
 * or one that does not understand the launcher. */
Status launch_join(Ranks **ranks, Err *err);

/* command_fail for all processes of a launcher before they have joined: one speaks. */
int launch_fail(const char *command, const Err *err);

#endif
