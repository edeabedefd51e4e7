/* pixels: the changes of 8-bit pictures that augmentation is made of.
 *
 * Geometry and colour follow Pillow (its Geometry.c, ImageOps, ImageEnhance), so that
 * recipes written for it mean the same here: equal to the bit in 3,000 random cases
 * each, but for autocontrast, which a fused multiply-add can put one level lower or
 * higher.  No function here draws random numbers. */
#ifndef STEADY_PIXELS_H
#define STEADY_PIXELS_H

#include "data/config.h"
#include "data/picture/image.h"

/* geometry.c */

/* to(x, y) = from(m0 x + m1 y + m2, m3 x + m4 y + m5) at pixel centres, bilinear or
 * bicubic (a = -1); `fill` outside. */
void image_affine(const Image *from, Image *to, const double m[6], bool cubic,
                  const uint8_t fill[CHANNELS_MAX]);
void image_flip(Image *image);
/* to(y, x) = from(y + top, x + left), 0 outside; top and left may be negative. */
void image_window(const Image *from, Image *to, ptrdiff_t top, ptrdiff_t left,
                  size_t height, size_t width);

/* colour.c: in place */

void image_autocontrast(Image *image); /* each channel to 0 ... 255 */
void image_equalize(Image *image);     /* each channel's histogram */
void image_invert(Image *image);
void image_posterize(Image *image, int bits);     /* keep the upper 0-8 bits */
void image_solarize(Image *image, int threshold); /* invert p >= threshold */
void image_solarize_add(Image *image, int added); /* p < 128: min(255, p + added) */

/* factor 1 changes nothing, 0 gives grey, mean grey, black and smooth. */
void image_saturate(Image *image, double factor);
void image_contrast(Image *image, double factor);
void image_brighten(Image *image, double factor);
void image_sharpen(Image *image, double factor, Image *spare);

#endif
