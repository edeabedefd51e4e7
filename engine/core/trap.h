/* trap: where a failure comes back that no status reports - memory that cannot be had, a
 * CHECK - in a process that may not end, the library's user's.
 *
 *     Trap trap;
 *     trap_set(&trap);
 *     if (!setjmp(trap.place)) work();
 *     trap_end(&trap);                       trap.err says what happened; OK: nothing
 *
 * Of the thread that sets it alone: a thread that is started meanwhile, and OpenMP's
 * others, end the process as they do without (they take no memory of ours but for the
 * loaders', which set a trap of their own, data/ring.c).  What work() held when it fell
 * is lost: memory is not given back, objects that it was changing are good for nothing
 * but to be freed.  It may hold no lock when it takes memory.  Traps of one thread
 * nest. */
#ifndef STEADY_TRAP_H
#define STEADY_TRAP_H

#include <setjmp.h>

#include "engine/core/base.h"

/* What must be ended when the trap is sprung, because nobody else can do it any more:
 * threads. */
typedef struct TrapGuard {
    void (*end)(void *object);
    void *object;
    struct TrapGuard *next;
} TrapGuard;

typedef struct Trap {
    jmp_buf place;
    struct Trap *outer;
    TrapGuard *guards;
    Err err;
} Trap;

void trap_set(Trap *trap);
void trap_end(Trap *trap); /* where it was sprung, ends what is guarded */
bool trap_is_set(void);

/* A guard from here to trap_unguard, or to the end of the present trap; none: nothing. */
void trap_guard(TrapGuard *guard, void (*end)(void *object), void *object);
void trap_unguard(TrapGuard *guard);

/* Goes to the trap of this thread; returns where there is none. */
void trap_spring(Status status, const char *text);

#endif
