#include <math.h>
#include <string.h>

#include "data/picture/pixels.h"

static ptrdiff_t clamp(ptrdiff_t i, size_t n) {
    return i < 0 ? 0 : i >= (ptrdiff_t)n ? (ptrdiff_t)n - 1 : i;
}

static double level(const Image *image, ptrdiff_t y, ptrdiff_t x, size_t c) {
    size_t row = (size_t)clamp(y, image->height), column = (size_t)clamp(x, image->width);
    return image->pixels[(row * image->width + column) * image->channels + c];
}

static double lerp(double a, double b, double t) { return a + (b - a) * t; }

static double sample_bilinear(const Image *image, double y, double x, size_t c) {
    ptrdiff_t row = (ptrdiff_t)floor(y), column = (ptrdiff_t)floor(x);
    double dx = x - (double)column;
    double upper =
        lerp(level(image, row, column, c), level(image, row, column + 1, c), dx);
    double lower =
        lerp(level(image, row + 1, column, c), level(image, row + 1, column + 1, c), dx);
    return lerp(upper, lower, y - (double)row);
}

/* Keys' cubic with a = -1 between b and c. */
static double cubic(double a, double b, double c, double d, double t) {
    return b + t * (c - a + t * (2 * (a - b) + c - d + t * (b - a - c + d)));
}

static double sample_bicubic(const Image *image, double y, double x, size_t c) {
    ptrdiff_t row = (ptrdiff_t)floor(y), column = (ptrdiff_t)floor(x);
    double dx = x - (double)column, line[4];
    for (int k = 0; k < 4; k++)
        line[k] = cubic(level(image, row + k - 1, column - 1, c),
                        level(image, row + k - 1, column, c),
                        level(image, row + k - 1, column + 1, c),
                        level(image, row + k - 1, column + 2, c), dx);
    return cubic(line[0], line[1], line[2], line[3], y - (double)row);
}

void image_affine(const Image *from, Image *to, const double m[6], bool bicubic,
                  const uint8_t fill[CHANNELS_MAX]) {
    image_resize_buffer(to, from->height, from->width, from->channels);
    double (*sample)(const Image *, double, double, size_t) =
        bicubic ? sample_bicubic : sample_bilinear;
    uint8_t *pixel = to->pixels;
    for (size_t j = 0; j < to->height; j++)
        for (size_t i = 0; i < to->width; i++, pixel += to->channels) {
            double u = (double)i + 0.5, v = (double)j + 0.5;
            double x = m[0] * u + m[1] * v + m[2], y = m[3] * u + m[4] * v + m[5];
            bool inside =
                x >= 0 && y >= 0 && x < (double)from->width && y < (double)from->height;
            for (size_t c = 0; c < to->channels; c++) {
                double value = inside ? sample(from, y - 0.5, x - 0.5, c) : fill[c];
                pixel[c] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
        }
}

void image_flip(Image *image) {
    size_t channels = image->channels;
    for (size_t y = 0; y < image->height; y++) {
        uint8_t *row = image->pixels + y * image->width * channels;
        for (size_t x = 0; x < image->width / 2; x++)
            for (size_t c = 0; c < channels; c++) {
                uint8_t *left = row + x * channels + c;
                uint8_t *right = row + (image->width - 1 - x) * channels + c;
                uint8_t kept = *left;
                *left = *right;
                *right = kept;
            }
    }
}

void image_window(const Image *from, Image *to, ptrdiff_t top, ptrdiff_t left,
                  size_t height, size_t width) {
    size_t channels = from->channels;
    image_resize_buffer(to, height, width, channels);
    memset(to->pixels, 0, height * width * channels);
    ptrdiff_t first = MAX(0, -left);
    ptrdiff_t last = MIN((ptrdiff_t)width, (ptrdiff_t)from->width - left);
    for (ptrdiff_t y = 0; y < (ptrdiff_t)height && first < last; y++) {
        if (y + top < 0 || y + top >= (ptrdiff_t)from->height) continue;
        size_t source = (size_t)(y + top) * from->width + (size_t)(first + left);
        memcpy(to->pixels + ((size_t)y * width + (size_t)first) * channels,
               from->pixels + source * channels, (size_t)(last - first) * channels);
    }
}
