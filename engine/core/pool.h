/* pool: counted buffers that are used again and again within a step.
 *
 * A buffer has as many owners as pool_share has given it, plus one; the last pool_release
 * puts it on a free list.  Nothing returns to the system before pool_free. */
#ifndef STEADY_POOL_H
#define STEADY_POOL_H

#include "engine/core/base.h"

typedef struct Pool Pool;

Pool *pool_new(void);
void pool_free(Pool *pool);
void *pool_take(Pool *pool, size_t bytes); /* one owner; contents not set */
void pool_share(void *buffer);
bool pool_is_shared(const void *buffer);
void pool_release(Pool *pool, void *buffer);
size_t pool_capacity(const Pool *pool); /* bytes taken from the system so far */

#endif
