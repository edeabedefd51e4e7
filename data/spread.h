/* spread: some of n items, from everywhere in their order: one of each of `sample` equal
 * stretches.
 *
 *     size_t item = spread_item(k, 64, set->count);        the k-th of 64
 *
 * Where in its stretch follows the golden ratio, whose multiples fill an interval evenly
 * and are never periodic: neither a source that is sorted by class nor one whose classes
 * take turns gives more of one of them.  The items rise; sample = count gives all. */
#ifndef STEADY_SPREAD_H
#define STEADY_SPREAD_H

#include "engine/core/base.h"

/* 0 <= k < sample <= count < 2^32. */
static inline size_t spread_item(size_t k, size_t sample, size_t count) {
    static const double GOLDEN = 0.6180339887498949; /* (sqrt 5 - 1) / 2 */
    size_t from = k * count / sample, to = (k + 1) * count / sample;
    double turns = (double)(k + 1) * GOLDEN;
    return from + (size_t)((turns - (double)(size_t)turns) * (double)(to - from));
}

#endif
