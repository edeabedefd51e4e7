#include "pictures.h"

#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"

static void put(uint8_t *to, size_t value, size_t size, bool little_endian) {
    for (size_t k = 0; k < size; k++)
        to[little_endian ? k : size - 1 - k] = (uint8_t)(value >> 8 * k);
}

size_t pictures_exif(uint8_t bytes[EXIF_BYTES], unsigned orientation,
                     bool little_endian) {
    memset(bytes, 0, EXIF_BYTES);
    memcpy(bytes, little_endian ? "II" : "MM", 2);
    put(bytes + 2, 42, 2, little_endian);
    put(bytes + 4, 8, 4, little_endian);
    put(bytes + 8, 1, 2, little_endian);
    put(bytes + 10, 0x0112, 2, little_endian);
    put(bytes + 12, 3, 2, little_endian);
    put(bytes + 14, 1, 4, little_endian);
    put(bytes + 18, orientation, 2, little_endian);
    return EXIF_BYTES;
}

/* An empty file first: folders between are made. */
static FILE *open_file(const char *root, const char *name) {
    char path[2000];
    files_write(root, name, "", 0);
    text_format(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    return file;
}

static void write_rows(png_structp png, const Spec *spec) {
    size_t row = spec->width * spec->channels;
    uint8_t wide[2000];
    int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < spec->height; y++) {
            const uint8_t *from = spec->pixels + y * row;
            for (size_t k = 0; spec->sixteen && k < row; k++) {
                wide[2 * k] = from[k];
                wide[2 * k + 1] = 77;
            }
            png_write_row(png, spec->sixteen ? wide : from);
        }
}

static void write_png(const char *root, const char *name, const Spec *spec, int type) {
    FILE *file = open_file(root, name);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png), late = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)spec->width, (png_uint_32)spec->height,
                 spec->sixteen ? 16 : 8, type,
                 spec->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    uint8_t exif[EXIF_BYTES], alpha = 51;
    size_t n = pictures_exif(exif, spec->orientation, spec->little_endian);
    if (spec->orientation)
        png_set_eXIf_1(png, spec->late_exif ? late : info, (png_uint_32)n, exif);
    if (type == PNG_COLOR_TYPE_PALETTE) {
        png_color colour[20];
        for (int p = 0; p < 20; p++)
            colour[p].red = colour[p].green = colour[p].blue = (uint8_t)(10 * p);
        png_set_PLTE(png, info, colour, 20);
        png_set_tRNS(png, info, &alpha, 1, NULL);
    }
    png_write_info(png, info);
    write_rows(png, spec);
    png_write_end(png, spec->late_exif ? late : info);
    png_destroy_info_struct(png, &late);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(file), 0);
}

void pictures_write_png(const char *root, const char *name, const Spec *spec) {
    static const int types[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    write_png(root, name, spec, types[spec->channels]);
}

void pictures_write_palette(const char *root, const char *name, const Spec *spec) {
    write_png(root, name, spec, PNG_COLOR_TYPE_PALETTE);
}

#ifdef HAVE_JPEG

#include <jpeglib.h>

static void write_exif(struct jpeg_compress_struct *jpeg, const Spec *spec) {
    uint8_t marker[6 + EXIF_BYTES] = "Exif\0";
    size_t n = pictures_exif(marker + 6, spec->orientation, spec->little_endian);
    jpeg_write_marker(jpeg, JPEG_APP0 + 1, (const JOCTET *)"http://ns.adobe.com/xap", 23);
    jpeg_write_marker(jpeg, JPEG_APP0 + 1, marker, (unsigned)(6 + n));
}

/* The best quality, no subsampling: pixels come back within a level or two. */
void pictures_write_jpeg(const char *root, const char *name, const Spec *spec) {
    static const J_COLOR_SPACE spaces[] = {0, JCS_GRAYSCALE, 0, JCS_RGB, JCS_CMYK};
    FILE *file = open_file(root, name);
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct jpeg = {.err = jpeg_std_error(&errors)};
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)spec->width;
    jpeg.image_height = (JDIMENSION)spec->height;
    jpeg.input_components = (int)spec->channels;
    jpeg.in_color_space = spaces[spec->channels];
    jpeg_set_defaults(&jpeg);
    if (spec->channels == 4) {
        jpeg_set_colorspace(&jpeg, spec->ycck ? JCS_YCCK : JCS_CMYK);
        jpeg.write_Adobe_marker = spec->adobe;
    }
    jpeg_set_quality(&jpeg, 100, TRUE);
    for (int c = 0; c < jpeg.num_components; c++)
        jpeg.comp_info[c].h_samp_factor = jpeg.comp_info[c].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    if (spec->orientation) write_exif(&jpeg, spec);
    while (jpeg.next_scanline < jpeg.image_height) {
        uint8_t row[2000];
        size_t n = spec->width * spec->channels;
        memcpy(row, spec->pixels + jpeg.next_scanline * n, n);
        JSAMPROW rows = row;
        jpeg_write_scanlines(&jpeg, &rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_int_equal(fclose(file), 0);
}

#else

void pictures_write_jpeg(const char *root, const char *name, const Spec *spec) {
    (void)root, (void)name, (void)spec;
    skip();
}

#endif
