/* ring: numbered batches, made ahead by threads.
 *
 * Batch n lives in the owner's place n mod places.  A thread claims the next number, the
 * owner fills its place, and the caller knows; places are free again when the caller
 * asks for the batch after.
 *
 *     ring = ring_start(&(RingConfig){fill, owner, .places = 2, .first = 1, .last = SIZE_MAX}, err);
 *     while (!ring_next(ring, &n, err) && n) use(&owner->batch[n % 2]);
 *     ring_stop(ring);
 */
#ifndef STEADY_RING_H
#define STEADY_RING_H

#include <stdatomic.h>

#include "engine/core/base.h"

typedef struct Ring Ring;

typedef struct RingConfig {
    /* Fills the place of batch n; runs in thread `thread` < threads.  May end early when
     * *stop becomes true: nobody reads the place then. */
    Status (*fill)(void *owner, size_t thread, size_t n, const atomic_bool *stop,
                   Err *err);
    void *owner;
    size_t threads; /* 1 ... RING_THREADS_MAX; 0: 1 */
    size_t places;  /* batches at a time, that which the caller has among them */
    size_t first,
        last; /* numbers of the batches, from 1; last SIZE_MAX: there is no end */
    bool (*interrupted)(void); /* asked while waiting, ten times a second; NULL: never */
} RingConfig;

enum { RING_THREADS_MAX = 64 };

/* NULL: FAIL_RUN, a thread cannot start. */
Ring *ring_start(const RingConfig *config, Err *err);

/* Waits for the next batch, whose place is the caller's until the next call; *n = 0 after
 * the last.  What fill returned and wrote to its err, a note where all is well; a batch
 * that failed stays the next.
 * FAIL_INTERRUPTED: config.interrupted said so while it was not ready. */
Status ring_next(Ring *ring, size_t *n, Err *err);

/* Ends the threads: what is being filled is filled or given up.  At any
 * time; NULL is fine. */
void ring_stop(Ring *ring);

#endif
