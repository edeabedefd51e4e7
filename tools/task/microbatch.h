/* microbatch: how this rank's part of a batch is cut into forward passes.
 *
 *     size_t pieces = microbatch_pieces(task, cache);
 *     for (size_t i = 0; i < pieces; i++) {
 *         size_t from = microbatch_edge(task, i, pieces), to = microbatch_edge(task, i + 1, pieces);
 *         if (from < to) ... mode.pass = microbatch_pass(task, from) ...
 *     }
 *
 * The recipe's micro-batches are train.accumulate parts of it; where a piece that fits the cache
 * is smaller, a micro-batch is cut further.  That changes nothing but the order of sums. */
#ifndef STEADY_MICROBATCH_H
#define STEADY_MICROBATCH_H

#include "tools/task/task.h"

/* At least train.accumulate; pieces may be empty.  `cache`: bytes, 0: not known. */
size_t microbatch_pieces(const Task *task, size_t cache);

/* Where piece i of `pieces` begins, 0 <= i <= pieces, in examples of this rank's part. */
size_t microbatch_edge(const Task *task, size_t i, size_t pieces);

/* The last piece that has an example; `pieces`: none has, for this rank's part is empty. */
size_t microbatch_last(const Task *task, size_t pieces);

/* Which forward pass of the step, all ranks', example `from` belongs to (TapeMode.pass): rank *
 * train.accumulate + its micro-batch.  The same on every machine: pieces of one micro-batch
 * share a number. */
size_t microbatch_pass(const Task *task, size_t from);

#endif
