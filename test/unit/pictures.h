/* pictures: PNG and JPEG files of every kind, written with libpng and libjpeg for tests
 * of what reads them.
 *
 *     Spec spec = {.channels = 4, .height = 2, .width = 3, .pixels = rgba, .orientation = 6};
 *     pictures_write_png(*state, "train/a/1.png", &spec);
 */
#ifndef STEADY_TEST_PICTURES_H
#define STEADY_TEST_PICTURES_H

#include "engine/core/base.h"

typedef struct Spec {
    /* PNG: 1 grey, 2 with alpha, 3 RGB, 4 with alpha; JPEG: 1, 3, 4 inks */
    size_t height, width, channels;
    /* [height, width, channels]; of 16 bits: the high byte, the low is 77 */
    const uint8_t *pixels;
    unsigned orientation;                /* of Exif data; 0: none are written */
    bool little_endian;                  /* Exif data */
    bool sixteen, interlaced, late_exif; /* PNG */
    bool adobe, ycck;                    /* JPEG of four inks */
} Spec;

void pictures_write_png(const char *root, const char *name, const Spec *spec);
/* Entry p of the palette is grey 10 p, and opaque but for entry 0 with alpha 51. */
void pictures_write_palette(const char *root, const char *name, const Spec *spec);
void pictures_write_jpeg(const char *root, const char *name, const Spec *spec);

/* A TIFF header with this orientation alone; returns its length. */
enum { EXIF_BYTES = 26 };
size_t pictures_exif(uint8_t bytes[EXIF_BYTES], unsigned orientation, bool little_endian);

#endif
