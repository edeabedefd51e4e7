/* rate: how fast this machine multiplies matrices, the measure of everything else.
 *
 *     double rate = machine_rate_cached(threads);          FLOP/s; 0: never measured
 *     if (rate == 0) machine_rate_store(threads, rate = machine_rate_measure(threads, 0.5));
 *
 * Kept in $XDG_CACHE_HOME/steady/ (or ~/.cache/steady/), one file for each core type of
 * OpenBLAS, number type and number of threads; `mfu` of a training log is the step's
 * rate as a share of it. */
#ifndef STEADY_RATE_H
#define STEADY_RATE_H

#include <stdbool.h>
#include <stddef.h>

/* Best rate of [n, n] x [n, n]^T products of `real`, 2 n^3 operations each, in FLOP/s,
 * with n = 2048 (less where that would take longer than `seconds`), repeated for about
 * `seconds`.  Leaves the number of threads as it was. */
double machine_rate_measure(size_t threads, double seconds);

/* What was stored on a machine with this one's processor; 0 when nothing was. */
double machine_rate_cached(size_t threads);

/* Keeps the larger of this and what was stored: a busy machine measures too little.
 * False when it cannot be written (a home that is read-only is no error). */
bool machine_rate_store(size_t threads, double rate);

#endif
