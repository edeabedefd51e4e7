/* exif: how a camera was held, and pictures turned by it.
 *
 *     unsigned orientation = exif_orientation(bytes, n);      from "II*" or "MM*" on
 *     image_orient(&image, orientation);
 *
 * Not for: the rest of Exif (JEITA CP-3451), and XMP, which can say the same. */
#ifndef STEADY_EXIF_H
#define STEADY_EXIF_H

#include "data/picture/image.h"

/* Tag 0x0112 of the first directory of a TIFF header of n bytes: 1 (as it is) ... 8; 1
 * too where there is none, or where the bytes are not what they should be. */
unsigned exif_orientation(const uint8_t *tiff, size_t n);

/* Rows and columns as a viewer shows them: 2 mirrors left and right, 3 turns by 180
 * degrees, 4 mirrors top and bottom, 5 transposes, 6 turns clockwise by 90 degrees, 7
 * transposes over the other diagonal, 8 turns counterclockwise. */
void image_orient(Image *image, unsigned orientation);

#endif
