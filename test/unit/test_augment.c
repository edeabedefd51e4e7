/* Resizing and random changes of pictures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/picture/augment.h"
#include "data/picture/erase.h"
#include "data/picture/pixels.h"
#include "data/picture/randaugment.h"
#include "data/picture/resize.h"

static RngCursor dice_of(uint64_t seed) {
    return (RngCursor){rng_make(seed, RNG_AUGMENT, 1), 0};
}

static Image picture(size_t height, size_t width, size_t channels, unsigned number) {
    Image image = {0};
    Rng dice = rng_make(number, 5, 6);
    image_resize_buffer(&image, height, width, channels);
    for (size_t p = 0; p < height * width * channels; p++)
        image.pixels[p] = (uint8_t)rng_below(dice, p, 256);
    return image;
}

static Image copy_of(const Image *image) {
    Image copy = {0};
    image_resize_buffer(&copy, image->height, image->width, image->channels);
    memcpy(copy.pixels, image->pixels, image->height * image->width * image->channels);
    return copy;
}

static bool equal(const Image *a, const Image *b) {
    return a->height == b->height && a->width == b->width && a->channels == b->channels &&
           !memcmp(a->pixels, b->pixels, a->height * a->width * a->channels);
}

/* --- resize ------------------------------------------------------------------------- */

/* Golden values: Pillow 9.4, p = Image.fromarray(uint8 [5, 7] of (37 y + 11 x x) mod
 * 256), p.resize((width, height), Image.BICUBIC) and p.transform((7, 5), Image.AFFINE,
 * [1, .3, -.5, .2, .9, .25], resample=BICUBIC or BILINEAR, fillcolor=200). */
static Image golden_input(void) {
    Image image = {0};
    image_resize_buffer(&image, 5, 7, 1);
    for (size_t y = 0; y < 5; y++)
        for (size_t x = 0; x < 7; x++)
            image.pixels[7 * y + x] = (uint8_t)(37 * y + 11 * x * x);
    return image;
}

static void resize_gives_pillows_bytes(void **state) {
    (void)state;
    static const uint8_t small[12] = {15,  68,  144, 100, 76,  130,
                                      171, 165, 137, 194, 121, 132};
    static const uint8_t large[54] = {0,   4,   22,  53,  98,  173, 82,  46,  145,
                                      25,  31,  49,  80,  125, 200, 109, 73,  172,
                                      58,  64,  82,  112, 158, 249, 150, 104, 205,
                                      88,  94,  112, 145, 188, 173, 122, 148, 248,
                                      121, 127, 145, 181, 221, 52,  75,  170, 207,
                                      148, 154, 172, 208, 248, 95,  126, 129, 18};
    Image image = golden_input(), to = {0};
    image_resize(&image, &to, 3, 4);
    assert_memory_equal(to.pixels, small, sizeof small);
    image_resize(&image, &to, 6, 9);
    assert_memory_equal(to.pixels, large, sizeof large);
    image_free(&image);
    image_free(&to);
}

static void affine_maps_give_pillows_bytes(void **state) {
    (void)state;
    static const double map[6] = {1, .3, -.5, .2, .9, .25};
    static const uint8_t fill[CHANNELS_MAX] = {200};
    static const uint8_t bicubic[35] = {7,   16,  45,  101, 221, 120, 138, 47,  62,
                                        97,  154, 253, 103, 247, 81,  106, 157, 176,
                                        40,  177, 196, 112, 146, 238, 113, 103, 103,
                                        200, 150, 184, 255, 200, 200, 200, 200};
    static const uint8_t bilinear[35] = {11,  25,  58,  113, 189, 122, 153, 44,  62,
                                         101, 162, 246, 105, 222, 80,  104, 150, 173,
                                         71,  157, 185, 117, 147, 200, 133, 115, 92,
                                         200, 153, 187, 238, 200, 200, 200, 200};
    Image image = golden_input(), to = {0};
    image_affine(&image, &to, map, true, fill);
    assert_memory_equal(to.pixels, bicubic, sizeof bicubic);
    image_affine(&image, &to, map, false, fill);
    assert_memory_equal(to.pixels, bilinear, sizeof bilinear);
    image_free(&image);
    image_free(&to);
}

static void a_flat_picture_stays_flat_at_any_size(void **state) {
    (void)state;
    for (size_t side = 1; side < 40; side += 3) {
        Image image = {0}, to = {0};
        image_resize_buffer(&image, 13, 17, 3);
        memset(image.pixels, 201, 13 * 17 * 3);
        image_resize(&image, &to, side, 41 - side);
        for (size_t p = 0; p < 3 * side * (41 - side); p++)
            assert_int_equal(to.pixels[p], 201);
        image_free(&image);
        image_free(&to);
    }
}

