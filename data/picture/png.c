#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/picture/exif.h"
#include "data/picture/formats.h"

/* What a decoding owns, outside of the function that setjmp returns to. */
typedef struct PngJob {
    png_structp png;
    png_infop info;
    uint8_t *rows; /* RGBA: one row, or the whole picture when it is interlaced */
    char reason[200];
    jmp_buf escape;
} PngJob;

static _Noreturn void on_error(png_structp png, png_const_charp reason) {
    PngJob *job = png_get_error_ptr(png);
    snprintf(job->reason, sizeof job->reason, "%s", reason);
    longjmp(job->escape, 1);
}

static void on_warning(png_structp png, png_const_charp reason) {
    (void)png;
    (void)reason;
}

static void read_bytes(png_structp png, png_bytep to, size_t n) {
    FILE *file = png_get_io_ptr(png);
    if (fread(to, 1, n, file) != n) png_error(png, "the file is truncated");
}

static size_t file_length(FILE *file) {
    struct stat info;
    return fstat(fileno(file), &info) ? 0 : (size_t)info.st_size;
}

/* Refuses what a file of its length cannot hold: deflate shrinks 1032 times at best. */
static void check_size(PngJob *job, FILE *file) {
    size_t height = png_get_image_height(job->png, job->info);
    size_t width = png_get_image_width(job->png, job->info);
    if (height > PICTURE_PIXELS_MAX / width) png_error(job->png, "more than 2^28 pixels");
    size_t bytes = height * (size_t)png_get_rowbytes(job->png, job->info);
    if (bytes / 1032 > file_length(file)) png_error(job->png, "too short for its size");
}

/* Whatever the file has becomes rows of 8-bit RGBA. */
static int ask_for_rgba(PngJob *job) {
    png_set_expand(job->png);
    png_set_scale_16(job->png);
    png_set_gray_to_rgb(job->png);
    png_set_add_alpha(job->png, 0xFF, PNG_FILLER_AFTER);
    int passes = png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
    return passes;
}

/* c = a c + (1 - a) background, rounded. */
static void store_row(const uint8_t *rgba, const uint8_t background[3], size_t y,
                      PictureTraits *traits, Image *image) {
    uint8_t *to = image->pixels + y * image->width * image->channels, opaque = 255;
    for (size_t x = 0; x < image->width; x++, rgba += 4) {
        uint8_t rgb[3], alpha = rgba[3];
        opaque &= alpha;
        for (size_t c = 0; c < 3; c++)
            rgb[c] =
                (uint8_t)((rgba[c] * alpha + background[c] * (255 - alpha) + 127) / 255);
        if (image->channels == 3)
            for (size_t c = 0; c < 3; c++) *to++ = rgb[c];
        else *to++ = image_grey(rgb, 3);
    }
    if (opaque != 255) traits->clear = true;
}

static void read_rows(PngJob *job, const PictureReading *how, PictureTraits *traits,
                      Image *image) {
    int passes = ask_for_rgba(job);
    size_t stride = 4 * image->width;
    job->rows = mem_alloc(stride * (passes > 1 ? image->height : 1));
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < image->height; y++) {
            uint8_t *row = job->rows + (passes > 1 ? y * stride : 0);
            png_read_row(job->png, row, NULL);
            if (pass == passes - 1) store_row(row, how->background, y, traits, image);
        }
    png_read_end(job->png, job->info);
}

/* The eXIf chunk may follow the pixels. */
static unsigned find_orientation(const PngJob *job) {
    png_uint_32 length;
    png_bytep exif;
    if (!png_get_eXIf_1(job->png, job->info, &length, &exif)) return 1;
    return exif_orientation(exif, length);
}

static bool decode(PngJob *job, FILE *file, const PictureReading *how,
                   PictureTraits *traits, Image *image) {
    if (setjmp(job->escape)) return false;
    job->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
    CHECK(job->png, "libpng refuses %s", PNG_LIBPNG_VER_STRING);
    job->info = png_create_info_struct(job->png);
    png_set_read_fn(job->png, file, read_bytes);
    png_set_user_limits(job->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_read_info(job->png, job->info);
    check_size(job, file);
    image_resize_buffer(image, png_get_image_height(job->png, job->info),
                        png_get_image_width(job->png, job->info), how->channels);
    *traits = (PictureTraits){
        .grey = !(png_get_color_type(job->png, job->info) & PNG_COLOR_MASK_COLOR)};
    read_rows(job, how, traits, image);
    traits->orientation = find_orientation(job);
    return true;
}

Status png_read(FILE *file, const char *path, const PictureReading *how,
                PictureTraits *traits, Image *image, Err *err) {
    PngJob job = {0};
    bool good = decode(&job, file, how, traits, image);
    png_destroy_read_struct(&job.png, &job.info, NULL);
    mem_free(job.rows);
    return good ? OK
                : err_set(err, FAIL_DATA, "%s is a damaged PNG file: %s", path,
                          job.reason);
}

static bool encode(PngJob *job, FILE *file, const Image *image) {
    if (setjmp(job->escape)) return false;
    job->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
    CHECK(job->png, "libpng refuses %s", PNG_LIBPNG_VER_STRING);
    job->info = png_create_info_struct(job->png);
    png_init_io(job->png, file);
    png_set_IHDR(job->png, job->info, (png_uint_32)image->width,
                 (png_uint_32)image->height, 8,
                 image->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(job->png, job->info);
    for (size_t y = 0; y < image->height; y++)
        png_write_row(job->png, image->pixels + y * image->width * image->channels);
    png_write_end(job->png, job->info);
    return true;
}

Status image_write_png(const char *path, const Image *image, Err *err) {
    CHECK(image->channels == 1 || image->channels == 3, "%zu channels", image->channels);
    FILE *file = fopen(path, "wbe");
    if (!file)
        return err_set(err, FAIL_RUN, "%s cannot be written: %s", path, strerror(errno));
    PngJob job = {0};
    errno = 0;
    bool good = encode(&job, file, image);
    png_destroy_write_struct(&job.png, &job.info);
    if (fclose(file)) good = false;
    if (good) return OK;
    err_set(err, FAIL_RUN, "%s cannot be written: %s", path,
            errno ? strerror(errno) : job.reason);
    unlink(path);
    return FAIL_RUN;
}
