/* BPE codes: what loads can be saved, loaded again, and applied. */
#include <string.h>

#include "data/text/bpe.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Err err = ERR_NONE;
    const char *path = fuzz_file("codes", data, size);
    Bpe *bpe = bpe_load(path, NULL, &err);
    if (!bpe) return 0;
    TextBuffer pieces = {0};
    bpe_split(bpe, "banana", 6, &pieces);
    bpe_split(bpe, "caf\xC3\xA9", 5, &pieces);
    text_free(&pieces);
    FILE *file = fopen(path, "wb");
    fuzz_expect(file != NULL);
    bpe_write(bpe, file);
    fuzz_expect(!fclose(file));
    Bpe *again = bpe_load(path, NULL, &err);
    fuzz_expect(again && bpe_merge_count(again) == bpe_merge_count(bpe));
    bpe_free(again);
    bpe_free(bpe);
    return 0;
}
