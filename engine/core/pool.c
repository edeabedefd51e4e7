#include "engine/core/pool.h"

/* Sits in the 64 bytes before the buffer. */
typedef struct Header {
    struct Header *next_free, *next_all;
    size_t capacity; /* bytes */
    size_t owners;
} Header;

enum { HEADER_BYTES = 64 };
_Static_assert(sizeof(Header) <= HEADER_BYTES, "header fits before an aligned buffer");

struct Pool {
    Header *free, *all;
    size_t bytes;
};

static Header *header_of(const void *buffer) {
    return (Header *)((char *)(uintptr_t)buffer - HEADER_BYTES);
}

static void *buffer_of(Header *header) { return (char *)header + HEADER_BYTES; }

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

static Header *new_buffer(Pool *pool, size_t capacity) {
    Header *header = mem_alloc(HEADER_BYTES + capacity);
    *header = (Header){NULL, pool->all, capacity, 0};
    pool->all = header;
    pool->bytes += HEADER_BYTES + capacity;
    return header;
}

/* The smallest free buffer that is large enough, and not more than twice too large. */
void *pool_take(Pool *pool, size_t bytes) {
    Header **best = NULL;
    for (Header **at = &pool->free; *at; at = &(*at)->next_free) {
        size_t capacity = (*at)->capacity;
        if (capacity < bytes || capacity > 2 * bytes) continue;
        if (!best || capacity < (*best)->capacity) best = at;
        if (capacity == bytes) break;
    }
    Header *header = best ? *best : new_buffer(pool, bytes);
    if (best) *best = header->next_free;
    header->owners = 1;
    return buffer_of(header);
}

void pool_share(void *buffer) { header_of(buffer)->owners++; }

bool pool_is_shared(const void *buffer) { return header_of(buffer)->owners > 1; }

void pool_release(Pool *pool, void *buffer) {
    Header *header = header_of(buffer);
    CHECK(header->owners > 0, "a buffer was released twice");
    if (--header->owners) return;
    header->next_free = pool->free;
    pool->free = header;
}

size_t pool_capacity(const Pool *pool) { return pool->bytes; }
