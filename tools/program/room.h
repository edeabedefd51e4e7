/* room: is there address space for what OpenBLAS and OpenMP take by themselves?
 *
 *     if (room_for_threads(0, threads, &err)) return err.status;
 *
 * OpenBLAS wants a buffer of 128 MB for each thread when it is loaded, and one more for
 * each thread whose first product it is.  Where it cannot have one (ulimit -v, ulimit -d,
 * strict overcommit) it asks again for ever, and no signal that we handle ends that.  So
 * the buffers are asked for here first.  What it takes when it is loaded, before main, is
 * looked at by a function that the loader runs before it (room.c). */
#ifndef STEADY_ROOM_H
#define STEADY_ROOM_H

#include "engine/core/base.h"

/* The process computed with `before` threads (0: not yet) and is going to with
 * `threads`, and one that makes batches.  FAIL_RUN when a buffer or a thread cannot be
 * had.  Where there is a limit OpenBLAS takes the buffers now, so that nothing else can
 * be in their place later. */
Status room_for_threads(size_t before, size_t threads, Err *err);

#endif
