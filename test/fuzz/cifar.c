/* CIFAR's binary batches. */
#include "test/fuzz/sets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_file("data_batch_1.bin", data, size);
    fuzz_file("test_batch.bin", data, size);
    sets_walk(SOURCE_CIFAR);
    return 0;
}
