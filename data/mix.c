#include "data/mix.h"

#include <math.h>

#include "data/resize.h"

static size_t picture_size(const Batch *batch) {
    return batch->channels * batch->height * batch->width;
}

/* x = lambda x + (1 - lambda) partner, for both of a pair at once. */
static void blend_pair(real *a, real *b, size_t n, real lambda) {
    for (size_t p = 0; p < n; p++) {
        real x = a[p], y = b[p];
        a[p] = lambda * x + (1 - lambda) * y;
        b[p] = lambda * y + (1 - lambda) * x;
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

void mix_batch(Batch *batch, double mixup, double cutmix, RngCursor *dice) {
    for (size_t s = 0; s < batch->count; s++) {
        batch->mixed_label[s] = batch->label[s];
        batch->mix[s] = 1;
    }
    if (mixup <= 0 && cutmix <= 0) return;
    bool cut = cutmix > 0 && (mixup <= 0 || rng_next(dice) < 0.5);
    double alpha = cut ? cutmix : mixup, lambda = rng_next_beta(dice, alpha, alpha);
    Box box = {0};
    if (cut) box = choose_box(batch, &lambda, dice);
    size_t n = picture_size(batch);
    for (size_t s = 0; s < batch->count / 2; s++) {
        real *a = batch->pixels + s * n, *b = batch->pixels + (batch->count - 1 - s) * n;
        if (cut)
            swap_box(batch, a, b, box);
        else
            blend_pair(a, b, n, (real)lambda);
    }
    for (size_t s = 0; s < batch->count; s++) {
        batch->mixed_label[s] = batch->label[batch->count - 1 - s];
        batch->mix[s] = (real)lambda;
    }
}
