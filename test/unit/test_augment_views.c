/* The changes of SimCLR's views: against torchvision (test/golden/make_augment.py), and
 * how their random numbers fall. */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/picture/augment.h"
#include "data/picture/crop.h"
#include "data/picture/jitter.h"
#include "data/picture/pixels.h"

static RngCursor dice_of(uint64_t seed) {
    return (RngCursor){rng_make(seed, RNG_AUGMENT, 1), 0};
}

static unsigned level_of(const char *kind, unsigned y, unsigned x, unsigned c) {
    unsigned n = 131 * y + 71 * x + 29 * c + 7;
    if (!strcmp(kind, "gradient")) return 7 * y + 11 * x + 60 * c;
    if (!strcmp(kind, "noise")) return (n * n * 40503) >> 7;
    return (x / 3 + y / 4 + c) % 2 ? 255 : 20 * c;
}

static Image picture(const char *kind, size_t height, size_t width, size_t channels) {
    Image image = {0};
    image_resize_buffer(&image, height, width, channels);
    for (size_t p = 0; p < height * width * channels; p++) {
        size_t place = p / channels;
        image.pixels[p] =
            (uint8_t)level_of(kind, (unsigned)(place / width), (unsigned)(place % width),
                              (unsigned)(p % channels));
    }
    return image;
}

/* ---- against torchvision ---- */

typedef struct Case {
    const char *name;
    double number[8];
    Image *image, spare;
    ResizeScratch scratch;
} Case;

static void brightness(Case *c) { image_brighten(c->image, c->number[0]); }
static void contrast(Case *c) { image_contrast(c->image, c->number[0]); }
static void saturation(Case *c) { image_saturate(c->image, c->number[0]); }
static void hue(Case *c) { image_hue(c->image, c->number[0]); }
static void grey(Case *c) { image_greyscale(c->image); }
static void flip(Case *c) { image_flip(c->image); }

static void blur(Case *c) {
    image_blur(c->image, (size_t)c->number[0], c->number[1], &c->spare);
}

static void resized_crop(Case *c) {
    const double *n = c->number;
    Box box = {(size_t)n[0], (size_t)n[1], (size_t)n[2], (size_t)n[3]};
    resize_box(c->image, box, &c->spare, (size_t)n[4], (size_t)n[5], FILTER_BICUBIC,
               &c->scratch);
    image_swap(c->image, &c->spare);
}

static void jitter(Case *c) {
    Jitter drawn = {.count = JITTER_CHANGES};
    for (size_t k = 0; k < JITTER_CHANGES; k++) {
        drawn.order[k] = (uint8_t)c->number[k];
        drawn.factor[k] = c->number[JITTER_CHANGES + k];
    }
    jitter_apply(&drawn, c->image);
}

/* slack: levels.  torchvision sums a blur over both axes at once: a sum halfway
 * between two levels may go to either. */
static const struct {
    const char *name;
    void (*apply)(Case *);
    int slack;
} OPERATIONS[] = {
    {"brightness", brightness, 0},
    {"contrast", contrast, 0},
    {"saturation", saturation, 0},
    {"hue", hue, 0},
    {"grey", grey, 0},
    {"flip", flip, 0},
    {"resized-crop", resized_crop, 0},
    {"jitter", jitter, 0},
    {"blur", blur, 1},
};

static size_t operation_of(const char *name) {
    size_t k = 0;
    while (k < COUNT(OPERATIONS) && strcmp(OPERATIONS[k].name, name)) k++;
    assert_true(k < COUNT(OPERATIONS));
    return k;
}

static int hex(char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; }

/* Levels that differ; fails where one differs by more than `slack`. */
static size_t compare(const Image *image, const char *levels, int slack,
                      const char *name) {
    size_t n = image->height * image->width * image->channels, other = 0;
    assert_int_equal(strlen(levels), 2 * n);
    for (size_t p = 0; p < n; p++) {
        int wanted = 16 * hex(levels[2 * p]) + hex(levels[2 * p + 1]);
        if (abs(image->pixels[p] - wanted) > slack)
            fail_msg("%s: level %zu is %d, wanted %d", name, p, image->pixels[p], wanted);
        other += image->pixels[p] != wanted;
    }
    return other;
}