static void a_box_is_resized_as_if_it_were_cut_out_first(void **state) {
    (void)state;
    Image image = picture(20, 30, 3, 1), cut = {0}, a = {0}, b = {0};
    ResizeScratch scratch = {0};
    image_window(&image, &cut, 3, 5, 11, 19);
    resize_box(&image, (Box){3, 5, 11, 19}, &a, 8, 40, FILTER_BICUBIC, &scratch);
    image_resize(&cut, &b, 8, 40);
    assert_true(equal(&a, &b));
    resize_scratch_free(&scratch);
    image_free(&image);
    image_free(&cut);
    image_free(&a);
    image_free(&b);
}

/* --- the list ----------------------------------------------------------------------- */

static void good_lists_are_read(void **state) {
    (void)state;
    static const char *const lists[] = {"",
                                        "none",
                                        "flip",
                                        "crop, flip",
                                        "crop:2,flip",
                                        "random-resized-crop:0.2:0.9",
                                        "random-resized-crop:max=0.9",
                                        "rand-augment:7:ops=3,erasing:p=0.1",
                                        "jitter:0.1:s=0"};
    for (size_t k = 0; k < COUNT(lists); k++) {
        Err err = ERR_NONE;
        Augment *augment = augment_parse(lists[k], &err);
        if (!augment) fail_msg("%s: %s", lists[k], err.text);
        augment_free(augment);
    }
}

static void a_wrong_list_says_what_is_wrong(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"flop", "\"flop\"; expected some of none, random-resized-crop, crop, flip"},
        {"flip,flip", "flip twice"},
        {"flip:1", "flip takes no number for \"1\""},
        {"crop:padding=x", "padding is \"x\", expected 0 to 1000"},
        {"crop:radius=3", "crop has no number \"radius\""},
        {"erasing:1.5", "p is \"1.5\", expected 0 to 1"},
        {"rand-augment:nan", "m is \"nan\""},
        {"random-resized-crop:0.9:0.5", "min 0.9 is above max 0.5"},
        {"erasing:0:0", "takes no number"}};
    for (size_t k = 0; k < COUNT(cases); k++) {
        Err err = ERR_NONE;
        assert_null(augment_parse(cases[k][0], &err));
        assert_int_equal(err.status, FAIL_USAGE);
        if (!strstr(err.text, cases[k][1])) fail_msg("\"%s\": %s", cases[k][0], err.text);
    }
}

/* --- views -------------------------------------------------------------------------- */

static void no_augmentation_leaves_a_picture_of_the_right_size_alone(void **state) {
    (void)state;
    Augment *augment = augment_parse("none", NULL);
    Image image = picture(9, 9, 3, 2), before = copy_of(&image);
    RngCursor dice = dice_of(1);
    augment_train(augment, &image, 9, 9, &dice);
    augment_eval(augment, &image, 9, 9);
    assert_true(equal(&image, &before));
    image_free(&image);
    image_free(&before);
    augment_free(augment);
}

static void every_list_gives_the_wanted_size(void **state) {
    (void)state;
    static const char *const lists[] = {
        "none", "random-resized-crop", "crop,flip", "jitter,rand-augment",
        "random-resized-crop,crop,flip,jitter,rand-augment:10:0:16"};
    for (size_t k = 0; k < COUNT(lists); k++) {
        Augment *augment = augment_parse(lists[k], NULL);
        for (unsigned i = 0; i < 200; i++) {
            Image image = picture(1 + i % 37, 1 + i % 23, i % 2 ? 3 : 1, i);
            RngCursor dice = dice_of(i);
            if (i % 3) augment_train(augment, &image, 12, 15, &dice);
            else augment_eval(augment, &image, 12, 15);
            assert_int_equal(image.height, 12);
            assert_int_equal(image.width, 15);
            image_free(&image);
        }
        augment_free(augment);
    }
}

/* 40 x 60 to 20 x 20: plain resizing makes it 20 x 30; with the crop's 1 / 0.875, 23 x
 * 34.5. */
static void evaluation_takes_the_centre_of_the_resized_picture(void **state) {
    (void)state;
    static const struct {
        const char *list;
        size_t height, width;
    } cases[] = {{"none", 20, 30}, {"random-resized-crop", 23, 35}};
    for (size_t k = 0; k < 2; k++) {
        Augment *augment = augment_parse(cases[k].list, NULL);
        Image image = picture(40, 60, 3, 3), resized = {0}, centre = {0};
        image_resize(&image, &resized, cases[k].height, cases[k].width);
        image_window(&resized, &centre, (ptrdiff_t)(cases[k].height - 20) / 2,
                     (ptrdiff_t)(cases[k].width - 20) / 2, 20, 20);
        augment_eval(augment, &image, 20, 20);
        assert_true(equal(&image, &centre));
        image_free(&image);
        image_free(&resized);
        image_free(&centre);
        augment_free(augment);
    }
}

