/* sweep.json of a sweep's folder. */
#include "tools/sweep/sweep.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Err err = ERR_NONE;
    size_t count = 0;
    fuzz_file("sweep.json", data, size);
    char **words = sweep_load_words(fuzz_folder(), &count, &err);
    for (size_t i = 0; words && i < count; i++) mem_free(words[i]);
    mem_free(words);
    return 0;
}