static void every_change_is_torchvisions(void **state) {
    (void)state;
    json_t *golden = json_load_file("test/golden/augment.json", 0, NULL), *row, *number;
    size_t i, k, other = 0;
    assert_non_null(golden);
    json_array_foreach(golden, i, row) {
        const char *kind, *name, *levels;
        int height, width;
        json_t *numbers;
        assert_int_equal(json_unpack(row, "{s:s, s:i, s:i, s:s, s:o, s:s}", "picture",
                                     &kind, "height", &height, "width", &width, "name",
                                     &name, "numbers", &numbers, "levels", &levels),
                         0);
        Image image = picture(kind, (size_t)height, (size_t)width, 3);
        Case c = {.name = name, .image = &image};
        json_array_foreach(numbers, k, number) c.number[k] = json_number_value(number);
        size_t operation = operation_of(name);
        OPERATIONS[operation].apply(&c);
        other += compare(&image, levels, OPERATIONS[operation].slack, name);
        image_free(&image);
        image_free(&c.spare);
        resize_scratch_free(&c.scratch);
    }
    assert_true(i > 70 && other <= 2);
    json_decref(golden);
}

/* ---- properties ---- */

static bool same(const Image *a, const Image *b) {
    return a->height == b->height && a->width == b->width &&
           !memcmp(a->pixels, b->pixels, a->height * a->width * a->channels);
}

static void a_flat_picture_stays_flat_when_blurred(void **state) {
    (void)state;
    for (size_t side = 2; side < 300; side += 37)
        for (double sigma = 0.05; sigma < 60; sigma *= 3) {
            Image image = {0}, spare = {0};
            image_resize_buffer(&image, side, side + 5, 3);
            memset(image.pixels, 201, side * (side + 5) * 3);
            image_blur(&image, blur_reach(side, side + 5), sigma, &spare);
            for (size_t p = 0; p < side * (side + 5) * 3; p++)
                assert_int_equal(image.pixels[p], 201);
            image_free(&image);
            image_free(&spare);
        }
}

static void a_blur_reaches_a_twentieth_of_the_side(void **state) {
    (void)state;
    static const size_t sides[][2] = {{1, 0},  {2, 1},  {28, 1},   {32, 1},
                                      {48, 2}, {96, 4}, {224, 11}, {5000, 64}};
    for (size_t k = 0; k < COUNT(sides); k++) {
        assert_int_equal(blur_reach(sides[k][0], 6000), sides[k][1]);
        assert_int_equal(blur_reach(6000, sides[k][0]), sides[k][1]);
    }
}

/* Colours of one channel, or of two, are not there. */
static void grey_pictures_have_no_hue(void **state) {
    (void)state;
    for (size_t channels = 1; channels < 3; channels++) {
        Image image = picture("noise", 8, 8, channels);
        Image before = picture("noise", 8, 8, channels);
        image_hue(&image, 0.3);
        image_saturate(&image, 0.3);
        image_greyscale(&image);
        assert_true(same(&image, &before));
        image_free(&image);
        image_free(&before);
    }
}

/* ---- draws ---- */

enum { DRAWS = 12000 };

/* Within four standard deviations of a count. */
static void near_count(const char *what, size_t count, double probability) {
    double mean = DRAWS * probability, sd = sqrt(mean * (1 - probability));
    if (!(fabs((double)count - mean) <= 4 * sd))
        fail_msg("%s: %zu, wanted %g +- %g", what, count, mean, 4 * sd);
}

