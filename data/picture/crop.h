/* crop: the part of a picture that a random resized crop shows (Szegedy et al. 2015;
 * torchvision's RandomResizedCrop). */
#ifndef STEADY_CROP_H
#define STEADY_CROP_H

#include "data/picture/resize.h"
#include "engine/core/rng.h"

/* Area share uniform in least ... most, log of width / height uniform in ln 3/4 ...
 * ln 4/3, sides rounded; a box that does not fit is drawn again, ten times, and its place
 * is uniform.  Then the largest centred box with an allowed ratio. */
Box crop_random(size_t height, size_t width, double least, double most, RngCursor *dice);

#endif
