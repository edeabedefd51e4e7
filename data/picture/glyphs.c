/* glyphs: a synthetic set of ten digit-like figures, so that everything runs without a
 * download.  Item i of a split is a function of (split, i); its label is i mod
 * classes.
 *
 * A figure is drawn as strokes with soft edges after a random affine map; contrast,
 * stroke width and background vary.  About as hard as MNIST. */
#include <math.h>
#include <string.h>

#include "data/picture/sources.h"
#include "engine/core/rng.h"

#define GLYPHS 10
#define STROKES_MAX 4
#define ARC_PARTS 14
#define SIDE_STANDARD 28
#define SIDE_MAX 1024

/* A line from (a, b) to (c, d), or (arc) an ellipse around (a, b) with radii c, d
 * between two angles in degrees; x to the right, y down, the figure about 1 high
 * around (0, 0). */
typedef struct Stroke {
    enum { NONE, LINE, ARC } kind;
    double a, b, c, d, from, to;
} Stroke;

static const Stroke glyphs[GLYPHS][STROKES_MAX] = {
    {{ARC, 0, 0, .31, .5, 0, 360}},
    {{LINE, -.17, -.3, .05, -.5, 0, 0}, {LINE, .05, -.5, .05, .5, 0, 0}},
    {{ARC, 0, -.22, .28, .28, 180, 400},
     {LINE, .215, -.04, -.3, .5, 0, 0},
     {LINE, -.3, .5, .32, .5, 0, 0}},
    {{ARC, -.02, -.25, .27, .25, 200, 450}, {ARC, -.02, .25, .3, .25, 270, 520}},
    {{LINE, .12, -.5, -.32, .15, 0, 0},
     {LINE, -.32, .15, .32, .15, 0, 0},
     {LINE, .12, -.5, .12, .5, 0, 0}},
    {{LINE, .25, -.5, -.22, -.5, 0, 0},
     {LINE, -.22, -.5, -.265, .0, 0, 0},
     {ARC, -.02, .18, .3, .31, 215, 500}},
    {{ARC, 0, .2, .28, .3, 0, 360}, {ARC, .22, .15, .5, .65, 180, 260}},
    {{LINE, -.3, -.5, .3, -.5, 0, 0}, {LINE, .3, -.5, -.08, .5, 0, 0}},
    {{ARC, 0, -.25, .24, .25, 0, 360}, {ARC, 0, .25, .3, .26, 0, 360}},
    {{ARC, 0, -.2, .28, .3, 0, 360}, {ARC, -.22, -.15, .5, .65, 0, 80}},
};

typedef struct Point {
    double x, y;
} Point;

/* How one item is drawn. */
typedef struct Pen {
    double xx, xy, yx, yy, x, y; /* figure to pixels */
    double radius;               /* half the stroke, in pixels */
    double ink, paper, noise;    /* grey levels */
} Pen;

typedef struct GlyphSet {
    Split split;
} GlyphSet;

static Pen choose_pen(RngCursor *dice, size_t side) {
    double unit = (double)side / SIDE_STANDARD;
    double turn = rng_next_between(dice, -15, 15) * 3.14159265358979 / 180;
    double wide = 20 * unit * rng_next_between(dice, 0.8, 1.2);
    double high = 20 * unit * rng_next_between(dice, 0.8, 1.2);
    double shear = rng_next_between(dice, -0.35, 0.35);
    Pen pen = {.xx = wide * cos(turn), .yx = wide * sin(turn)};
    pen.xy = high * (shear * cos(turn) - sin(turn));
    pen.yy = high * (shear * sin(turn) + cos(turn));
    pen.x = 0.5 * (double)side + unit * rng_next_between(dice, -3, 3);
    pen.y = 0.5 * (double)side + unit * rng_next_between(dice, -3, 3);
    pen.radius = unit * rng_next_between(dice, 0.8, 1.7);
    pen.paper = rng_next_between(dice, 0, 40);
    pen.ink = pen.paper + rng_next_between(dice, 100, 215);
    pen.noise = rng_next_between(dice, 0, 50);
    return pen;
}

static Point place(const Pen *pen, double x, double y) {
    return (Point){pen->xx * x + pen->xy * y + pen->x,
                   pen->yx * x + pen->yy * y + pen->y};
}

static double distance(Point p, Point a, Point b) {
    double x = b.x - a.x, y = b.y - a.y, square = x * x + y * y;
    double t = square > 0 ? ((p.x - a.x) * x + (p.y - a.y) * y) / square : 0;
    t = MAX(0, MIN(1, t));
    return hypot(a.x + t * x - p.x, a.y + t * y - p.y);
}

