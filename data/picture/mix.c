#include "data/picture/mix.h"

#include <math.h>
#include <string.h>

/* x = lambda x + (1 - lambda) partner.  Never inlined: a compiler that sees both pictures
 * of a pair rounds the sum of one in another order than that of the other, and which is
 * which depends on the number of ranks. */
__attribute__((noinline)) static void
blend(real *restrict x, const real *restrict partner, size_t n, real lambda) {
    for (size_t p = 0; p < n; p++) x[p] = lambda * x[p] + (1 - lambda) * partner[p];
}

static void blend_pair(real *a, real *b, size_t n, real lambda) {
    enum { CHUNK = 256 };
    for (size_t first = 0; first < n; first += CHUNK, a += CHUNK, b += CHUNK) {
        real kept[CHUNK];
        size_t count = MIN(n - first, CHUNK);
        memcpy(kept, a, count * sizeof *a);
        blend(a, b, count, lambda);
        blend(b, kept, count, lambda);
    }
}

static void swap_box(const Batch *batch, real *a, real *b, Box box) {
    for (size_t c = 0; c < batch->channels; c++)
        for (size_t y = box.y; y < box.y + box.height; y++)
            for (size_t x = box.x; x < box.x + box.width; x++) {
                size_t p = (c * batch->height + y) * batch->width + x;
                real kept = a[p];
                a[p] = b[p];
                b[p] = kept;
            }
}

/* One side of the box: around a uniform centre, cut at the edges. */
static void choose_side(size_t n, double ratio, size_t *first, size_t *length,
                        RngCursor *dice) {
    size_t half = (size_t)((double)n * ratio) / 2;
    size_t centre = (size_t)((double)n * rng_next(dice));
    *first = centre > half ? centre - half : 0;
    *length = MIN(centre + half, n) - *first;
}

/* Sides in the ratio sqrt(1 - lambda) to the picture's; lambda becomes the share that
 * stays. */
static Box choose_box(const Batch *batch, double *lambda, RngCursor *dice) {
    Box box;
    double ratio = sqrt(1 - *lambda);
    choose_side(batch->height, ratio, &box.y, &box.height, dice);
    choose_side(batch->width, ratio, &box.x, &box.width, dice);
    *lambda =
        1 - (double)(box.height * box.width) / (double)(batch->height * batch->width);
    return box;
}

Mix mix_draw(const Batch *batch, double mixup, double cutmix, RngCursor *dice) {
    bool cut = cutmix > 0 && (mixup <= 0 || rng_next(dice) < 0.5);
    double alpha = cut ? cutmix : mixup;
    Mix mix = {.cut = cut, .lambda = rng_next_beta(dice, alpha, alpha)};
    if (cut) mix.box = choose_box(batch, &mix.lambda, dice);
    return mix;
}

void mix_pair(const Mix *mix, const Batch *batch, real *a, real *b) {
    if (mix->cut) swap_box(batch, a, b, mix->box);
    else
        blend_pair(a, b, batch->channels * batch->height * batch->width,
                   (real)mix->lambda);
}
