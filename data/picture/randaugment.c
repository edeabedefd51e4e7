#include "data/picture/randaugment.h"

#include <math.h>

#include "data/picture/pixels.h"

typedef struct Job {
    Image *image, *spare;
    const uint8_t *fill;
    double m; /* magnitude, 0 ... 10 */
    RngCursor *dice;
} Job;

static double random_sign(const Job *job, double value) {
    return rng_next(job->dice) < 0.5 ? -value : value;
}

static void warp(const Job *job, const double matrix[6]) {
    image_affine(job->image, job->spare, matrix, rng_next(job->dice) < 0.5, job->fill);
    image_swap(job->image, job->spare);
}

static void autocontrast(const Job *job) { image_autocontrast(job->image); }

static void equalize(const Job *job) { image_equalize(job->image); }

static void invert(const Job *job) { image_invert(job->image); }

/* About the centre: x' = R (x - c) + c. */
static void rotate(const Job *job) {
    double angle = random_sign(job, 3 * job->m) * 3.14159265358979 / 180;
    double x = 0.5 * (double)job->image->width, y = 0.5 * (double)job->image->height;
    double c = cos(angle), s = sin(angle);
    warp(job, (double[6]){c, s, x - c * x - s * y, -s, c, y + s * x - c * y});
}

static void posterize(const Job *job) {
    image_posterize(job->image, 4 - (int)(0.4 * job->m));
}

static void solarize(const Job *job) {
    image_solarize(job->image, 256 - MIN(256, (int)(25.6 * job->m)));
}

static void solarize_add(const Job *job) {
    image_solarize_add(job->image, MIN(128, (int)(11 * job->m)));
}

static double draw_factor(const Job *job) {
    return MAX(0.1, 1 + random_sign(job, 0.09 * job->m));
}

static void colour(const Job *job) { image_saturate(job->image, draw_factor(job)); }

static void contrast(const Job *job) { image_contrast(job->image, draw_factor(job)); }

static void brightness(const Job *job) { image_brighten(job->image, draw_factor(job)); }

static void sharpness(const Job *job) {
    image_sharpen(job->image, draw_factor(job), job->spare);
}

static void shear_x(const Job *job) {
    warp(job, (double[6]){1, random_sign(job, 0.03 * job->m), 0, 0, 1, 0});
}

static void shear_y(const Job *job) {
    warp(job, (double[6]){1, 0, 0, random_sign(job, 0.03 * job->m), 1, 0});
}

static void translate_x(const Job *job) {
    double shift = random_sign(job, 0.045 * job->m) * (double)job->image->width;
    warp(job, (double[6]){1, 0, shift, 0, 1, 0});
}

static void translate_y(const Job *job) {
    double shift = random_sign(job, 0.045 * job->m) * (double)job->image->height;
    warp(job, (double[6]){1, 0, 0, 0, 1, shift});
}

static void (*const operations[RANDAUGMENT_OPS])(const Job *) = {
    autocontrast, equalize,     invert,  rotate,      posterize,
    solarize,     solarize_add, colour,  contrast,    brightness,
    sharpness,    shear_x,      shear_y, translate_x, translate_y,
};

void randaugment_apply(const RandAugment *rule, size_t op, double m, Image *image,
                       Image *spare, RngCursor *dice) {
    CHECK(op < RANDAUGMENT_OPS && m >= 0 && m <= 10, "operation %zu with magnitude %g",
          op, m);
    operations[op](&(Job){image, spare, rule->fill, m, dice});
}

void randaugment(const RandAugment *rule, Image *image, Image *spare, RngCursor *dice) {
    for (size_t k = 0; k < rule->ops; k++) {
        size_t op = (size_t)(RANDAUGMENT_OPS * rng_next(dice));
        double m = rule->magnitude + rule->deviation * rng_next_normal(dice);
        bool applied = rng_next(dice) < 0.5;
        if (applied) randaugment_apply(rule, op, MAX(0, MIN(10, m)), image, spare, dice);
    }
}
