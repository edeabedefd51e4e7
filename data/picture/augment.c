#include "data/picture/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/picture/erase.h"
#include "data/picture/formats.h"
#include "data/picture/pixels.h"
#include "data/picture/randaugment.h"
#include "data/picture/resize.h"

#define NUMBERS_MAX 3

enum { RESIZED_CROP, CROP, FLIP, JITTER, RAND_AUGMENT, ERASING, KINDS };

typedef struct Number {
    const char *name; /* NULL: there is none */
    double standard, low, high;
} Number;

static const struct {
    const char *name;
    Number number[NUMBERS_MAX];
} table[KINDS] = {
    [RESIZED_CROP] = {"random-resized-crop",
                      {{"min", 0.08, 0.001, 1}, {"max", 1, 0.001, 1}}},
    [CROP] = {"crop", {{"padding", 4, 0, 1000}}},
    [FLIP] = {"flip", {{0}}},
    [JITTER] = {"jitter", {{"b", 0.4, 0, 1}, {"c", 0.4, 0, 1}, {"s", 0.4, 0, 1}}},
    [RAND_AUGMENT] = {"rand-augment",
                      {{"m", 9, 0, 10}, {"sd", 0.5, 0, 10}, {"ops", 2, 1, 16}}},
    [ERASING] = {"erasing", {{"p", 0.25, 0, 1}}},
};

struct Augment {
    bool on[KINDS];
    double number[KINDS][NUMBERS_MAX];
    uint8_t fill[CHANNELS_MAX];
    Image spare;
    ResizeScratch scratch;
};

/* --- reading the list --------------------------------------------------------------- */

static Status fail_unknown(const char *word, Err *err) {
    char names[300] = "none";
    for (size_t k = 0; k < KINDS; k++) {
        strcat(names, ", ");
        strcat(names, table[k].name);
    }
    return err_set(err, FAIL_USAGE,
                   "data.augment has no \"%s\"; there are %s; for speech speed and "
                   "specaugment",
                   word, names);
}

/* "value" for the next number in order, or "name=value"; *place counts on. */
static Status read_number(Augment *augment, size_t kind, char *word, size_t *place,
                          Err *err) {
    char *equals = strchr(word, '='), *end;
    size_t k = *place;
    if (equals) {
        *equals = 0;
        for (k = 0; k < NUMBERS_MAX; k++)
            if (table[kind].number[k].name && !strcmp(table[kind].number[k].name, word))
                break;
    }
    if (k >= NUMBERS_MAX || !table[kind].number[k].name)
        return err_set(err, FAIL_USAGE,
                       equals ? "data.augment: %s has no number \"%s\""
                              : "data.augment: %s takes no number for \"%s\"",
                       table[kind].name, word);
    const Number *number = &table[kind].number[k];
    const char *text = equals ? equals + 1 : word;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= number->low && value <= number->high))
        return err_set(err, FAIL_USAGE,
                       "data.augment: %s: %s is \"%s\", %g to %g is expected",
                       table[kind].name, number->name, text, number->low, number->high);
    augment->number[kind][k] = value;
    *place = k + 1;
    return OK;
}

static Status read_entry(Augment *augment, char *entry, Err *err) {
    char *rest = NULL, *name = strtok_r(entry, ": \t", &rest);
    if (!name) return OK;
    size_t kind = 0, place = 0;
    while (kind < KINDS && strcmp(table[kind].name, name)) kind++;
    if (kind == KINDS) return fail_unknown(name, err);
    if (augment->on[kind])
        return err_set(err, FAIL_USAGE, "data.augment names %s twice", name);
    augment->on[kind] = true;
    Status status = OK;
    for (char *word; !status && (word = strtok_r(NULL, ": \t", &rest));)
        status = read_number(augment, kind, word, &place, err);
    return status;
}

static Status read_list(Augment *augment, const char *list, Err *err) {
    char text[sizeof((DataConfig *)0)->augment], *rest = NULL;
    if (strlen(list) >= sizeof text)
        return err_set(err, FAIL_USAGE, "data.augment is longer than %zu characters",
                       sizeof text);
    strcpy(text, list);
    Status status = OK;
    for (char *entry = strtok_r(text, ",", &rest); entry && !status;
         entry = strtok_r(NULL, ",", &rest))
        status = read_entry(augment, entry, err);
    const double *share = augment->number[RESIZED_CROP];
    if (!status && share[0] > share[1])
        status = err_set(err, FAIL_USAGE,
                         "data.augment: random-resized-crop: min %g is above "
                         "max %g",
                         share[0], share[1]);
    return status;
}

Augment *augment_parse(const char *list, Err *err) {
    Augment *augment = mem_zalloc(sizeof *augment);
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t k = 0; k < NUMBERS_MAX; k++)
            augment->number[kind][k] = table[kind].number[k].standard;
    memset(augment->fill, 128, sizeof augment->fill);
    if (!strcmp(list, "none") || !read_list(augment, list, err)) return augment;
    augment_free(augment);
    return NULL;
}

void augment_free(Augment *augment) {
    if (!augment) return;
    image_free(&augment->spare);
    resize_scratch_free(&augment->scratch);
    mem_free(augment);
}

void augment_set_fill(Augment *augment, const uint8_t fill[CHANNELS_MAX]) {
    memcpy(augment->fill, fill, sizeof augment->fill);
}

/* --- views -------------------------------------------------------------------------- */

