#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/formats.h"

void image_resize_buffer(Image *image, size_t height, size_t width, size_t channels) {
    size_t area, bytes;
    CHECK(size_mul(height, width, &area) && size_mul(area, channels, &bytes),
          "picture of %zu x %zu x %zu", height, width, channels);
    if (bytes > image->capacity) {
        image_free(image);
        image->pixels = mem_alloc(bytes);
        image->capacity = bytes;
    }
    image->height = height;
    image->width = width;
    image->channels = channels;
}

void image_free(Image *image) {
    if (image->capacity) mem_free(image->pixels);
    *image = (Image){0};
}

void image_swap(Image *a, Image *b) {
    Image kept = *a;
    *a = *b;
    *b = kept;
}

/* ITU-R 601 luma as Pillow rounds it; equal channels give themselves. */
static uint8_t luma(const uint8_t *rgb) {
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 0x8000u) >>
                     16);
}

uint8_t image_grey(const uint8_t *pixel, size_t channels) {
    return channels >= 3 ? luma(pixel) : pixel[0];
}

/* The first bytes of a file as text, for messages: "Hello\n" shows as Hello.. */
static void show_start(const uint8_t *bytes, size_t n, char text[32]) {
    for (size_t i = 0; i < n; i++)
        text[i] = bytes[i] >= 32 && bytes[i] < 127 ? (char)bytes[i] : '.';
    text[n] = 0;
}

static Status read_by_content(FILE *file, const char *path, size_t channels, Image *image,
                              Err *err) {
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    static const uint8_t jpeg[3] = {0xFF, 0xD8, 0xFF};
    uint8_t start[8];
    size_t n = fread(start, 1, sizeof start, file);
    rewind(file);
    if (n == 8 && !memcmp(start, png, 8))
        return png_read(file, path, channels, image, err);
    if (n >= 3 && !memcmp(start, jpeg, 3))
        return jpeg_read(file, path, channels, image, err);
    if (n == 0) return err_set(err, FAIL_DATA, "%s is empty", path);
    char text[32];
    show_start(start, n, text);
    return err_set(err, FAIL_DATA, "%s is neither PNG nor JPEG: it begins with \"%s\"",
                   path, text);
}

Status image_read(const char *path, size_t channels, Image *image, Err *err) {
    CHECK(channels == 1 || channels == 3, "image_read: %zu channels", channels);
    struct stat info;
    if (stat(path, &info))
        return err_set(err, FAIL_DATA, "%s cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return err_set(err, FAIL_DATA, "%s is not a regular file", path);
    FILE *file = fopen(path, "rbe");
    if (!file)
        return err_set(err, FAIL_DATA, "%s cannot be opened: %s", path, strerror(errno));
    Status status = read_by_content(file, path, channels, image, err);
    fclose(file);
    return status;
}
