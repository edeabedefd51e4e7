#include "data/picture/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/picture/crop.h"
#include "data/picture/erase.h"
#include "data/picture/formats.h"
#include "data/picture/jitter.h"
#include "data/picture/pixels.h"
#include "data/picture/randaugment.h"
#include "data/picture/resize.h"

#define NUMBERS_MAX 5

enum { RESIZED_CROP, CROP, FLIP, JITTER, GREY, BLUR, RAND_AUGMENT, ERASING, KINDS };

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
    [JITTER] = {"jitter",
                {{"b", 0.4, 0, 1},
                 {"c", 0.4, 0, 1},
                 {"s", 0.4, 0, 1},
                 {"hue", 0, 0, 0.5},
                 {"p", 1, 0, 1}}},
    [GREY] = {"grey", {{"p", 0.2, 0, 1}}},
    [BLUR] = {"blur", {{"p", 0.5, 0, 1}, {"min", 0.1, 0.01, 100}, {"max", 2, 0.01, 100}}},
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
    if (!strcmp(word, "none"))
        return err_set(err, FAIL_USAGE,
                       "data.augment: none cannot be combined with others; leave it out");
    for (size_t k = 0; k < KINDS; k++) {
        strcat(names, ", ");
        strcat(names, table[k].name);
    }
    return err_set(err, FAIL_USAGE,
                   "data.augment: unknown \"%s\"; expected some of %s; for speech: "
                   "speed, specaugment",
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
                       "data.augment: %s: %s is \"%s\", expected %g to %g",
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

/* Where two numbers are ends of a range. */
static Status check_range(const Augment *augment, size_t kind, size_t min, Err *err) {
    const double *number = augment->number[kind] + min;
    if (number[0] <= number[1]) return OK;
    return err_set(err, FAIL_USAGE, "data.augment: %s: min %g is above max %g",
                   table[kind].name, number[0], number[1]);
}

static Status read_list(Augment *augment, const char *list, Err *err) {
    char text[sizeof((DataConfig *)0)->augment], *rest = NULL;
    if (strlen(list) >= sizeof text)
        return err_set(err, FAIL_USAGE, "data.augment has more than %zu characters",
                       sizeof text);
    strcpy(text, list);
    Status status = OK;
    for (char *entry = strtok_r(text, ",", &rest); entry && !status;
         entry = strtok_r(NULL, ",", &rest))
        status = read_entry(augment, entry, err);
    if (!status) status = check_range(augment, RESIZED_CROP, 0, err);
    if (!status) status = check_range(augment, BLUR, 1, err);
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

bool augment_colours(const char *list, char text[AUGMENT_COLOURS]) {
    static const struct {
        size_t kind, number;
        const char *name;
    } COLOURS[] = {{JITTER, 2, "jitter:s"}, {JITTER, 3, "jitter:hue"}, {GREY, 0, "grey"}};
    Augment *augment = augment_parse(list, NULL);
    *text = 0;
    for (size_t k = 0; augment && k < COUNT(COLOURS); k++) {
        size_t kind = COLOURS[k].kind;
        if (!augment->on[kind] || augment->number[kind][COLOURS[k].number] <= 0) continue;
        if (*text) strcat(text, ", ");
        strcat(text, COLOURS[k].name);
    }
    augment_free(augment);
    return *text;
}

void augment_free(Augment *augment) {
    if (!augment) return;
    image_free(&augment->spare);
    resize_scratch_free(&augment->scratch);
    mem_free(augment);
}

void augment_set_fill(Augment *augment, const double *mean, size_t count,
                      size_t channels) {
    for (size_t c = 0; c < channels; c++) {
        double level = 255 * MAX(0, MIN(1, mean[count > 1 ? c : 0]));
        augment->fill[c] = (uint8_t)lround(level);
    }
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

static void resized_crop(Augment *augment, Image *image, size_t height, size_t width,
                         RngCursor *dice) {
    const double *share = augment->number[RESIZED_CROP];
    Box box = crop_random(image->height, image->width, share[0], share[1], dice);
    cut_and_resize(augment, image, box, height, width);
}

static void padded_crop(Augment *augment, Image *image, RngCursor *dice) {
    ptrdiff_t padding = (ptrdiff_t)augment->number[CROP][0];
    double places = (double)(2 * padding + 1);
    ptrdiff_t top = (ptrdiff_t)(places * rng_next(dice)) - padding;
    ptrdiff_t left = (ptrdiff_t)(places * rng_next(dice)) - padding;
    image_window(image, &augment->spare, top, left, image->height, image->width);
    image_swap(image, &augment->spare);
}

static void jitter(const Augment *augment, Image *image, RngCursor *dice) {
    const double *number = augment->number[JITTER];
    JitterRule rule = {{number[0], number[1], number[2], number[3]}, number[4]};
    Jitter drawn = jitter_draw(&rule, dice);
    jitter_apply(&drawn, image);
}

static void blur(Augment *augment, Image *image, RngCursor *dice) {
    const double *number = augment->number[BLUR];
    if (rng_next(dice) >= number[0]) return;
    double sigma = rng_next_between(dice, number[1], number[2]);
    image_blur(image, blur_reach(image->height, image->width), sigma, &augment->spare);
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
        resized_crop(augment, image, height, width, dice);
    } else {
        cover(augment, image, height, width);
        centre_crop(augment, image, height, width);
    }
    if (augment->on[CROP]) padded_crop(augment, image, dice);
    if (augment->on[FLIP] && rng_next(dice) < 0.5) image_flip(image);
    if (augment->on[JITTER]) jitter(augment, image, dice);
    if (augment->on[GREY] && rng_next(dice) < augment->number[GREY][0])
        image_greyscale(image);
    if (augment->on[BLUR]) blur(augment, image, dice);
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
