/* key_cache: keys and values that a decoder has made already, so that each new token
 * costs one row.  One for each attention of each block; rows are sequences. */
#ifndef STEADY_KEY_CACHE_H
#define STEADY_KEY_CACHE_H

#include "engine/op/op.h"

typedef struct KeyCache {
    real *keys, *values;     /* [rows, room, D] */
    size_t rows, room, used; /* tokens that fit, and that are there */
    size_t width;            /* D */
} KeyCache;

void key_cache_init(KeyCache *cache, size_t rows, size_t width);
void key_cache_release(KeyCache *cache);

/* Copies columns of k and v [rows, tokens, .] behind what is there. */
void key_cache_append(KeyCache *cache, Slice k, Slice v, size_t tokens);

/* Row i becomes what row from[i] was, for `rows` rows: beams that go on,
 * fall out or split. */
void key_cache_select(KeyCache *cache, const size_t *from, size_t rows);

#endif
