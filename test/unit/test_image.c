/* Pictures as people see them: turned, transparent, of inks, of other kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/picture/exif.h"
#include "data/picture/read.h"
#include "engine/core/rng.h"
#include "files.h"
#include "pictures.h"

static Status read_as(const char *root, const char *name, PictureReading how,
                      Image *image, Err *err) {
    char path[1200];
    text_format(path, sizeof path, "%s/%s", root, name);
    return image_read(path, &how, image, err);
}

static PictureTraits read_good(const char *root, const char *name, size_t channels,
                               const char *background, Image *image) {
    Err err = ERR_NONE;
    PictureTraits traits = {0};
    PictureReading how = {.channels = channels, .traits = &traits};
    assert_int_equal(background_parse(background, how.background, &err), OK);
    if (read_as(root, name, how, image, &err)) fail_msg("%s", err.text);
    return traits;
}

/* ---- orientation ---- */

/* Two rows of three pixels, 0 ... 5, and how a viewer shows them. */
static const struct {
    size_t height, width;
    uint8_t shown[6];
} turned[9] = {
    [1] = {2, 3, {0, 1, 2, 3, 4, 5}}, [2] = {2, 3, {2, 1, 0, 5, 4, 3}},
    [3] = {2, 3, {5, 4, 3, 2, 1, 0}}, [4] = {2, 3, {3, 4, 5, 0, 1, 2}},
    [5] = {3, 2, {0, 3, 1, 4, 2, 5}}, [6] = {3, 2, {3, 0, 4, 1, 5, 2}},
    [7] = {3, 2, {5, 2, 4, 1, 3, 0}}, [8] = {3, 2, {2, 5, 1, 4, 0, 3}},
};

static void shows(const Image *image, unsigned orientation, int slack) {
    assert_int_equal(image->height, turned[orientation].height);
    assert_int_equal(image->width, turned[orientation].width);
    for (size_t p = 0; p < 6; p++)
        for (size_t c = 0; c < image->channels; c++) {
            int wanted = 40 * turned[orientation].shown[p];
            assert_in_range(image->pixels[p * image->channels + c] + 300,
                            wanted + 300 - slack, wanted + 300 + slack);
        }
}

static void each_orientation_of_a_png_is_applied(void **state) {
    static const uint8_t grey[6] = {0, 40, 80, 120, 160, 200};
    Image image = {0};
    for (unsigned k = 1; k <= 8; k++)
        for (unsigned form = 0; form < 4; form++) {
            Spec spec = {
                2, 3, 1, grey, k, .little_endian = form % 2, .late_exif = form / 2};
            pictures_write_png(*state, "a.png", &spec);
            PictureTraits traits = read_good(*state, "a.png", 3, "black", &image);
            assert_int_equal(traits.orientation, k);
            assert_true(traits.grey);
            shows(&image, k, 0);
        }
    image_free(&image);
}

static void each_orientation_of_a_jpeg_is_applied(void **state) {
    static const uint8_t grey[6] = {0, 40, 80, 120, 160, 200};
    Image image = {0};
    for (unsigned k = 1; k <= 8; k++)
        for (unsigned little = 0; little < 2; little++) {
            Spec spec = {2, 3, 1, grey, k, .little_endian = little};
            pictures_write_jpeg(*state, "a.jpg", &spec);
            PictureTraits traits =
                read_good(*state, "a.jpg", little ? 1 : 3, "black", &image);
            assert_int_equal(traits.orientation, k);
            shows(&image, k, 2);
        }
    image_free(&image);
}

static void an_orientation_that_is_none_turns_nothing(void **state) {
    static const uint8_t grey[6] = {0, 40, 80, 120, 160, 200};
    Image image = {0};
    static const unsigned none[] = {9, 255, 65535};
    for (size_t k = 0; k < COUNT(none); k++) {
        pictures_write_png(*state, "a.png",
                           &(Spec){2, 3, 1, grey, .orientation = none[k]});
        assert_int_equal(read_good(*state, "a.png", 1, "black", &image).orientation, 1);
        shows(&image, 1, 0);
    }
    image_free(&image);
}

/* In memory of its exact length, so that a sanitizer sees a byte read behind it. */
static unsigned orientation_of(const uint8_t *bytes, size_t n) {
    uint8_t *exact = malloc(n ? n : 1);
    memcpy(exact, bytes, n);
    unsigned orientation = exif_orientation(exact, n);
    free(exact);
    return orientation;
}