static void half_of_the_pictures_are_flipped(void **state) {
    (void)state;
    Augment *augment = augment_parse("flip", NULL);
    size_t flipped = 0;
    for (unsigned i = 0; i < 1000; i++) {
        Image image = picture(3, 4, 3, i), before = copy_of(&image);
        RngCursor dice = dice_of(i);
        augment_train(augment, &image, 3, 4, &dice);
        if (!equal(&image, &before)) {
            flipped++;
            image_flip(&image);
        }
        assert_true(equal(&image, &before));
        image_free(&image);
        image_free(&before);
    }
    assert_in_range(flipped, 440, 560); /* 3.8 standard deviations */
    augment_free(augment);
}

/* Pixel (y, x) = 1 + 16 y + x says where it came from. */
static void a_padded_crop_reaches_every_shift_and_no_more(void **state) {
    (void)state;
    Augment *augment = augment_parse("crop:2", NULL);
    size_t seen[5][5] = {{0}};
    for (unsigned i = 0; i < 1000; i++) {
        Image image = {0};
        image_resize_buffer(&image, 8, 8, 1);
        for (size_t p = 0; p < 64; p++)
            image.pixels[p] = (uint8_t)(1 + 16 * (p / 8) + p % 8);
        RngCursor dice = dice_of(i);
        augment_train(augment, &image, 8, 8, &dice);
        int middle = image.pixels[4 * 8 + 4] - 1, dy = middle / 16 - 4,
            dx = middle % 16 - 4;
        assert_true(dy >= -2 && dy <= 2 && dx >= -2 && dx <= 2);
        seen[dy + 2][dx + 2]++;
        for (int p = 0; p < 64; p++) {
            int y = p / 8 + dy, x = p % 8 + dx;
            bool inside = y >= 0 && y < 8 && x >= 0 && x < 8;
            assert_int_equal(image.pixels[p], inside ? 1 + 16 * y + x : 0);
        }
        image_free(&image);
    }
    for (size_t k = 0; k < 25; k++) assert_in_range(seen[k / 5][k % 5], 10, 90);
    augment_free(augment);
}

static void the_same_dice_give_the_same_view(void **state) {
    (void)state;
    Augment *augment =
        augment_parse("random-resized-crop,flip,jitter,rand-augment", NULL);
    for (unsigned i = 0; i < 50; i++) {
        Image a = picture(30, 40, 3, i), b = picture(30, 40, 3, i);
        RngCursor first = dice_of(i), second = dice_of(i);
        augment_train(augment, &a, 16, 16, &first);
        augment_train(augment, &b, 16, 16, &second);
        assert_true(equal(&a, &b));
        assert_int_equal(first.next, second.next);
        image_free(&a);
        image_free(&b);
    }
    augment_free(augment);
}

/* --- rand-augment ------------------------------------------------------------------- */

enum { AUTOCONTRAST, EQUALIZE, INVERT, ROTATE, POSTERIZE };

static void most_operations_do_nothing_at_magnitude_zero(void **state) {
    (void)state;
    RandAugment rule = {.magnitude = 0, .ops = 1};
    for (size_t op = ROTATE; op < RANDAUGMENT_OPS; op++) {
        if (op == POSTERIZE) continue;
        Image image = picture(10, 14, 3, 4), before = copy_of(&image), spare = {0};
        RngCursor dice = dice_of(op);
        randaugment_apply(&rule, op, 0, &image, &spare, &dice);
        if (!equal(&image, &before)) fail_msg("operation %zu", op);
        image_free(&image);
        image_free(&before);
        image_free(&spare);
    }
}

static void every_operation_does_something_at_magnitude_nine(void **state) {
    (void)state;
    RandAugment rule = {.magnitude = 9, .ops = 1};
    for (size_t op = 0; op < RANDAUGMENT_OPS; op++) {
        Image image = picture(20, 20, 3, 4), spare = {0};
        for (size_t p = 0; p < 1200; p++) image.pixels[p] = 30 + image.pixels[p] / 2;
        Image before = copy_of(&image);
        RngCursor dice = dice_of(op);
        randaugment_apply(&rule, op, 9, &image, &spare, &dice);
        if (equal(&image, &before)) fail_msg("operation %zu", op);
        image_free(&image);
        image_free(&before);
        image_free(&spare);
    }
}

static void inverting_twice_is_nothing(void **state) {
    (void)state;
    Image image = picture(7, 5, 3, 5), before = copy_of(&image);
    image_invert(&image);
    assert_int_equal(image.pixels[0], 255 - before.pixels[0]);
    image_invert(&image);
    assert_true(equal(&image, &before));
    image_free(&image);
    image_free(&before);
}

