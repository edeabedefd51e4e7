/* formats: the picture decoders behind image_read, and helpers that picture code
 * shares. */
#ifndef STEADY_FORMATS_H
#define STEADY_FORMATS_H

#include <stdio.h>

#include "data/picture/read.h"

/* A picture that claims more is refused before memory is taken for it. */
#define PICTURE_PIXELS_MAX ((size_t)1 << 28)

/* `file` is at its start, and the file begins as its format does; see image_read.
 * The picture is as in the file, not rotated yet; all traits are filled. */
typedef Status PictureDecoder(FILE *file, const char *path, const PictureReading *how,
                              PictureTraits *traits, Image *image, Err *err);
PictureDecoder png_read, jpeg_read;

/* What a file is by its first n <= PICTURE_START bytes; of one that we do not read the
 * decoder is NULL, of one that we do not know all is. */
enum { PICTURE_START = 16 };
typedef struct PictureKind {
    const char *name; /* "PNG", "WebP" */
    PictureDecoder *decode;
} PictureKind;
PictureKind picture_kind(const uint8_t *start, size_t n);

#endif