static void exif_data_that_lie_are_passed_over(void **state) {
    (void)state;
    uint8_t good[EXIF_BYTES], bad[EXIF_BYTES];
    for (int little = 0; little < 2; little++) {
        size_t n = pictures_exif(good, 6, little);
        assert_int_equal(orientation_of(good, n), 6);
        for (size_t cut = 0; cut < 22; cut++)
            assert_int_equal(orientation_of(good, cut), 1);
        for (uint64_t trial = 0; trial < 20000; trial++) {
            Rng dice = rng_make(trial, 3, 4);
            memcpy(bad, good, n);
            for (uint64_t k = 0; k < 1 + trial % 5; k++)
                bad[rng_below(dice, 2 * k, n)] = (uint8_t)rng_below(dice, 2 * k + 1, 256);
            unsigned orientation = orientation_of(bad, rng_below(dice, 99, n + 1));
            assert_in_range(orientation, 1, 8);
        }
    }
    static const uint8_t far[] = {'I', 'I', 42, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0};
    assert_int_equal(orientation_of(far, sizeof far), 1);
    static const uint8_t many[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0xFF, 0xFF, 0, 0};
    assert_int_equal(orientation_of(many, sizeof many), 1);
}

/* ---- transparency ---- */

static void alpha_is_laid_over_the_background(void **state) {
    static const uint8_t rgba[] = {200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 51};
    static const struct {
        const char *background;
        uint8_t rgb[9];
    } cases[] = {
        {"black", {200, 100, 0, 0, 0, 0, 40, 20, 0}},
        {"white", {200, 100, 0, 255, 255, 255, 244, 224, 204}},
        {"grey", {200, 100, 0, 128, 128, 128, 142, 122, 102}},
        {"10", {200, 100, 0, 10, 10, 10, 48, 28, 8}},
        {"255,0,5", {200, 100, 0, 255, 0, 5, 244, 20, 4}},
    };
    Image image = {0};
    for (int form = 0; form < 4; form++) {
        Spec spec = {1, 3, 4, rgba, .interlaced = form % 2, .late_exif = form / 2};
        pictures_write_png(*state, "a.png", &spec);
        for (size_t k = 0; k < COUNT(cases); k++) {
            PictureTraits traits =
                read_good(*state, "a.png", 3, cases[k].background, &image);
            assert_true(traits.clear && !traits.grey && !traits.inks);
            assert_memory_equal(image.pixels, cases[k].rgb, 9);
        }
    }
    image_free(&image);
}

static void alpha_without_a_clear_pixel_is_no_transparency(void **state) {
    static const uint8_t rgba[] = {200, 100, 0, 255, 20, 10, 0, 255};
    Image image = {0};
    pictures_write_png(*state, "a.png", &(Spec){1, 2, 4, .pixels = rgba});
    assert_false(read_good(*state, "a.png", 3, "white", &image).clear);
    image_free(&image);
}

static void a_palette_can_be_transparent(void **state) {
    static const uint8_t index[] = {0, 5, 19};
    static const uint8_t white[] = {204, 50, 190}, black[] = {0, 50, 190};
    Image image = {0};
    pictures_write_palette(*state, "a.png", &(Spec){1, 3, 1, .pixels = index});
    assert_true(read_good(*state, "a.png", 1, "white", &image).clear);
    assert_memory_equal(image.pixels, white, 3);
    read_good(*state, "a.png", 1, "black", &image);
    assert_memory_equal(image.pixels, black, 3);
    image_free(&image);
}

/* A level of 16 bits is (256 p + 77) / 257, rounded: 254 of 255, so that a
 * little shines through. */
static void sixteen_bits_and_grey_with_alpha_are_reduced(void **state) {
    static const uint8_t grey[] = {0, 255, 50, 0, 50, 255};
    static const uint8_t wanted[] = {1, 255, 51};
    Image image = {0};
    pictures_write_png(*state, "a.png", &(Spec){1, 3, 2, grey, .sixteen = true});
    PictureTraits traits = read_good(*state, "a.png", 1, "white", &image);
    assert_true(traits.clear && traits.grey);
    assert_memory_equal(image.pixels, wanted, 3);
    image_free(&image);
}

static void a_background_that_is_none_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",       "green",   "256",
                                      "-1",     "1,2",     "1,2,3,4",
                                      "1,2,3,", ",1,2",    "1 2 3",
                                      "0x10",   "1,2,999", "18446744073709551617"};
    for (size_t k = 0; k < COUNT(bad); k++) {
        Err err = ERR_NONE;
        uint8_t rgb[3] = {7, 7, 7};
        assert_int_equal(background_parse(bad[k], rgb, &err), FAIL_USAGE);
        assert_non_null(strstr(err.text, "data.background = "));
        assert_int_equal(rgb[0] + rgb[1] + rgb[2], 0);
    }
}

/* ---- inks ---- */

/* Eight rows and columns of one colour: red by inks is no cyan, all magenta and
 * yellow. */