static size_t clamp_index(double x, size_t most) {
    return x <= 0 ? 0 : MIN((size_t)x, most);
}

/* Each pixel near the segment is covered by 1/2 + radius - distance, cut to [0, 1]. */
static void draw_segment(const Pen *pen, Point a, Point b, Image *image) {
    double reach = pen->radius + 1;
    size_t right = clamp_index(MAX(a.x, b.x) + reach + 1, image->width);
    size_t bottom = clamp_index(MAX(a.y, b.y) + reach + 1, image->height);
    for (size_t y = clamp_index(MIN(a.y, b.y) - reach, image->height); y < bottom; y++)
        for (size_t x = clamp_index(MIN(a.x, b.x) - reach, image->width); x < right;
             x++) {
            Point centre = {(double)x + 0.5, (double)y + 0.5};
            double cover = 0.5 + pen->radius - distance(centre, a, b);
            uint8_t level = (uint8_t)(255 * MAX(0, MIN(1, cover)) + 0.5);
            uint8_t *pixel = image->pixels + y * image->width + x;
            *pixel = MAX(*pixel, level);
        }
}

static void draw_stroke(const Pen *pen, const Stroke *stroke, Image *image) {
    if (stroke->kind == LINE) {
        draw_segment(pen, place(pen, stroke->a, stroke->b),
                     place(pen, stroke->c, stroke->d), image);
        return;
    }
    Point last = {0, 0};
    for (int part = 0; part <= ARC_PARTS; part++) {
        double angle = stroke->from + (stroke->to - stroke->from) * part / ARC_PARTS;
        angle *= 3.14159265358979 / 180;
        Point next = place(pen, stroke->a + stroke->c * cos(angle),
                           stroke->b + stroke->d * sin(angle));
        if (part) draw_segment(pen, last, next, image);
        last = next;
    }
}

/* Coverage becomes grey; the paper's grain is uniform in +-noise, four pixels a draw. */
static void develop(const Pen *pen, Rng grain, Image *image) {
    size_t area = image->height * image->width;
    uint32_t words[4] = {0};
    for (size_t p = 0; p < area; p++) {
        if (p % 4 == 0) rng_words(grain, p / 4, words);
        double noise = pen->noise * (2 * (words[p % 4] * 0x1p-32) - 1);
        double level =
            pen->paper + noise + (pen->ink - pen->paper) * image->pixels[p] / 255;
        image->pixels[p] = (uint8_t)(MAX(0, MIN(255, level)) + 0.5);
    }
}

static size_t glyphs_label(const Dataset *set, size_t i) { return i % set->classes; }

static Status glyphs_get(const Dataset *set, size_t i, Image *image, size_t *label,
                         Err *err) {
    (void)err;
    const GlyphSet *state = set->state;
    *label = i % set->classes;
    uint64_t purpose = RNG_SYNTHETIC + 2 * (uint64_t)state->split;
    RngCursor dice = {rng_make(0, purpose, i), 0};
    Pen pen = choose_pen(&dice, set->height);
    image_resize_buffer(image, set->height, set->width, 1);
    memset(image->pixels, 0, set->height * set->width);
    for (size_t k = 0; k < STROKES_MAX && glyphs[*label][k].kind != NONE; k++)
        draw_stroke(&pen, &glyphs[*label][k], image);
    develop(&pen, rng_make(0, purpose + 1, i), image);
    return OK;
}

static Status glyphs_open(const DataConfig *config, Split split, Dataset *set, Err *err) {
    size_t count = config->synthetic_count ? config->synthetic_count : 10000;
    if (config->classes > GLYPHS)
        return err_set(err, FAIL_USAGE, "data.classes is %zu: glyphs has at most %d",
                       config->classes, GLYPHS);
    if (config->image_size > SIDE_MAX || (config->image_size && config->image_size < 8))
        return err_set(err, FAIL_USAGE,
                       "data.image_size is %zu: for glyphs expected 8 to %d",
                       config->image_size, SIDE_MAX);
    GlyphSet *state = set->state = mem_zalloc(sizeof *state);
    state->split = split;
    set->free_state = mem_free;
    set->get = glyphs_get;
    set->label = glyphs_label;
    set->classes = config->classes ? config->classes : GLYPHS;
    set->count = split == SPLIT_TEST ? MAX(count / 5, 1) : count;
    set->channels = 1;
    set->height = set->width = config->image_size ? config->image_size : SIDE_STANDARD;
    return OK;
}

const PictureSource glyphs_source = {.open = glyphs_open};
