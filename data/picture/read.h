/* read: picture files as pixels, and pixels as PNG files.
 *
 *     PictureReading how = picture_reading(&config);
 *     Image image = {0};
 *     if (image_read("cat.jpg", &how, &image, &err)) return err.status;
 *     image_free(&image);
 *
 * The decoders are in data/picture/formats.h. */
#ifndef STEADY_PICTURE_READ_H
#define STEADY_PICTURE_READ_H

#include "data/config.h"
#include "data/picture/image.h"

/* What a picture file is, as far as its pixels do not show it. */
typedef struct PictureTraits {
    unsigned orientation; /* of its Exif data, 1-8; applied (data/picture/exif.h) */
    bool grey;            /* the file holds no colour */
    bool inks;            /* CMYK or YCCK, converted without a colour profile */
    bool clear;           /* a pixel is transparent, in part at least */
} PictureTraits;

typedef struct PictureReading {
    size_t channels;       /* 1 (grey) or 3 (RGB) */
    uint8_t background[3]; /* RGB behind what is transparent */
    PictureTraits *traits; /* to be filled; NULL: not wanted */
} PictureReading;

/* What data.channels and data.background say; a background that is none is black. */
PictureReading picture_reading(const DataConfig *config);

/* "black", "white", "grey" (128), one level 0-255, or three as R,G,B.  FAIL_USAGE. */
Status background_parse(const char *text, uint8_t rgb[3], Err *err);

/* Reads one picture file (PNG; JPEG where it is built in), recognised by content, as
 * 8-bit pixels: transparent ones are laid over the background, 16 bits are reduced, Exif
 * orientation is applied, CMYK becomes RGB (with the marker of Adobe the inks are
 * inverted), gamma and colour profiles are ignored.  FAIL_DATA: not such a file (other
 * kinds are named), truncated, damaged, or more than 2^28 pixels.  FAIL_RUN: a JPEG file
 * in a program that was built without JPEG. */
Status image_read(const char *path, const PictureReading *how, Image *image, Err *err);

/* Does the file begin as a PNG or JPEG file does? */
bool image_is_picture(const char *path);

/* Writes 1 (grey) or 3 (RGB) channels.  A file that could not be written whole is
 * removed. */
Status image_write_png(const char *path, const Image *image, Err *err);

#endif
