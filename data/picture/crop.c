#include "data/picture/crop.h"

#include <math.h>

/* Where ten tries found no box: the largest centred one with an allowed ratio. */
static Box fallback_box(size_t height, size_t width) {
    double ratio = (double)width / (double)height;
    Box box = {0, 0, height, width};
    if (ratio < 3.0 / 4) box.height = (size_t)lround((double)box.width / (3.0 / 4));
    if (ratio > 4.0 / 3) box.width = (size_t)lround((double)box.height * (4.0 / 3));
    box.height = MAX(1, MIN(box.height, height));
    box.width = MAX(1, MIN(box.width, width));
    box.y = (height - box.height) / 2;
    box.x = (width - box.width) / 2;
    return box;
}

Box crop_random(size_t height, size_t width, double least, double most, RngCursor *dice) {
    double area = (double)height * (double)width;
    for (int attempt = 0; attempt < 10; attempt++) {
        double target = area * rng_next_between(dice, least, most);
        double ratio = exp(rng_next_between(dice, log(3.0 / 4), log(4.0 / 3)));
        Box box = {.height = (size_t)lround(sqrt(target / ratio)),
                   .width = (size_t)lround(sqrt(target * ratio))};
        if (!box.height || !box.width || box.height > height || box.width > width)
            continue;
        box.y = (size_t)(rng_next(dice) * (double)(height - box.height + 1));
        box.x = (size_t)(rng_next(dice) * (double)(width - box.width + 1));
        return box;
    }
    return fallback_box(height, width);
}
