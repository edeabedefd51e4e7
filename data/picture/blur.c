/* Gaussian blur of a picture, the two axes one after the other. */
#include <math.h>
#include <string.h>

#include "data/picture/pixels.h"

enum { STRIP = 512, REACH_MAX = 64 };

size_t blur_reach(size_t height, size_t width) {
    size_t side = MIN(height, width), reach = MAX(side / 20, (size_t)1);
    return side > 1 ? MIN(reach, (size_t)REACH_MAX) : 0;
}

/* weight[|k|], k = -reach ... reach; their sum over all k is 1. */
static void fill_weights(float *weight, size_t reach, double sigma) {
    double sum = 0, share[REACH_MAX + 1];
    for (size_t k = 0; k <= reach; k++) {
        share[k] = exp(-0.5 * ((double)k / sigma) * ((double)k / sigma));
        sum += k ? 2 * share[k] : 1;
    }
    for (size_t k = 0; k <= reach; k++) weight[k] = (float)(share[k] / sum);
}

/* Those further out move no level by a hundredth. */
static size_t cut_reach(const float *weight, size_t reach) {
    while (reach && weight[reach] < 1e-5f) reach--;
    return reach;
}

/* ... 2 1 0 1 2 ... n-2 n-1 n-2 ..., for |i| < n. */
static size_t reflect(ptrdiff_t i, size_t n) {
    ptrdiff_t last = (ptrdiff_t)n - 1;
    return (size_t)(i < 0 ? -i : i > last ? 2 * last - i : i);
}

/* to[i] = the weighted sum of the rows around y, i < n. */
static void blur_down(const Image *from, size_t y, const float *weight, size_t reach,
                      float *to, size_t n) {
    const uint8_t *row = from->pixels + y * n;
    for (size_t i = 0; i < n; i++) to[i] = weight[0] * (float)row[i];
    for (size_t k = 1; k <= reach; k++) {
        const uint8_t *above =
            from->pixels + reflect((ptrdiff_t)y - (ptrdiff_t)k, from->height) * n;
        const uint8_t *below =
            from->pixels + reflect((ptrdiff_t)(y + k), from->height) * n;
        float w = weight[k];
        for (size_t i = 0; i < n; i++)
            to[i] += w * (float)((int32_t)above[i] + (int32_t)below[i]);
    }
}

/* The row's rim, so that blur_across need not ask where it is. */
static void reflect_rim(float *row, size_t width, size_t channels, size_t reach) {
    for (size_t k = 1; k <= reach; k++)
        for (size_t c = 0; c < channels; c++) {
            row[c - k * channels] = row[c + k * channels];
            row[(width - 1 + k) * channels + c] = row[(width - 1 - k) * channels + c];
        }
}

/* row has `reach` pixels more at both ends. */
static void blur_across(const float *row, const float *weight, size_t reach,
                        size_t channels, uint8_t *to, size_t n) {
    float sum[STRIP];
    for (size_t first = 0; first < n; first += STRIP) {
        size_t count = MIN((size_t)STRIP, n - first);
        const float *middle = row + first;
        for (size_t i = 0; i < count; i++) sum[i] = weight[0] * middle[i] + 0.5f;
        for (size_t k = 1; k <= reach; k++) {
            const float *left = middle - k * channels, *right = middle + k * channels;
            float w = weight[k];
            for (size_t i = 0; i < count; i++) sum[i] += w * (left[i] + right[i]);
        }
        for (size_t i = 0; i < count; i++)
            to[first + i] = (uint8_t)(sum[i] > 255 ? 255 : sum[i]);
    }
}

void image_blur(Image *image, size_t reach, double sigma, Image *spare) {
    CHECK(reach <= REACH_MAX && reach < MIN(image->height, image->width) && sigma > 0,
          "blur over %zu pixels with sigma %g of a picture %zu x %zu", reach, sigma,
          image->height, image->width);
    float weight[REACH_MAX + 1];
    fill_weights(weight, reach, sigma);
    reach = cut_reach(weight, reach);
    if (!reach) return;
    size_t channels = image->channels, n = image->width * channels,
           rim = reach * channels;
    image_resize_buffer(spare, image->height, image->width, channels);
    float *row = mem_array(n + 2 * rim, sizeof *row);
    for (size_t y = 0; y < image->height; y++) {
        blur_down(image, y, weight, reach, row + rim, n);
        reflect_rim(row + rim, image->width, channels, reach);
        blur_across(row + rim, weight, reach, channels, spare->pixels + y * n, n);
    }
    mem_free(row);
    image_swap(image, spare);
}
