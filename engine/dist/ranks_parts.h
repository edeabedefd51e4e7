/* ranks_parts: what the files of `ranks` share.  ranks_mpi.c or ranks_none.c talks to
 * MPI, by ./configure; ranks.c is built on either. */
#ifndef STEADY_RANKS_PARTS_H
#define STEADY_RANKS_PARTS_H

#include "engine/dist/ranks.h"

/* x[0..bytes) of rank `source` on every rank. */
void ranks_copy_from(Ranks *ranks, size_t source, void *x, size_t bytes);

#endif
