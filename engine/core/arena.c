#include "engine/core/arena.h"

#include <stdlib.h>

enum { ALIGNMENT = 64, CHUNK_MIN = 1 << 20, CHUNKS_MAX = 64 };

/* Chunks grow by half of what there is, so 64 of them outlast any machine. */
struct Arena {
    char *memory[CHUNKS_MAX];
    size_t size[CHUNKS_MAX];
    size_t chunks; /* that exist */
    ArenaMark top; /* the next byte */
};

Arena *arena_new(void) { return mem_zalloc(sizeof(Arena)); }

void arena_free(Arena *arena) {
    if (!arena) return;
    for (size_t i = 0; i < arena->chunks; i++) mem_free(arena->memory[i]);
    mem_free(arena);
}

size_t arena_capacity(const Arena *arena) {
    size_t bytes = 0;
    for (size_t i = 0; i < arena->chunks; i++) bytes += arena->size[i];
    return bytes;
}

size_t arena_used(const Arena *arena) {
    size_t bytes = arena->top.used;
    for (size_t i = 0; i < arena->top.chunk; i++) bytes += arena->size[i];
    return bytes;
}

static void add_chunk(Arena *arena, size_t bytes) {
    CHECK(arena->chunks < CHUNKS_MAX, "arena of %zu bytes", arena_capacity(arena));
    size_t size = MAX(bytes, MAX((size_t)CHUNK_MIN, arena_capacity(arena) / 2));
    arena->memory[arena->chunks] = mem_alloc(size);
    arena->size[arena->chunks++] = size;
}

void *arena_alloc(Arena *arena, size_t bytes) {
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    ArenaMark *top = &arena->top;
    while (top->chunk < arena->chunks && arena->size[top->chunk] - top->used < bytes) {
        top->chunk++;
        top->used = 0;
    }
    if (top->chunk == arena->chunks) add_chunk(arena, bytes);
    void *memory = arena->memory[top->chunk] + top->used;
    top->used += bytes;
    return memory;
}

ArenaMark arena_mark(const Arena *arena) { return arena->top; }

void arena_release(Arena *arena, ArenaMark mark) { arena->top = mark; }

void arena_reset(Arena *arena) { arena->top = (ArenaMark){0, 0}; }