static void jitter_draws_every_order_and_the_whole_range(void **state) {
    (void)state;
    const JitterRule rule = {{0.4, 0.3, 0.2, 0.1}, 0.8};
    size_t changed = 0, orders[256] = {0}, low[JITTER_CHANGES] = {0}, seen = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        RngCursor dice = dice_of(i);
        Jitter drawn = jitter_draw(&rule, &dice);
        if (!drawn.count) continue;
        assert_int_equal(drawn.count, 4);
        changed++;
        size_t code = 0;
        for (size_t k = 0; k < 4; k++) {
            code = 4 * code + drawn.order[k];
            double middle = k == JITTER_HUE ? 0 : 1, away = drawn.factor[k] - middle;
            assert_true(fabs(away) <= rule.strength[k]);
            low[k] += away < -rule.strength[k] / 2;
        }
        orders[code]++;
    }
    near_count("changed", changed, 0.8);
    for (size_t code = 0; code < COUNT(orders); code++) {
        if (!orders[code]) continue;
        seen++;
        near_count("an order", orders[code], 0.8 / 24);
    }
    assert_int_equal(seen, 24);
    for (size_t k = 0; k < 4; k++) near_count("lowest quarter", low[k], 0.8 / 4);
}

static void jitter_without_hue_is_three_changes_always(void **state) {
    (void)state;
    const JitterRule rule = {{0.4, 0.4, 0.4, 0}, 1};
    for (uint64_t i = 0; i < 100; i++) {
        RngCursor dice = dice_of(i);
        assert_int_equal(jitter_draw(&rule, &dice).count, 3);
        assert_int_equal(dice.next, 4);
    }
}

/* How many of the draws change a picture. */
static size_t count_changed(const char *list) {
    Augment *augment = augment_parse(list, NULL);
    size_t changed = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        Image image = picture("edges", 6, 6, 3), before = picture("edges", 6, 6, 3);
        RngCursor dice = dice_of(i);
        augment_train(augment, &image, 6, 6, &dice);
        changed += !same(&image, &before);
        image_free(&image);
        image_free(&before);
    }
    augment_free(augment);
    return changed;
}

static void probabilities_are_those_of_the_list(void **state) {
    (void)state;
    static const struct {
        const char *list;
        double share;
    } cases[] = {{"grey", 0.2},         {"grey:0.7", 0.7},
                 {"blur:min=1", 0.5},   {"blur:0.3:1:2", 0.3},
                 {"jitter:p=0.8", 0.8}, {"grey:0,blur:0,jitter:p=0", 0},
                 {"grey:1,blur:0", 1},  {"blur:0.5:0.01:0.1", 0}};
    for (size_t k = 0; k < COUNT(cases); k++)
        near_count(cases[k].list, count_changed(cases[k].list), cases[k].share);
}

static void a_blur_of_one_sigma_is_that_blur(void **state) {
    (void)state;
    Augment *augment = augment_parse("blur:1:0.7:0.7", NULL);
    Image image = picture("noise", 48, 50, 3), other = picture("noise", 48, 50, 3);
    Image spare = {0};
    RngCursor dice = dice_of(1);
    augment_train(augment, &image, 48, 50, &dice);
    image_blur(&other, 2, 0.7, &spare);
    assert_true(same(&image, &other));
    image_free(&image);
    image_free(&other);
    image_free(&spare);
    augment_free(augment);
}

static void crops_have_the_areas_and_ratios_of_torchvision(void **state) {
    (void)state;
    size_t small = 0, wide = 0, left = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        RngCursor dice = dice_of(i);
        Box box = crop_random(1000, 1000, 0.2, 0.6, &dice);
        double area = (double)(box.height * box.width) / 1e6;
        double ratio = (double)box.width / (double)box.height;
        assert_true(area > 0.199 && area < 0.601 && ratio > 0.748 && ratio < 1.336);
        assert_true(box.y + box.height <= 1000 && box.x + box.width <= 1000);
        small += area < 0.4;
        wide += ratio > 1;
        left += 2 * box.x < 1000 - box.width;
    }
    near_count("small", small, 0.5);
    near_count("wide", wide, 0.5);
    near_count("left", left, 0.5);
}

