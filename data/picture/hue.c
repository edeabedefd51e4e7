/* Hue, by way of 8-bit HSV as Pillow's Convert.c has it: its rounding of hue,
 * saturation and value is a part of what recipes written for it do to a picture.  No
 * branch in a loop over pixels. */
#include <stdlib.h>

#include "data/picture/pixels.h"
#include "data/picture/planes.h"

/* Hue, saturation and value are 0 ... 255; six sectors make a circle. */
typedef struct Hsv {
    uint8_t hue[STRIP], saturation[STRIP], value[STRIP];
} Hsv;

/* The sector, 0-5 and a share, that the largest level lies in is what Pillow computes in
 * float, and the rest in double: its hue is one lower than the exact one in 0.3 % of all
 * colours.  A grey has saturation 0, and any hue will do. */
static void to_hsv(const Planes *p, Hsv *s) {
    for (size_t i = 0; i < p->count; i++) {
        int32_t r = p->red[i], g = p->green[i], b = p->blue[i];
        int32_t most = MAX(r, MAX(g, b)), range = most - MIN(r, MIN(g, b));
        int32_t first = r == most ? 0 : g == most ? 2 : 4;
        int32_t before = first == 0 ? b : first == 2 ? r : g;
        int32_t behind = first == 0 ? g : first == 2 ? b : r;
        float divisor = (float)MAX(range, 1);
        float up = (float)(most - before) / divisor;
        float down = (float)(most - behind) / divisor;
        float sector = (float)((double)first + (double)up - (double)down);
        double turn = (double)sector / 6 + 1;
        float share = (float)(turn - (turn >= 1 ? 1 : 0));
        s->hue[i] = (uint8_t)(int32_t)((double)share * 255);
        s->saturation[i] = (uint8_t)(int32_t)((float)(255 * range) / (float)MAX(most, 1));
        s->value[i] = (uint8_t)most;
    }
}

static int32_t clamp(int32_t x) { return MAX(0, MIN(255, x)); }

/* value (1 - saturation depth), all three as shares; never halfway between two levels,
 * since 255 * 255 is odd. */
static int32_t shade(int32_t value, int32_t saturation, int32_t depth) {
    return (2 * value * (65025 - saturation * depth) + 65025) / 130050;
}

/* Each level is the value in two sectors, the least in two, and between them in two. */
static void from_hsv(const Hsv *s, Planes *p) {
    for (size_t i = 0; i < p->count; i++) {
        int32_t x = 6 * s->hue[i], v = s->value[i], c = s->saturation[i];
        p->red[i] = (uint8_t)shade(v, c, clamp(510 - abs(x - 765)));
        p->green[i] = (uint8_t)shade(v, c, clamp(abs(x - 510) - 255));
        p->blue[i] = (uint8_t)shade(v, c, clamp(abs(x - 1020) - 255));
    }
}

void image_hue(Image *image, double turn) {
    if (image->channels < 3) return;
    unsigned steps = (unsigned)(int)(turn * 255);
    uint8_t *end = image->pixels + image->height * image->width * image->channels;
    Planes p;
    Hsv s;
    for (uint8_t *pixel = image->pixels; pixel < end;
         pixel += p.count * image->channels) {
        planes_load(&p, pixel, end, image->channels);
        to_hsv(&p, &s);
        for (size_t i = 0; i < p.count; i++) s.hue[i] = (uint8_t)(s.hue[i] + steps);
        from_hsv(&s, &p);
        planes_store(&p, pixel, image->channels);
    }
}
