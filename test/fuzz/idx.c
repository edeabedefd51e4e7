/* IDX pictures and labels: the first two bytes say how long the pictures' file is. */
#include "test/fuzz/sets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    size_t cut = (size_t)(data[0] | data[1] << 8) % (size - 1);
    data += 2, size -= 2;
    cut = MIN(cut, size);
    fuzz_file("train-images-idx3-ubyte", data, cut);
    fuzz_file("train-labels-idx1-ubyte", data + cut, size - cut);
    fuzz_file("t10k-images-idx3-ubyte", data, cut);
    fuzz_file("t10k-labels-idx1-ubyte", data + cut, size - cut);
    sets_walk(SOURCE_IDX);
    return 0;
}
