/* buckets: when which gradients can be sent.
 *
 * The slab of gradients is cut into buckets of whole parameters, the last parameters
 * first: those are the ones that a backward pass finishes first.  A bucket may leave once
 * every parameter in it is final, and buckets leave in their order, so that all ranks
 * send the same ones in the same order.
 *
 *     buckets_begin(b);                                 before a backward pass
 *     buckets_touch(b, tensor);                         a node has written its gradient
 *     while ((bucket = buckets_next(b))) send(bucket);  those that are final now
 *     while ((bucket = buckets_rest(b))) send(bucket);  after the pass: what is left
 *
 * A parameter is final when it has been touched as often as in the passes before.  The
 * first pass only counts: all its buckets leave at the end, and so does, in any pass,
 * that of a parameter that no pass has touched yet, gains and frozen ones apart: no pass
 * touches them.  A pass may leave parameters out (layer drop: each rank its own), but
 * not touch one oftener than before; one that is touched after its bucket left is a
 * CHECK.
 *
 * Not for: sending (engine/dist/exchange.h). */
#ifndef STEADY_BUCKETS_H
#define STEADY_BUCKETS_H

#include "engine/core/params.h"

typedef struct Buckets Buckets;

typedef struct Bucket {
    size_t offset, size;  /* numbers [offset, offset + size) of the slab */
    Param *const *params; /* [count], in the slab's order */
    size_t count;
    size_t open; /* of them not final in this pass */
} Bucket;

/* `most`: numbers in a bucket, more only where one parameter alone has more.  Borrows
 * params, which are finished. */
Buckets *buckets_new(const ParamSet *params, size_t most);
void buckets_free(Buckets *buckets); /* NULL is fine */
size_t buckets_count(const Buckets *buckets);

void buckets_begin(Buckets *buckets);
void buckets_touch(Buckets *buckets, const Tensor *param);

/* The next bucket, which now counts as sent; NULL: not yet, or (rest) all have left. */
const Bucket *buckets_next(Buckets *buckets);
const Bucket *buckets_rest(Buckets *buckets);

#endif