static void autocontrast_uses_all_levels(void **state) {
    (void)state;
    Image image = {0};
    image_resize_buffer(&image, 1, 3, 1);
    memcpy(image.pixels, (uint8_t[]){100, 110, 120}, 3);
    image_autocontrast(&image);
    assert_int_equal(image.pixels[0], 0);
    assert_in_range(image.pixels[1], 126, 128);
    assert_in_range(image.pixels[2], 254, 255);
    image_free(&image);
}

/* Two operations, each applied with probability 1/2: a quarter of pictures stay. */
static void a_quarter_of_pictures_passes_rand_augment_untouched(void **state) {
    (void)state;
    Augment *augment = augment_parse("rand-augment", NULL);
    size_t same = 0;
    for (unsigned i = 0; i < 2000; i++) {
        Image image = picture(12, 12, 3, i), before = copy_of(&image);
        RngCursor dice = dice_of(i);
        augment_train(augment, &image, 12, 12, &dice);
        same += equal(&image, &before);
        image_free(&image);
        image_free(&before);
    }
    /* Autocontrast and equalize hardly touch noise: up to 0.3 stay. */
    assert_in_range(same, 420, 680);
    augment_free(augment);
}

/* --- erasing ------------------------------------------------------------------------ */

static void erased_boxes_keep_their_bounds(void **state) {
    (void)state;
    RngCursor dice = dice_of(1);
    double smallest = 1, largest = 0;
    for (int i = 0; i < 2000; i++) {
        Box box;
        if (!erase_choose(100, 100, &box, &dice)) continue;
        assert_true(box.y + box.height <= 100 && box.x + box.width <= 100);
        double share = (double)(box.height * box.width) / 10000;
        smallest = MIN(smallest, share);
        largest = MAX(largest, share);
        double aspect = (double)box.height / (double)box.width;
        assert_true(aspect > 0.27 && aspect < 3.7); /* 0.3 ... 3.33 and rounding */
    }
    assert_true(smallest > 0.017 && smallest < 0.03);
    assert_true(largest > 0.32 && largest < 0.345);
}

static void a_quarter_of_pictures_is_erased_with_unit_noise(void **state) {
    (void)state;
    enum { SIDE = 16, TRIALS = 4000 };
    Augment *augment = augment_parse("erasing", NULL);
    double sum = 0, squares = 0, count = 0;
    int erased = 0;
    for (unsigned i = 0; i < TRIALS; i++) {
        real pixels[SIDE * SIDE];
        bool touched = false;
        RngCursor dice = dice_of(i);
        for (size_t p = 0; p < COUNT(pixels); p++) pixels[p] = 99;
        augment_erase(augment, pixels, 1, SIDE, SIDE, &dice);
        for (size_t p = 0; p < COUNT(pixels); p++)
            if (pixels[p] < 50) {
                touched = true;
                sum += pixels[p];
                squares += (double)pixels[p] * pixels[p];
                count++;
            }
        erased += touched;
    }
    assert_in_range(erased, 890, 1110); /* 4 standard deviations around 1000 */
    assert_true(fabs(sum / count) < 0.02);
    assert_true(fabs(squares / count - 1) < 0.03);
    augment_free(augment);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resize_gives_pillows_bytes),
        cmocka_unit_test(affine_maps_give_pillows_bytes),
        cmocka_unit_test(a_flat_picture_stays_flat_at_any_size),
        cmocka_unit_test(a_box_is_resized_as_if_it_were_cut_out_first),
        cmocka_unit_test(good_lists_are_read),
        cmocka_unit_test(a_wrong_list_says_what_is_wrong),
        cmocka_unit_test(no_augmentation_leaves_a_picture_of_the_right_size_alone),
        cmocka_unit_test(every_list_gives_the_wanted_size),
        cmocka_unit_test(evaluation_takes_the_centre_of_the_resized_picture),
        cmocka_unit_test(half_of_the_pictures_are_flipped),
        cmocka_unit_test(a_padded_crop_reaches_every_shift_and_no_more),
        cmocka_unit_test(the_same_dice_give_the_same_view),
        cmocka_unit_test(most_operations_do_nothing_at_magnitude_zero),
        cmocka_unit_test(every_operation_does_something_at_magnitude_nine),
        cmocka_unit_test(inverting_twice_is_nothing),
        cmocka_unit_test(autocontrast_uses_all_levels),
        cmocka_unit_test(a_quarter_of_pictures_passes_rand_augment_untouched),
        cmocka_unit_test(erased_boxes_keep_their_bounds),
        cmocka_unit_test(a_quarter_of_pictures_is_erased_with_unit_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
