#include "engine/core/pool.h"

/* Sits in the 64 bytes before the numbers. */
typedef struct Header {
    struct Header *next_free, *next_all;
    size_t capacity; /* numbers */
    size_t owners;
} Header;

enum { HEADER_BYTES = 64 };
_Static_assert(sizeof(Header) <= HEADER_BYTES, "header fits before an aligned buffer");

struct Pool {
    Header *free, *all;
    size_t bytes;
};

static Header *header_of(const real *buffer) {
    return (Header *)((char *)(uintptr_t)buffer - HEADER_BYTES);
}

static real *numbers_of(Header *header) {
    return (real *)((char *)header + HEADER_BYTES);
}

Pool *pool_new(void) { return mem_zalloc(sizeof(Pool)); }

void pool_free(Pool *pool) {
    if (!pool) return;
    while (pool->all) {
        Header *header = pool->all;
        pool->all = header->next_all;
        mem_free(header);
    }
    mem_free(pool);
}

static Header *new_buffer(Pool *pool, size_t count) {
    size_t bytes = HEADER_BYTES + count * sizeof(real);
    Header *header = mem_alloc(bytes);
    *header = (Header){NULL, pool->all, count, 0};
    pool->all = header;
    pool->bytes += bytes;
    return header;
}

/* The smallest free buffer that is large enough, and not more than twice too large. */
real *pool_take(Pool *pool, size_t count) {
    Header **best = NULL;
    for (Header **at = &pool->free; *at; at = &(*at)->next_free) {
        size_t capacity = (*at)->capacity;
        if (capacity < count || capacity > 2 * count) continue;
        if (!best || capacity < (*best)->capacity) best = at;
        if (capacity == count) break;
    }
    Header *header = best ? *best : new_buffer(pool, count);
    if (best) *best = header->next_free;
    header->owners = 1;
    return numbers_of(header);
}

void pool_share(real *buffer) { header_of(buffer)->owners++; }

bool pool_is_shared(const real *buffer) { return header_of(buffer)->owners > 1; }

void pool_release(Pool *pool, real *buffer) {
    Header *header = header_of(buffer);
    CHECK(header->owners > 0, "a buffer was released twice");
    if (--header->owners) return;
    header->next_free = pool->free;
    pool->free = header;
}

size_t pool_capacity(const Pool *pool) { return pool->bytes; }
