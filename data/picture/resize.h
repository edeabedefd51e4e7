/* resize: Pillow's separable resampling of 8-bit pictures, for part of a picture at a
 * time.
 *
 * Each output pixel is a weighted mean of the input around it; shrinking by s widens
 * the filter by s, so nothing is skipped.  Weights are rounded to 22 bits and the
 * picture between the passes to 8, as in Pillow's Resample.c, whose results these are
 * bit for bit up to Pillow 12.  Rows first, then columns; Pillow 13 turns that round for
 * some shapes, most of them becoming wider and less high, and differs there. */
#ifndef STEADY_RESIZE_H
#define STEADY_RESIZE_H

#include "data/picture/image.h"

typedef enum { FILTER_BILINEAR, FILTER_BICUBIC } Filter; /* bicubic: a = -0.5 */

typedef struct Box {
    size_t y, x, height, width;
} Box;

/* Memory that is kept from one picture to the next; {0} to begin with. */
typedef struct ResizeScratch {
    Image turned, narrow, middle;
    void *taps;
    size_t taps_bytes;
} ResizeScratch;

/* to = the box of `from`, height x width; nothing outside of the box is looked at. */
void resize_box(const Image *from, Box box, Image *to, size_t height, size_t width,
                Filter filter, ResizeScratch *scratch);
void resize_scratch_free(ResizeScratch *scratch);

/* Separable bicubic (a = -0.5, widened for shrinking), bit for bit as Pillow does it. */
void image_resize(const Image *from, Image *to, size_t height, size_t width);

#endif
