/* image: the bytes of one picture.
 *
 *     Image image = {0};
 *     image_resize_buffer(&image, 28, 28, 1);
 *     image.pixels[y * image.width + x] = 255;
 *     image_free(&image);
 *
 * Not for: files (data/picture/read.h) and changes of pixels (data/picture/pixels.h). */
#ifndef STEADY_IMAGE_H
#define STEADY_IMAGE_H

#include "engine/core/base.h"

/* Bytes of one picture, interleaved: pixels[(y * width + x) * channels + c]. */
typedef struct Image {
    uint8_t *pixels;
    size_t height, width, channels;
    size_t capacity; /* bytes that pixels has room for; 0: pixels are borrowed */
} Image;

/* Sets the size, with room for its pixels (grown, never shrunk); contents are
 * undefined. */
void image_resize_buffer(Image *image, size_t height, size_t width, size_t channels);
void image_free(Image *image);

void image_swap(Image *a, Image *b);
/* `to` becomes the same picture, with pixels of its own. */
void image_copy(const Image *from, Image *to);

/* Grey value of one pixel: ITU-R 601 luma of RGB, the value itself of grey. */
uint8_t image_grey(const uint8_t *pixel, size_t channels);

#endif
