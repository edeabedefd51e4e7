/* rate: how fast this machine multiplies matrices, the measure of everything else.
 *
 *     double rate = machine_rate_cached(PRECISION_FP32, threads);   FLOP/s; 0: not known
 *     if (rate == 0) rate = machine_rate_measure(PRECISION_FP32, threads, 0.5);
 *     machine_rate_store(PRECISION_FP32, threads, rate);
 *
 * Kept in $XDG_CACHE_HOME/steady/ (or ~/.cache/steady/), one file for each core type of
 * OpenBLAS, number type and number of threads; `mfu` of a training log is the step's
 * rate as a share of that of the precision it is computed in. */
#ifndef STEADY_RATE_H
#define STEADY_RATE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/core/precision.h"

/* Best rate of [n, n] x [n, n]^T products, 2 n^3 operations each, in FLOP/s, with n =
 * 2048 (less where that would take longer than `seconds`), repeated for about `seconds`:
 * of `real` by OpenBLAS, or of bf16 into fp32 by the best way there is, which packs its
 * second operand each time, as OpenBLAS packs both.  Leaves the number of threads as
 * it was. */
double machine_rate_measure(PrecisionKind kind, size_t threads, double seconds);

/* What was stored on a machine with this one's processor; 0 when nothing was. */
double machine_rate_cached(PrecisionKind kind, size_t threads);

/* Keeps the larger of this and what was stored: a busy machine measures too little.
 * False when it cannot be written (a home that is read-only is no error). */
bool machine_rate_store(PrecisionKind kind, size_t threads, double rate);

#endif
