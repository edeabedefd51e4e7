/* ranks: the processes that train one model together, over MPI.
 *
 *     Ranks *ranks = ranks_start(&err);               NULL: err says why
 *     ranks_add(ranks, sums, n);                      every rank then holds the same sums
 *     if (ranks_agree(ranks, &err)) return err.status;
 *     ranks_finish(ranks);
 *
 * A Ranks * of NULL is one process alone: every function below takes it, does nothing,
 * and costs nothing.  Ranks are numbered from 0; rank 0 leads: it writes what is written.
 *
 * All but ranks_number, ranks_count and ranks_lead are calls of all ranks together, in
 * the same order.  An error inside MPI ends all processes (MPI's own default), and so
 * does the death of one.  For one thread, the one that called ranks_start.
 *
 * Not for: sending anything but numbers and messages; choosing a
 * transport.  MPI does that. */
#ifndef STEADY_RANKS_H
#define STEADY_RANKS_H

#include "engine/core/base.h"

typedef struct Ranks Ranks;

/* MPI's library and version, e.g. "Open MPI v4.1.4"; false where steady
 * was built without. */
bool ranks_library(char *name, size_t size);

/* Joins the processes that a launcher (mpirun, srun) has started; once in a process.
 * NULL: FAIL_USAGE, this build has no MPI; FAIL_RUN, MPI knows no threads. */
Ranks *ranks_start(Err *err);
void ranks_finish(Ranks *ranks); /* waits for all ranks to come here */

size_t ranks_number(const Ranks *ranks); /* this one's; 0 */
size_t ranks_count(const Ranks *ranks);  /* 1 */
bool ranks_lead(const Ranks *ranks);     /* is this rank 0? */

/* Ranks on this host, this one among them, that gave the same mark: with the set of
 * processors that a rank may use as its mark, those that share it. */
size_t ranks_sharing(Ranks *ranks, uint64_t mark);

/* x[i] = sum, or largest, of all ranks' x[i].  The largest of NaN and others is
 * infinity. */
void ranks_add(Ranks *ranks, double *x, size_t n);
void ranks_max(Ranks *ranks, double *x, size_t n);

/* mean[n] of n columns and squares[n], their sums of (x - mean)^2, over this rank's rows
 * become those over all ranks' rows; returns how many rows those are. */
double ranks_moments(Ranks *ranks, size_t rows, double *mean, double *squares, size_t n);

/* x[0..n) of rank 0 on every rank. */
void ranks_copy(Ranks *ranks, void *x, size_t bytes);

/* to = the `from` of all ranks, one behind the other in their order, bytes[r] of
 * rank r's.  One process alone: a copy. */
void ranks_gather(Ranks *ranks, const void *from, void *to, const size_t *bytes);

/* If any rank failed, all return the same failure, with its text in err: that of the
 * lowest rank that failed, with the number of the rank in front unless it is rank 0.  An
 * interruption (FAIL_INTERRUPTED) yields to any other failure and has no number. */
Status ranks_agree(Ranks *ranks, Err *err);

/* ---- sums that travel while the caller computes ---- */

/* Starts to[i] = sum of all ranks' from[i], n numbers; neither is touched until it is
 * done. */
void ranks_send(Ranks *ranks, const real *from, real *to, size_t n);
void ranks_poll(Ranks *ranks); /* lets them go on; MPI may do so nowhere else */
void ranks_wait(Ranks *ranks); /* until all are done */

#endif
