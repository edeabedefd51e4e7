#include "data/picture/exif.h"

#include <string.h>

#include "data/picture/formats.h"

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY = 12 };

typedef struct Tiff {
    const uint8_t *bytes;
    size_t n;
    bool big_endian;
} Tiff;

/* `size` (2 or 4) bytes at `at`; 0 outside of the file. */
static uint32_t number_at(const Tiff *tiff, size_t at, size_t size) {
    if (at > tiff->n || size > tiff->n - at) return 0;
    uint32_t value = 0;
    for (size_t k = 0; k < size; k++)
        value = value << 8 | tiff->bytes[at + (tiff->big_endian ? k : size - 1 - k)];
    return value;
}

unsigned exif_orientation(const uint8_t *bytes, size_t n) {
    Tiff tiff = {bytes, n, n >= 2 && bytes[0] == 'M'};
    bool known = n >= 8 && bytes[0] == bytes[1] && (tiff.big_endian || bytes[0] == 'I') &&
                 number_at(&tiff, 2, 2) == 42;
    if (!known) return 1;
    size_t at = number_at(&tiff, 4, 4), entries = number_at(&tiff, at, 2);
    for (size_t k = 0; k < entries; k++) {
        size_t entry = at + 2 + k * ENTRY;
        if (entry > n || ENTRY > n - entry) return 1;
        if (number_at(&tiff, entry, 2) != TAG_ORIENTATION) continue;
        uint32_t type = number_at(&tiff, entry + 2, 2),
                 count = number_at(&tiff, entry + 4, 4);
        if ((type != TYPE_SHORT && type != TYPE_LONG) || count != 1) return 1;
        uint32_t value = number_at(&tiff, entry + 8, type == TYPE_SHORT ? 2 : 4);
        return value >= 1 && value <= 8 ? value : 1;
    }
    return 1;
}

/* Of value k: are rows and columns exchanged, and which side is then read from its
 * end? */
static const struct {
    bool swap, from_bottom, from_right;
} turns[9] = {
    [2] = {false, false, true}, [3] = {false, true, true}, [4] = {false, true, false},
    [5] = {true, false, false}, [6] = {true, true, false}, [7] = {true, true, true},
    [8] = {true, false, true},
};

void image_orient(Image *image, unsigned orientation) {
    CHECK(orientation >= 1 && orientation <= 8, "orientation %u", orientation);
    if (orientation == 1) return;
    bool swap = turns[orientation].swap;
    size_t height = image->height, width = image->width, channels = image->channels;
    Image turned = {0};
    image_resize_buffer(&turned, swap ? width : height, swap ? height : width, channels);
    uint8_t *to = turned.pixels;
    for (size_t y = 0; y < turned.height; y++)
        for (size_t x = 0; x < turned.width; x++, to += channels) {
            size_t row = swap ? x : y, column = swap ? y : x;
            if (turns[orientation].from_bottom) row = height - 1 - row;
            if (turns[orientation].from_right) column = width - 1 - column;
            memcpy(to, image->pixels + (row * width + column) * channels, channels);
        }
    image_swap(image, &turned);
    image_free(&turned);
}