static void inks_become_colours(void **state) {
    static const struct {
        uint8_t ink[4]; /* cyan, magenta, yellow, black: 255 is all of it */
        uint8_t rgb[3];
    } cases[] = {
        {{0, 255, 255, 0}, {255, 0, 0}},     {{255, 0, 255, 0}, {0, 255, 0}},
        {{0, 0, 0, 0}, {255, 255, 255}},     {{0, 0, 0, 255}, {0, 0, 0}},
        {{51, 102, 0, 127}, {102, 77, 128}}, {{255, 255, 255, 0}, {0, 0, 0}},
    };
    Image image = {0};
    for (size_t k = 0; k < COUNT(cases); k++)
        for (int form = 0; form < 4; form++) {
            bool adobe = form % 2;
            uint8_t inks[8 * 8 * 4];
            for (size_t p = 0; p < sizeof inks; p++)
                inks[p] = cases[k].ink[p % 4] ^ (adobe ? 255 : 0);
            Spec spec = {8, 8, 4, inks, .adobe = adobe, .ycck = form / 2};
            if (spec.ycck && !adobe) continue; /* without the marker it is read as CMYK */
            pictures_write_jpeg(*state, "a.jpg", &spec);
            PictureTraits traits = read_good(*state, "a.jpg", 3, "black", &image);
            assert_true(traits.inks && !traits.grey);
            for (size_t p = 0; p < 8 * 8 * 3; p++)
                assert_in_range(image.pixels[p] + 9, cases[k].rgb[p % 3] + 9 - 3,
                                cases[k].rgb[p % 3] + 9 + 3);
            read_good(*state, "a.jpg", 1, "black", &image);
            int luma =
                (299 * cases[k].rgb[0] + 587 * cases[k].rgb[1] + 114 * cases[k].rgb[2]) /
                1000;
            assert_in_range(image.pixels[5] + 9, luma + 9 - 4, luma + 9 + 4);
        }
    image_free(&image);
}

static void grey_and_colour_of_jpeg_files_are_told_apart(void **state) {
    static const uint8_t grey[6] = {0, 40, 80, 120, 160, 200};
    Image image = {0};
    pictures_write_jpeg(*state, "a.jpg", &(Spec){2, 3, 1, .pixels = grey});
    assert_true(read_good(*state, "a.jpg", 3, "black", &image).grey);
    pictures_write_jpeg(*state, "a.jpg", &(Spec){1, 2, 3, .pixels = grey});
    assert_false(read_good(*state, "a.jpg", 3, "black", &image).grey);
    image_free(&image);
}

/* ---- other kinds ---- */

static void what_is_no_png_and_no_jpeg_is_named_as_what_it_is(void **state) {
    static const struct {
        const char *bytes;
        size_t n;
        const char *name;
    } kinds[] = {
        {"RIFF\x10\0\0\0WEBPVP8 ", 16, "WebP"},
        {"GIF89a\1\0\1\0", 10, "GIF"},
        {"II*\0\x08\0\0\0", 8, "TIFF"},
        {"MM\0*\0\0\0\x08", 8, "TIFF"},
        {"\0\0\0\x18"
         "ftypheic",
         12, "HEIC"},
        {"\0\0\0\x18"
         "ftypavif",
         12, "AVIF"},
        {"BM\x10\0\0\0", 6, "BMP"},
        {"%PDF-1.4\n", 9, "PDF"},
    };
    Image image = {0};
    for (size_t k = 0; k < COUNT(kinds); k++) {
        Err err = ERR_NONE;
        files_write(*state, "a.jpg", kinds[k].bytes, kinds[k].n);
        assert_int_equal(read_as(*state, "a.jpg", (PictureReading){.channels = 3}, &image,
                                 &err),
                         FAIL_DATA);
        char part[60];
        text_format(part, sizeof part, "a.jpg is a %s file, not PNG or JPEG",
                    kinds[k].name);
        if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    }
    image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(each_orientation_of_a_png_is_applied),
        FOLDER_TEST(each_orientation_of_a_jpeg_is_applied),
        FOLDER_TEST(an_orientation_that_is_none_turns_nothing),
        cmocka_unit_test(exif_data_that_lie_are_passed_over),
        FOLDER_TEST(alpha_is_laid_over_the_background),
        FOLDER_TEST(alpha_without_a_clear_pixel_is_no_transparency),
        FOLDER_TEST(a_palette_can_be_transparent),
        FOLDER_TEST(sixteen_bits_and_grey_with_alpha_are_reduced),
        cmocka_unit_test(a_background_that_is_none_is_refused),
        FOLDER_TEST(inks_become_colours),
        FOLDER_TEST(grey_and_colour_of_jpeg_files_are_told_apart),
        FOLDER_TEST(what_is_no_png_and_no_jpeg_is_named_as_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
