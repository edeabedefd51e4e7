/* origin: where runs come from - the data that they read, the program, its number type,
 * the machine - and whether those of several may be compared.  For tools/sweep alone.
 *
 *     origin_read(&cell->origin, run);                 with its result
 *     if (origin_check_data(sweeps, count, &err)) ...  seeds of two data sets are no seeds
 *     origin_print(sweeps, count, out);                "runs of 2 versions: ..." */
#ifndef STEADY_SWEEP_ORIGIN_H
#define STEADY_SWEEP_ORIGIN_H

#include "tools/run/runlog.h"
#include "tools/sweep/sweep.h"

void origin_read(SweepOrigin *origin, const RunLog *run);

/* Ended runs with the same keys of data must have read the same examples: each split has
 * one count and, of one version, one hash (data/facts.h); of generated data there is none
 * to compare.  Runs with data.changed = allow are not asked.  Runs of one sweep that have
 * the same train.init must have begun from the same weights; where those of several
 * differ, origin_print says so.  FAIL_DATA names two. */
Status origin_check_data(const Sweep *sweeps, size_t count, Err *err);

/* A line where weights differ by one train.init, and one for each of version, number type
 * and machine that ended runs differ in; runs that do not say count with none. */
void origin_print(const Sweep *sweeps, size_t count, FILE *out);

#endif
