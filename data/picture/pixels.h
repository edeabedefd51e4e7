/* pixels: the changes of 8-bit pictures that augmentation is made of.
 *
 * They follow Pillow (its Geometry.c, ImageOps, ImageEnhance, Convert.c), and
 * torchvision where it uses Pillow, so that recipes written for those mean the same here:
 * equal to the bit in 3,000 random cases each, hue and luma for every colour, with two
 * exceptions.  A fused multiply-add can put autocontrast, and a factor whose product with
 * a level is a whole number, one level lower or higher; a blur differs by one level in 1
 * of 80,000 places, where its sum is halfway.  No function here draws random numbers. */
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
void image_greyscale(Image *image);               /* luma in the first three channels */
void image_posterize(Image *image, int bits);     /* keep the upper 0-8 bits */
void image_solarize(Image *image, int threshold); /* invert p >= threshold */
void image_solarize_add(Image *image, int added); /* p < 128: min(255, p + added) */

/* factor 1 changes nothing, 0 gives grey, mean grey, black and smooth. */
void image_saturate(Image *image, double factor);
void image_contrast(Image *image, double factor);
void image_brighten(Image *image, double factor);
void image_sharpen(Image *image, double factor, Image *spare);

/* hue.c: turns the hue by a share of the circle, -0.5 ... 0.5, in 8-bit HSV as
 * torchvision does; the three levels of a grey pixel, and pictures of fewer than three
 * channels, stay. */
void image_hue(Image *image, double turn);

/* blur.c */

/* Pixels to each side that a blur reaches: SimCLR's kernel is a tenth of the shorter side
 * wide and odd, 2 * floor(side / 20) + 1, at least 3. */
size_t blur_reach(size_t height, size_t width);
/* Gaussian kernel of 2 * reach + 1 pixels, sigma > 0 in pixels, weights normalised;
 * beyond the edge is the picture's mirror image, the edge itself once; reach < both
 * sides.  In float, rounded once; `spare` changes places with the image. */
void image_blur(Image *image, size_t reach, double sigma, Image *spare);

#endif