/* No box of the whole area fits a picture of twice the largest ratio. */
static void a_crop_that_never_fits_is_the_largest_in_the_middle(void **state) {
    (void)state;
    static const Box wanted[] = {{0, 26, 60, 80}, {30, 0, 80, 60}};
    static const size_t sides[][2] = {{60, 133}, {140, 60}};
    for (size_t k = 0; k < 2; k++)
        for (uint64_t i = 0; i < 20; i++) {
            RngCursor dice = dice_of(i);
            Box box = crop_random(sides[k][0], sides[k][1], 1, 1, &dice);
            assert_int_equal(dice.next, 20);
            assert_true(box.y == wanted[k].y && box.x == wanted[k].x &&
                        box.height == wanted[k].height && box.width == wanted[k].width);
        }
}

static void broken_numbers_are_named(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"jitter:0:0:0:0.6", "jitter: hue is \"0.6\", expected 0 to 0.5"},
        {"jitter:0:0:0:0.1:2", "jitter: p is \"2\", expected 0 to 1"},
        {"jitter:0:0:0:0.1:1:1", "jitter takes no number for \"1\""},
        {"grey:-0.1", "grey: p is \"-0.1\", expected 0 to 1"},
        {"grey:0.1:1", "grey takes no number"},
        {"blur:1:0", "blur: min is \"0\", expected 0.01 to 100"},
        {"blur:1:2:1", "blur: min 2 is above max 1"},
        {"blur:sigma=1", "blur has no number \"sigma\""},
        {"blurr", "flip, jitter, grey, blur, rand-augment"}};
    for (size_t k = 0; k < COUNT(cases); k++) {
        Err err = ERR_NONE;
        assert_null(augment_parse(cases[k][0], &err));
        assert_int_equal(err.status, FAIL_USAGE);
        if (!strstr(err.text, cases[k][1])) fail_msg("\"%s\": %s", cases[k][0], err.text);
    }
}

static void pictures_of_any_size_and_channels_become_views(void **state) {
    (void)state;
    Augment *augment =
        augment_parse("random-resized-crop,flip,jitter:0.4:0.4:0.4:0.1:0.8,grey,blur:1",
                      NULL);
    for (uint64_t i = 0; i < 400; i++) {
        size_t high = 1 + i % 7, wide = 1 + i % 5;
        Image image = picture("noise", 1 + i % 3, 1 + i % 90, 1 + i % 4);
        RngCursor dice = dice_of(i);
        augment_train(augment, &image, high, wide, &dice);
        assert_true(image.height == high && image.width == wide);
        assert_int_equal(image.channels, 1 + i % 4);
        image_free(&image);
    }
    augment_free(augment);
}

static void what_needs_colours_is_named(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"none", ""},
                                           {"crop,flip,blur,jitter:s=0", ""},
                                           {"jitter", "jitter:s"},
                                           {"grey,jitter:hue=0.1",
                                            "jitter:s, jitter:hue, grey"},
                                           {"grey:0,jitter:0:0:0:0.1", "jitter:hue"}};
    for (size_t k = 0; k < COUNT(cases); k++) {
        char text[AUGMENT_COLOURS];
        assert_int_equal(augment_colours(cases[k][0], text), *cases[k][1] != 0);
        assert_string_equal(text, cases[k][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_is_torchvisions),
        cmocka_unit_test(a_flat_picture_stays_flat_when_blurred),
        cmocka_unit_test(a_blur_reaches_a_twentieth_of_the_side),
        cmocka_unit_test(grey_pictures_have_no_hue),
        cmocka_unit_test(jitter_draws_every_order_and_the_whole_range),
        cmocka_unit_test(jitter_without_hue_is_three_changes_always),
        cmocka_unit_test(probabilities_are_those_of_the_list),
        cmocka_unit_test(a_blur_of_one_sigma_is_that_blur),
        cmocka_unit_test(crops_have_the_areas_and_ratios_of_torchvision),
        cmocka_unit_test(a_crop_that_never_fits_is_the_largest_in_the_middle),
        cmocka_unit_test(pictures_of_any_size_and_channels_become_views),
        cmocka_unit_test(what_needs_colours_is_named),
        cmocka_unit_test(broken_numbers_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
