/* join: the processes that a launcher (mpirun, srun) started become ranks of one run.
 *
 *     Ranks *ranks;
 *     if (join_ranks(&ranks, &err)) return launch_fail("train", &err);
 *     ...
 *     ranks_finish(ranks);
 *
 * A process that no launcher started, or that was started alone, gets ranks = NULL
 * and never calls MPI. */
#ifndef STEADY_JOIN_H
#define STEADY_JOIN_H

#include "engine/dist/ranks.h"

/* Joins the other processes and takes this one's share of the host's processors (see
 * start_share_processors).  FAIL_USAGE where several were started and this build has no
 * MPI, or one that does not understand the launcher. */
Status join_ranks(Ranks **ranks, Err *err);

#endif