static void cut_and_resize(Augment *augment, Image *image, Box box, size_t height,
                           size_t width) {
    if (box.height == image->height && box.width == image->width &&
        height == box.height && width == box.width)
        return;
    resize_box(image, box, &augment->spare, height, width, FILTER_BICUBIC,
               &augment->scratch);
    image_swap(image, &augment->spare);
}

/* Resizes, keeping the aspect, so that height x width is covered. */
static void cover(Augment *augment, Image *image, size_t height, size_t width) {
    double scale =
        MAX((double)height / (double)image->height, (double)width / (double)image->width);
    size_t tall = MAX(height, (size_t)lround(scale * (double)image->height));
    size_t wide = MAX(width, (size_t)lround(scale * (double)image->width));
    cut_and_resize(augment, image, (Box){0, 0, image->height, image->width}, tall, wide);
}

static void centre_crop(Augment *augment, Image *image, size_t height, size_t width) {
    if (image->height == height && image->width == width) return;
    image_window(image, &augment->spare, (ptrdiff_t)((image->height - height) / 2),
                 (ptrdiff_t)((image->width - width) / 2), height, width);
    image_swap(image, &augment->spare);
}

/* Where ten tries found no box: the largest centred one with an allowed ratio. */
static Box fallback_box(const Image *image) {
    double ratio = (double)image->width / (double)image->height;
    Box box = {0, 0, image->height, image->width};
    if (ratio < 3.0 / 4) box.height = (size_t)lround((double)box.width / (3.0 / 4));
    if (ratio > 4.0 / 3) box.width = (size_t)lround((double)box.height * (4.0 / 3));
    box.height = MAX(1, MIN(box.height, image->height));
    box.width = MAX(1, MIN(box.width, image->width));
    box.y = (image->height - box.height) / 2;
    box.x = (image->width - box.width) / 2;
    return box;
}

/* Inception's crop: area share uniform, log of the ratio uniform in ln 3/4 ... ln 4/3. */
static Box random_box(const Augment *augment, const Image *image, RngCursor *dice) {
    const double *share = augment->number[RESIZED_CROP];
    double area = (double)image->height * (double)image->width;
    for (int attempt = 0; attempt < 10; attempt++) {
        double target = area * rng_next_between(dice, share[0], share[1]);
        double ratio = exp(rng_next_between(dice, log(3.0 / 4), log(4.0 / 3)));
        Box box = {.height = (size_t)lround(sqrt(target / ratio)),
                   .width = (size_t)lround(sqrt(target * ratio))};
        if (!box.height || !box.width || box.height > image->height ||
            box.width > image->width)
            continue;
        box.y = (size_t)(rng_next(dice) * (double)(image->height - box.height + 1));
        box.x = (size_t)(rng_next(dice) * (double)(image->width - box.width + 1));
        return box;
    }
    return fallback_box(image);
}

static void padded_crop(Augment *augment, Image *image, RngCursor *dice) {
    ptrdiff_t padding = (ptrdiff_t)augment->number[CROP][0];
    double places = (double)(2 * padding + 1);
    ptrdiff_t top = (ptrdiff_t)(places * rng_next(dice)) - padding;
    ptrdiff_t left = (ptrdiff_t)(places * rng_next(dice)) - padding;
    image_window(image, &augment->spare, top, left, image->height, image->width);
    image_swap(image, &augment->spare);
}

/* Brightness, contrast and saturation by factors 1 +- the numbers, in random order. */
static void jitter(Augment *augment, Image *image, RngCursor *dice) {
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static void (*const change[3])(Image *, double) = {image_brighten, image_contrast,
                                                       image_saturate};
    const uint8_t *order = orders[(size_t)(6 * rng_next(dice))];
    for (size_t k = 0; k < 3; k++) {
        double most = augment->number[JITTER][order[k]];
        change[order[k]](image, rng_next_between(dice, 1 - most, 1 + most));
    }
}

static void apply_randaugment(Augment *augment, Image *image, RngCursor *dice) {
    const double *number = augment->number[RAND_AUGMENT];
    RandAugment rule = {number[0], number[1], (size_t)number[2], {0}};
    memcpy(rule.fill, augment->fill, sizeof rule.fill);
    randaugment(&rule, image, &augment->spare, dice);
}

void augment_train(Augment *augment, Image *image, size_t height, size_t width,
                   RngCursor *dice) {
    if (augment->on[RESIZED_CROP]) {
        cut_and_resize(augment, image, random_box(augment, image, dice), height, width);
    } else {
        cover(augment, image, height, width);
        centre_crop(augment, image, height, width);
    }
    if (augment->on[CROP]) padded_crop(augment, image, dice);
    if (augment->on[FLIP] && rng_next(dice) < 0.5) image_flip(image);
    if (augment->on[JITTER]) jitter(augment, image, dice);
    if (augment->on[RAND_AUGMENT]) apply_randaugment(augment, image, dice);
}

void augment_eval(Augment *augment, Image *image, size_t height, size_t width) {
    bool larger = image->height > height || image->width > width;
    double room = augment->on[RESIZED_CROP] && larger ? 0.875 : 1;
    cover(augment, image, (size_t)lround((double)height / room),
          (size_t)lround((double)width / room));
    centre_crop(augment, image, height, width);
}

void augment_erase(const Augment *augment, real *pixels, size_t channels, size_t height,
                   size_t width, RngCursor *dice) {
    if (augment->on[ERASING])
        erase_random(augment->number[ERASING][0], pixels, channels, height, width, dice);
}
