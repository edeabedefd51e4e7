/* A PNG or a JPEG file, by its content. */
#include "data/picture/read.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Image image;
    Err err = ERR_NONE;
    const char *path = fuzz_file("a.png", data, size);
    for (size_t channels = 1; channels <= 3; channels += 2) {
        PictureReading how = {.channels = channels};
        if (image_read(path, &how, &image, &err)) continue;
        fuzz_expect(image.channels == channels && image.width && image.height);
        size_t sum = 0;
        for (size_t i = 0; i < image.width * image.height * channels; i++)
            sum += image.pixels[i];
        fuzz_expect(sum <= 255 * image.width * image.height * channels);
    }
    return 0;
}
