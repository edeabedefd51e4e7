/* fake_pictures: a set of flat pictures, some broken, and loaders of it, for tests. */
#ifndef TEST_FAKE_PICTURES_H
#define TEST_FAKE_PICTURES_H

#include <stdatomic.h>
#include <stddef.h>

#include "data/picture/loader.h"

enum { SIDE = 4, ITEMS = 23, AREA = SIDE * SIDE };

/* Item i is a flat picture of grey 10 i with label i; some are broken, or wait for a
 * gate. */
typedef struct Fake {
    bool broken[ITEMS];
    atomic_bool closed;
    atomic_size_t reads;
} Fake;

void fake_nap(long milliseconds);

Dataset fake_set(Fake *fake);

LoaderConfig fake_config(size_t batch, bool training);

Loader *fake_start(const Dataset *set, const LoaderConfig *config, size_t first);

const Batch *fake_next(Loader *loader);

double fake_level(const Batch *batch, size_t slot);

size_t fake_count_level(const Batch *batch, size_t slot, double wanted);

#endif
