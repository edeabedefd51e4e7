/* Exif data of a picture, from their TIFF header on. */
#include "data/picture/exif.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned orientation = exif_orientation(data, size);
    fuzz_expect(orientation >= 1 && orientation <= 8);
    return 0;
}
