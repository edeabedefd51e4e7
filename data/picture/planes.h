/* planes: some pixels of a picture of three channels or more, a plane for each of the
 * first three, so that loops over them become vectors. */
#ifndef STEADY_PLANES_H
#define STEADY_PLANES_H

#include "data/picture/image.h"

enum { STRIP = 256 };

typedef struct Planes {
    size_t count; /* <= STRIP */
    uint8_t red[STRIP], green[STRIP], blue[STRIP];
} Planes;

static inline void planes_split(Planes *restrict p, const uint8_t *restrict pixel,
                                size_t channels) {
    for (size_t i = 0; i < p->count; i++) {
        p->red[i] = pixel[i * channels];
        p->green[i] = pixel[i * channels + 1];
        p->blue[i] = pixel[i * channels + 2];
    }
}

static inline void planes_merge(const Planes *restrict p, uint8_t *restrict pixel,
                                size_t channels) {
    for (size_t i = 0; i < p->count; i++) {
        pixel[i * channels] = p->red[i];
        pixel[i * channels + 1] = p->green[i];
        pixel[i * channels + 2] = p->blue[i];
    }
}

/* From `pixel` on, as many as are left before `end` and have room.  A stride that the
 * compiler knows becomes a few shuffles. */
static inline void planes_load(Planes *p, const uint8_t *pixel, const uint8_t *end,
                               size_t channels) {
    p->count = MIN((size_t)STRIP, (size_t)(end - pixel) / channels);
    if (channels == 3) planes_split(p, pixel, 3);
    else planes_split(p, pixel, channels);
}

static inline void planes_store(const Planes *p, uint8_t *pixel, size_t channels) {
    if (channels == 3) planes_merge(p, pixel, 3);
    else planes_merge(p, pixel, channels);
}

/* ITU-R 601 luma as Pillow rounds it; equal levels give themselves. */
static inline uint8_t luma(uint8_t red, uint8_t green, uint8_t blue) {
    return (uint8_t)((19595u * red + 38470u * green + 7471u * blue + 0x8000u) >> 16);
}

#endif
