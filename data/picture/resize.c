#include "data/picture/resize.h"

#include <math.h>
#include <string.h>

#define BITS 22 /* of a weight; leaves 2 bits of head room over 8-bit pixels in 32 */

/* Weights of one axis: output i is the sum over k < count[i] of weight[i * widest + k]
 * times input first[i] + k. */
typedef struct Taps {
    size_t widest;
    size_t *first, *count;
    double *share; /* [widest] of one output, before they are rounded */
    int32_t *weight;
} Taps;

static double bilinear(double x) { return MAX(0, 1 - fabs(x)); }

/* Keys (1981) with a = -0.5. */
static double bicubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

static const struct {
    double (*weight)(double x);
    double support;
} filters[] = {[FILTER_BILINEAR] = {bilinear, 1}, [FILTER_BICUBIC] = {bicubic, 2}};

/* Room for the taps of `out` pixels, grown where needed. */
static Taps place_taps(ResizeScratch *scratch, size_t out, size_t widest) {
    size_t bytes =
        out * (2 * sizeof(size_t) + widest * sizeof(int32_t)) + widest * sizeof(double);
    if (bytes > scratch->taps_bytes) {
        MEM_DROP(scratch->taps);
        scratch->taps = mem_alloc(bytes);
        scratch->taps_bytes = bytes;
    }
    size_t *first = scratch->taps;
    double *share = (double *)(first + 2 * out);
    return (Taps){widest, first, first + out, share, (int32_t *)(share + widest)};
}

/* Weights of one output pixel, normalised in double and then rounded to BITS. */
static void fill_taps(const Taps *taps, size_t i, double centre, double stretch,
                      size_t in, Filter filter) {
    double reach = filters[filter].support * stretch;
    double low = centre - reach + 0.5, high = centre + reach + 0.5;
    size_t first = low > 0 ? (size_t)low : 0;
    size_t count = MIN((size_t)high, in) - first;
    double sum = 0;
    for (size_t k = 0; k < count; k++) {
        double x = ((double)(first + k) - centre + 0.5) * (1 / stretch);
        sum += taps->share[k] = filters[filter].weight(x);
    }
    for (size_t k = 0; k < count; k++) {
        double weight = taps->share[k] * (sum != 0 ? 1 / sum : 1) * (1 << BITS);
        taps->weight[i * taps->widest + k] =
            (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    taps->first[i] = first;
    taps->count[i] = count;
}

static Taps make_taps(ResizeScratch *scratch, size_t in, size_t out, Filter filter) {
    double scale = (double)in / (double)out, stretch = MAX(scale, 1);
    size_t widest = (size_t)ceil(filters[filter].support * stretch) * 2 + 1;
    Taps taps = place_taps(scratch, out, widest);
    for (size_t i = 0; i < out; i++)
        fill_taps(&taps, i, ((double)i + 0.5) * scale, stretch, in, filter);
    return taps;
}

static uint8_t round_sum(int32_t sum) {
    int32_t level = sum >> BITS;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

/* to: one row of n bytes, the weighted sum of rows that lie `stride` bytes apart. */
static void blend_rows(const int32_t *weight, size_t count, const uint8_t *from,
                       size_t stride, uint8_t *to, size_t n) {
    enum { STRIP = 256 };
    for (size_t start = 0; start < n; start += STRIP) {
        int32_t sum[STRIP];
        size_t wide = MIN((size_t)STRIP, n - start);
        for (size_t x = 0; x < wide; x++) sum[x] = 1 << (BITS - 1);
        for (size_t k = 0; k < count; k++)
            for (size_t x = 0; x < wide; x++)
                sum[x] += from[k * stride + start + x] * weight[k];
        for (size_t x = 0; x < wide; x++) to[start + x] = round_sum(sum[x]);
    }
}

/* Rows of `from`, `stride` bytes apart, become columns of `to`, and columns rows: in
 * squares, so that what is read and what is written stay in the nearest cache. */
static inline void turn_pixels(const uint8_t *restrict from, size_t stride, size_t rows,
                               size_t columns, uint8_t *restrict to, size_t channels) {
    enum { SIDE = 16 };
    for (size_t top = 0; top < rows; top += SIDE)
        for (size_t left = 0; left < columns; left += SIDE)
            for (size_t x = left; x < MIN(left + SIDE, columns); x++)
                for (size_t y = top; y < MIN(top + SIDE, rows); y++)
                    for (size_t c = 0; c < channels; c++)
                        to[(x * rows + y) * channels + c] =
                            from[y * stride + x * channels + c];
}

static void turn(const uint8_t *from, size_t stride, size_t rows, size_t columns,
                 uint8_t *to, size_t channels) {
    if (channels == 3) turn_pixels(from, stride, rows, columns, to, 3);
    else turn_pixels(from, stride, rows, columns, to, channels);
}

/* to = `height` weighted sums of the rows of `from`. */
static void resize_down(const Image *from, Image *to, size_t height, Filter filter,
                        ResizeScratch *scratch) {
    size_t stride = from->width * from->channels;
    Taps taps = make_taps(scratch, from->height, height, filter);
    image_resize_buffer(to, height, from->width, from->channels);
    for (size_t y = 0; y < height; y++)
        blend_rows(taps.weight + y * taps.widest, taps.count[y],
                   from->pixels + taps.first[y] * stride, stride, to->pixels + y * stride,
                   stride);
}

/* middle = the box with its rows resized to `width`: turned, so that sums are of rows
 * here, too. */
static void resize_across(const Image *from, Box box, Image *middle, size_t width,
                          Filter filter, ResizeScratch *scratch) {
    size_t channels = from->channels, stride = from->width * channels;
    const uint8_t *corner = from->pixels + box.y * stride + box.x * channels;
    image_resize_buffer(middle, box.height, width, channels);
    if (width == box.width) {
        for (size_t y = 0; y < box.height; y++)
            memcpy(middle->pixels + y * width * channels, corner + y * stride,
                   width * channels);
        return;
    }
    Image *turned = &scratch->turned, *narrow = &scratch->narrow;
    image_resize_buffer(turned, box.width, box.height, channels);
    turn(corner, stride, box.height, box.width, turned->pixels, channels);
    resize_down(turned, narrow, width, filter, scratch);
    turn(narrow->pixels, box.height * channels, width, box.height, middle->pixels,
         channels);
}

void resize_box(const Image *from, Box box, Image *to, size_t height, size_t width,
                Filter filter, ResizeScratch *scratch) {
    CHECK(box.height && box.width && box.y + box.height <= from->height &&
              box.x + box.width <= from->width && height && width,
          "box %zu x %zu at %zu, %zu of a picture %zu x %zu", box.height, box.width,
          box.y, box.x, from->height, from->width);
    if (height == box.height) {
        resize_across(from, box, to, width, filter, scratch);
        return;
    }
    resize_across(from, box, &scratch->middle, width, filter, scratch);
    resize_down(&scratch->middle, to, height, filter, scratch);
}

void resize_scratch_free(ResizeScratch *scratch) {
    image_free(&scratch->turned);
    image_free(&scratch->narrow);
    image_free(&scratch->middle);
    mem_free(scratch->taps);
    *scratch = (ResizeScratch){0};
}

void image_resize(const Image *from, Image *to, size_t height, size_t width) {
    ResizeScratch scratch = {0};
    resize_box(from, (Box){0, 0, from->height, from->width}, to, height, width,
               FILTER_BICUBIC, &scratch);
    resize_scratch_free(&scratch);
}
