/* arena: memory that a step takes piece by piece and gives back all at once.
 *
 * Reset keeps the pages, because touching new pages is expensive.
 *
 *     ArenaMark mark = arena_mark(arena);
 *     real *scratch = arena_alloc(arena, n * sizeof(real));      64-byte aligned
 *     arena_release(arena, mark);                                everything since the mark
 *
 * Not for: memory that outlives the step (mem_alloc), or several threads at once. */
#ifndef STEADY_ARENA_H
#define STEADY_ARENA_H

#include "engine/core/base.h"

typedef struct Arena Arena;

typedef struct ArenaMark {
    size_t chunk, used;
} ArenaMark;

Arena *arena_new(void);
void arena_free(Arena *arena);
void *arena_alloc(Arena *arena, size_t bytes);
ArenaMark arena_mark(const Arena *arena);
void arena_release(Arena *arena, ArenaMark mark);
void arena_reset(Arena *arena);
size_t arena_used(const Arena *arena);     /* bytes up to the top */
size_t arena_capacity(const Arena *arena); /* bytes taken from the system so far */

#endif
