#include "data/picture/image.h"

#include "data/picture/planes.h"

#include <string.h>

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

void image_copy(const Image *from, Image *to) {
    image_resize_buffer(to, from->height, from->width, from->channels);
    memcpy(to->pixels, from->pixels, from->height * from->width * from->channels);
}

uint8_t image_grey(const uint8_t *pixel, size_t channels) {
    return channels >= 3 ? luma(pixel[0], pixel[1], pixel[2]) : pixel[0];
}
