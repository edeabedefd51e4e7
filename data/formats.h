/* formats: the picture decoders behind image_read, and helpers that picture code
 * shares. */
#ifndef STEADY_FORMATS_H
#define STEADY_FORMATS_H

#include <stdio.h>

#include "data/dataset.h"

/* A picture that claims more is refused before memory is taken for it. */
#define PICTURE_PIXELS_MAX ((size_t)1 << 28)

/* `file` stands at the start of a file that begins as its format does; see image_read. */
Status png_read(FILE *file, const char *path, size_t channels, Image *image, Err *err);
Status jpeg_read(FILE *file, const char *path, size_t channels, Image *image, Err *err);

void image_swap(Image *a, Image *b);

/* Grey value of one pixel: ITU-R 601 luma of RGB, the value itself of grey. */
uint8_t image_grey(const uint8_t *pixel, size_t channels);

#endif
