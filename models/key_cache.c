#include "models/key_cache.h"

#include <string.h>

enum { ROOM_FIRST = 32 };

void key_cache_init(KeyCache *cache, size_t rows, size_t width) {
    *cache = (KeyCache){.rows = rows, .width = width};
}

void key_cache_release(KeyCache *cache) {
    mem_free(cache->keys);
    mem_free(cache->values);
    *cache = (KeyCache){0};
}

/* New memory for rows x room tokens, whose row i is row from[i] (NULL: i) of the old. */
static real *moved(const KeyCache *c, const real *old, const size_t *from, size_t rows,
                   size_t room) {
    real *now = mem_alloc(rows * room * c->width * sizeof(real));
    size_t used = c->used * c->width;
    for (size_t i = 0; i < rows && used; i++)
        memcpy(now + i * room * c->width, old + (from ? from[i] : i) * c->room * c->width,
               used * sizeof(real));
    return now;
}

static void move(KeyCache *c, const size_t *from, size_t rows, size_t room) {
    real *keys = moved(c, c->keys, from, rows, room);
    real *values = moved(c, c->values, from, rows, room);
    mem_free(c->keys);
    mem_free(c->values);
    c->keys = keys, c->values = values;
    c->rows = rows, c->room = room;
}

static void copy_slice(const KeyCache *c, real *to, Slice slice, size_t tokens) {
    size_t columns = tensor_last(slice.x);
    for (size_t r = 0; r < c->rows; r++)
        for (size_t t = 0; t < tokens; t++)
            memcpy(to + (r * c->room + c->used + t) * c->width,
                   slice.x->value + (r * tokens + t) * columns + slice.column,
                   c->width * sizeof(real));
}

void key_cache_append(KeyCache *c, Slice k, Slice v, size_t tokens) {
    CHECK(k.x->shape[0] == c->rows && k.x->shape[1] == tokens,
          "key_cache: %zu x %zu tokens for %zu rows", k.x->shape[0], k.x->shape[1],
          c->rows);
    if (c->used + tokens > c->room)
        move(c, NULL, c->rows,
             MAX(MAX(2 * c->room, (size_t)ROOM_FIRST), c->used + tokens));
    copy_slice(c, c->keys, k, tokens);
    copy_slice(c, c->values, v, tokens);
    c->used += tokens;
}

void key_cache_select(KeyCache *c, const size_t *from, size_t rows) {
    bool same = rows == c->rows;
    for (size_t i = 0; i < rows; i++) {
        CHECK(from[i] < c->rows, "key_cache: row %zu of %zu", from[i], c->rows);
        same = same && from[i] == i;
    }
    if (!same) move(c, from, rows, c->room);
}
