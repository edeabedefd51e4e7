#include "engine/core/trap.h"

#include <string.h>

/* The innermost trap of each thread: which calls are inside it no argument could say, for
 * what fails is as deep as mem_alloc. */
static _Thread_local Trap *innermost;

void trap_set(Trap *trap) {
    trap->outer = innermost;
    trap->guards = NULL;
    trap->err = ERR_NONE;
    innermost = trap;
}

void trap_end(Trap *trap) {
    innermost = trap->outer;
    for (TrapGuard *g = trap->guards; trap->err.status && g; g = g->next)
        g->end(g->object);
}

void trap_guard(TrapGuard *guard, void (*end)(void *object), void *object) {
    if (!innermost) return;
    *guard = (TrapGuard){end, object, innermost->guards};
    innermost->guards = guard;
}

void trap_unguard(TrapGuard *guard) {
    for (Trap *trap = innermost; trap; trap = trap->outer)
        for (TrapGuard **at = &trap->guards; *at; at = &(*at)->next)
            if (*at == guard) {
                *at = guard->next;
                return;
            }
}

bool trap_is_set(void) { return innermost != NULL; }

void trap_spring(Status status, const char *text) {
    Trap *trap = innermost;
    if (!trap) return;
    size_t length = MIN(strlen(text), sizeof trap->err.text - 1);
    memcpy(trap->err.text, text, length);
    trap->err.text[length] = 0;
    trap->err.status = status;
    longjmp(trap->place, 1);
}
