/* pool: counted buffers of numbers that are used again and again within a step.
 *
 * A buffer has as many owners as pool_share has given it, plus one; the last pool_release
 * puts it on a free list.  Nothing returns to the system before pool_free. */
#ifndef STEADY_POOL_H
#define STEADY_POOL_H

#include "engine/core/base.h"

typedef struct Pool Pool;

Pool *pool_new(void);
void pool_free(Pool *pool);
real *pool_take(Pool *pool, size_t count); /* one owner; contents not set */
void pool_share(real *buffer);
bool pool_is_shared(const real *buffer);
void pool_release(Pool *pool, real *buffer);
size_t pool_capacity(const Pool *pool); /* bytes taken from the system so far */

#endif
