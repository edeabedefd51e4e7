/* randaugment: timm's rand-m9-mstd0.5-inc1 (after Cubuk et al. 2020).
 *
 * `ops` operations are drawn with replacement from 15; each is applied with
 * probability 1/2 and magnitude m ~ N(magnitude, deviation) cut to [0, 10]:
 *
 *   autocontrast, equalize, invert        -
 *   rotate                                +-3m degrees
 *   posterize                             keep 4 - floor(0.4m) bits
 *   solarize                              threshold 256 - min(256, floor(25.6m))
 *   solarize-add                          min(128, floor(11m)) below 128
 *   colour, contrast, brightness, sharpness   factor max(0.1, 1 +- 0.09m)
 *   shear x, y                            +-0.03m
 *   translate x, y                        +-0.045m of the size
 *
 * Geometry is bilinear or bicubic by lot, with `fill` where the picture has no pixel. */
#ifndef STEADY_RANDAUGMENT_H
#define STEADY_RANDAUGMENT_H

#include "data/config.h"
#include "data/picture/image.h"
#include "engine/core/rng.h"

#define RANDAUGMENT_OPS 15

typedef struct RandAugment {
    double magnitude, deviation;
    size_t ops;
    uint8_t fill[CHANNELS_MAX];
} RandAugment;

/* In place; `spare` is scratch and may change places with the image. */
void randaugment(const RandAugment *rule, Image *image, Image *spare, RngCursor *dice);

/* One operation by its place in the table above, 0 ... 14, with magnitude m. */
void randaugment_apply(const RandAugment *rule, size_t op, double m, Image *image,
                       Image *spare, RngCursor *dice);

#endif
