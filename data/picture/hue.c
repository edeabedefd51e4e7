/* Hue, by way of 8-bit HSV as Pillow's Convert.c has it: its rounding of hue,
 * saturation and value is a part of what recipes written for it do to a picture.  No
 * branch in a loop over pixels. */
#include <stdlib.h>

#include "data/picture/pixels.h"

enum { STRIP = 256 };

/* Pixels in planes; hue, saturation, value are 0 ... 255, six sectors make a circle. */
typedef struct Strip {
    int32_t red[STRIP], green[STRIP], blue[STRIP];
    int32_t hue[STRIP], saturation[STRIP], value[STRIP];
} Strip;

static void load(Strip *s, const uint8_t *pixel, size_t n, size_t channels) {
    for (size_t i = 0; i < n; i++) {
        s->red[i] = pixel[i * channels];
        s->green[i] = pixel[i * channels + 1];
        s->blue[i] = pixel[i * channels + 2];
    }
}

static void store(const Strip *s, uint8_t *pixel, size_t n, size_t channels) {
    for (size_t i = 0; i < n; i++) {
        pixel[i * channels] = (uint8_t)s->red[i];
        pixel[i * channels + 1] = (uint8_t)s->green[i];
        pixel[i * channels + 2] = (uint8_t)s->blue[i];
    }
}

/* The sector, 0-5 and a share, that the largest level lies in is what Pillow computes in
 * float, and the rest in double: its hue is one lower than the exact one in 0.3 % of all
 * colours.  A grey has saturation 0, and any hue will do. */
static void to_hsv(Strip *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int32_t r = s->red[i], g = s->green[i], b = s->blue[i];
        int32_t most = MAX(r, MAX(g, b)), range = most - MIN(r, MIN(g, b));
        bool is_red = r == most, is_green = g == most;
        int32_t before = is_red ? b : is_green ? r : g;
        int32_t behind = is_red ? g : is_green ? b : r;
        double first = is_red ? 0 : is_green ? 2 : 4;
        float divisor = (float)MAX(range, 1);
        float up = (float)(most - before) / divisor,
              down = (float)(most - behind) / divisor;
        float sector = (float)(first + (double)up - (double)down);
        double turn = (double)sector / 6 + 1;
        float share = (float)(turn >= 1 ? turn - 1 : turn);
        s->hue[i] = (int32_t)((double)share * 255);
        s->saturation[i] = 255 * range / MAX(most, 1);
        s->value[i] = most;
    }
}

static int32_t clamp(int32_t x) { return MAX(0, MIN(255, x)); }

/* value (1 - saturation depth), all three as shares; never halfway between two levels,
 * since 255 * 255 is odd. */
static int32_t shade(int32_t value, int32_t saturation, int32_t depth) {
    return (2 * value * (65025 - saturation * depth) + 65025) / 130050;
}

/* Each level is the value in two sectors, the least in two, and between them in two. */
static void from_hsv(Strip *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int32_t x = 6 * s->hue[i], v = s->value[i], c = s->saturation[i];
        s->red[i] = shade(v, c, clamp(510 - abs(x - 765)));
        s->green[i] = shade(v, c, clamp(abs(x - 510) - 255));
        s->blue[i] = shade(v, c, clamp(abs(x - 1020) - 255));
    }
}

void image_hue(Image *image, double turn) {
    if (image->channels < 3) return;
    size_t pixels = image->height * image->width, channels = image->channels;
    int32_t steps = (int32_t)(turn * 255);
    Strip s;
    for (size_t first = 0; first < pixels; first += STRIP) {
        uint8_t *pixel = image->pixels + first * channels;
        size_t n = MIN((size_t)STRIP, pixels - first);
        load(&s, pixel, n, channels);
        to_hsv(&s, n);
        for (size_t i = 0; i < n; i++) s.hue[i] = (s.hue[i] + steps) & 255;
        from_hsv(&s, n);
        store(&s, pixel, n, channels);
    }
}
