/* erase: random erasing of a normalised picture (Zhong et al. 2020, timm's numbers). */
#ifndef STEADY_ERASE_H
#define STEADY_ERASE_H

#include "data/picture/resize.h"
#include "engine/core/rng.h"

/* A box of 2 % to 1/3 of the picture, log-aspect uniform in +-ln(1/0.3); false: ten
 * tries did not fit. */
bool erase_choose(size_t height, size_t width, Box *box, RngCursor *dice);

/* With the given probability N(0, 1) noise replaces such a box of pixels [C, Y, X]. */
void erase_random(double probability, real *pixels, size_t channels, size_t height,
                  size_t width, RngCursor *dice);

#endif
