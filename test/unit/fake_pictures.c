#include "fake_pictures.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

void fake_nap(long milliseconds) {
    nanosleep(&(struct timespec){0, milliseconds * 1000000}, NULL);
}

static Status fake_get(const Dataset *set, size_t i, Image *image, size_t *label,
                       Err *err) {
    Fake *fake = set->state;
    atomic_fetch_add(&fake->reads, 1);
    while (atomic_load(&fake->closed)) fake_nap(1);
    if (fake->broken[i]) return err_set(err, FAIL_DATA, "item-%zu.png is broken", i);
    image_resize_buffer(image, SIDE, SIDE, 1);
    memset(image->pixels, (int)(10 * i), AREA);
    *label = i;
    return OK;
}

Dataset fake_set(Fake *fake) {
    return (Dataset){.source = "fake",
                     .count = ITEMS,
                     .classes = ITEMS,
                     .channels = 1,
                     .height = SIDE,
                     .width = SIDE,
                     .state = fake,
                     .get = fake_get};
}

LoaderConfig fake_config(size_t batch, bool training) {
    return (LoaderConfig){.data = data_config_default(),
                          .height = SIDE,
                          .width = SIDE,
                          .batch = batch,
                          .seed = 7,
                          .training = training};
}

Loader *fake_start(const Dataset *set, const LoaderConfig *config, size_t first) {
    Err err = ERR_NONE;
    Loader *loader = loader_start(set, config, first, &err);
    if (!loader) fail_msg("%s", err.text);
    return loader;
}

const Batch *fake_next(Loader *loader) {
    Err err = ERR_NONE;
    const Batch *batch = NULL;
    if (loader_next(loader, &batch, &err)) fail_msg("%s", err.text);
    return batch;
}

double fake_level(const Batch *batch, size_t slot) {
    return 10.0 * (double)batch->item[slot] / 255;
}

size_t fake_count_level(const Batch *batch, size_t slot, double wanted) {
    size_t count = 0;
    for (size_t p = 0; p < AREA; p++)
        count += fabs(batch->pixels[slot * AREA + p] - wanted) < 1e-6;
    return count;
}
