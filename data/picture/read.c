#include "data/picture/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/openfile.h"
#include "data/picture/exif.h"
#include "data/picture/formats.h"

/* The first bytes of a file as text, for messages: "Hello\n" shows as Hello.. */
static void show_start(const uint8_t *bytes, size_t n, char text[32]) {
    for (size_t i = 0; i < n; i++)
        text[i] = bytes[i] >= 32 && bytes[i] < 127 ? (char)bytes[i] : '.';
    text[n] = 0;
}

/* First bytes of the kinds of files that get among pictures; `at` 4: behind
 * the length of a box. */
static const struct {
    size_t at, n;
    const char *bytes;
    PictureKind kind;
} kinds[] = {
    {0, 8, "\x89PNG\r\n\x1A\n", {"PNG", png_read}},
    {0, 3, "\xFF\xD8\xFF", {"JPEG", jpeg_read}},
    {8, 4, "WEBP", {"WebP", NULL}},
    {0, 4, "GIF8", {"GIF", NULL}},
    {0, 4, "II*", {"TIFF", NULL}},
    {0, 4, "MM\0*", {"TIFF", NULL}},
    {4, 8, "ftypavif", {"AVIF", NULL}},
    {4, 6, "ftyphe", {"HEIC", NULL}},
    {4, 7, "ftypmif", {"HEIF", NULL}},
    {0, 2, "\xFF\x0A", {"JPEG XL", NULL}},
    {4, 4, "JXL ", {"JPEG XL", NULL}},
    {4, 4, "jP  ", {"JPEG 2000", NULL}},
    {0, 4, "8BPS", {"Photoshop", NULL}},
    {0, 4, "%PDF", {"PDF", NULL}},
    {0, 2, "BM", {"BMP", NULL}},
};

PictureKind picture_kind(const uint8_t *start, size_t n) {
    for (size_t k = 0; k < COUNT(kinds); k++)
        if (kinds[k].at + kinds[k].n <= n &&
            !memcmp(start + kinds[k].at, kinds[k].bytes, kinds[k].n))
            return kinds[k].kind;
    return (PictureKind){0};
}

static Status read_by_content(FILE *file, const char *path, const PictureReading *how,
                              Image *image, Err *err) {
    uint8_t start[PICTURE_START];
    size_t n = fread(start, 1, sizeof start, file);
    rewind(file);
    PictureKind kind = picture_kind(start, n);
    if (n == 0) return err_set(err, FAIL_DATA, "%s is empty", path);
    if (kind.decode) {
        PictureTraits own, *traits = how->traits ? how->traits : &own;
        Status status = kind.decode(file, path, how, traits, image, err);
        if (!status) image_orient(image, traits->orientation);
        return status;
    }
    if (kind.name)
        return err_set(err, FAIL_DATA,
                       "%s is a %s file, not PNG or JPEG; convert it (magick, ffmpeg)",
                       path, kind.name);
    char text[32];
    show_start(start, MIN(n, (size_t)8), text);
    return err_set(err, FAIL_DATA, "%s is not PNG or JPEG: it begins with \"%s\"", path,
                   text);
}

bool image_is_picture(const char *path) {
    uint8_t start[PICTURE_START];
    FILE *file = openfile_stream(path, NULL, NULL);
    size_t n = file ? fread(start, 1, sizeof start, file) : 0;
    if (file) fclose(file);
    return picture_kind(start, n).decode != NULL;
}

Status image_read(const char *path, const PictureReading *how, Image *image, Err *err) {
    CHECK(how->channels == 1 || how->channels == 3, "image_read: %zu channels",
          how->channels);
    FILE *file = openfile_stream(path, NULL, err);
    if (!file) return FAIL_DATA;
    Status status = read_by_content(file, path, how, image, err);
    fclose(file);
    return status;
}

/* ---- the background of transparent pixels ---- */

static const struct {
    const char *name;
    uint8_t level;
} backgrounds[] = {{"black", 0}, {"white", 255}, {"grey", 128}};

/* Levels 0-255 with commas between them; how many, 0 where the text is another. */
static size_t parse_levels(const char *text, uint8_t level[3]) {
    size_t count = 0;
    while (count < 3) {
        char *end;
        if (*text < '0' || *text > '9') return 0;
        unsigned long value = strtoul(text, &end, 10);
        if (value > 255) return 0;
        level[count++] = (uint8_t)value;
        if (!*end) return count;
        if (*end != ',') return 0;
        text = end + 1;
    }
    return 0;
}

Status background_parse(const char *text, uint8_t rgb[3], Err *err) {
    for (size_t k = 0; k < COUNT(backgrounds); k++)
        if (!strcmp(text, backgrounds[k].name)) {
            memset(rgb, backgrounds[k].level, 3);
            return OK;
        }
    size_t count = parse_levels(text, rgb);
    if (count == 1) rgb[1] = rgb[2] = rgb[0];
    if (count == 1 || count == 3) return OK;
    memset(rgb, 0, 3);
    return err_set(
        err, FAIL_USAGE,
        "data.background = %.40s: expected black, white, grey, a level 0-255, or "
        "three of them as R,G,B",
        text);
}

PictureReading picture_reading(const DataConfig *config) {
    PictureReading how = {.channels = config->channels ? config->channels : 3};
    if (*config->background) background_parse(config->background, how.background, NULL);
    return how;
}
