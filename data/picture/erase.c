/* Random erasing (Zhong et al. 2020), as timm's recipes use it: one box of noise. */
#include "data/picture/erase.h"

#include <math.h>

static void fill_box(real *pixels, size_t channels, size_t height, size_t width, Box box,
                     RngCursor *dice) {
    for (size_t c = 0; c < channels; c++)
        for (size_t y = box.y; y < box.y + box.height; y++)
            for (size_t x = box.x; x < box.x + box.width; x++)
                pixels[(c * height + y) * width + x] = (real)rng_next_normal(dice);
}

bool erase_choose(size_t height, size_t width, Box *box, RngCursor *dice) {
    double area = (double)height * (double)width;
    for (int attempt = 0; attempt < 10; attempt++) {
        double share = area * rng_next_between(dice, 0.02, 1.0 / 3);
        double aspect = exp(rng_next_between(dice, log(0.3), log(1 / 0.3)));
        box->height = (size_t)lround(sqrt(share * aspect));
        box->width = (size_t)lround(sqrt(share / aspect));
        if (box->height >= height || box->width >= width) continue;
        box->y = (size_t)(rng_next(dice) * (double)(height - box->height + 1));
        box->x = (size_t)(rng_next(dice) * (double)(width - box->width + 1));
        return true;
    }
    return false;
}

void erase_random(double probability, real *pixels, size_t channels, size_t height,
                  size_t width, RngCursor *dice) {
    Box box;
    if (rng_next(dice) >= probability) return;
    if (erase_choose(height, width, &box, dice))
        fill_box(pixels, channels, height, width, box, dice);
}
