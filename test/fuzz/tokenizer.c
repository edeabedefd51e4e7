/* A run's tokenizer, three files: what loads encodes and decodes, and saves
 * to what loads again. */
#include <string.h>

#include "data/text/tokenizer.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const NAMES[] = {"text.tokenizer", "text.vocab", "text.codes",
                                        NULL};
    static const char LINE[] = "a banana caf\xC3\xA9, 10\xC2\xA0km";
    Err err = ERR_NONE;
    fuzz_files(NAMES, data, size);
    Tokenizer *t = tokenizer_load(fuzz_folder(), "text", &err);
    if (!t) return 0;
    IdList ids = {0};
    TextBuffer text = {0};
    tokenizer_prepare(t, LINE, strlen(LINE), &text);
    tokenizer_encode(t, LINE, strlen(LINE), &ids, &err);
    for (size_t i = 0; i < ids.count; i++) fuzz_expect(ids.ids[i] < tokenizer_size(t));
    tokenizer_decode(t, ids.ids, ids.count, &text);
    err = ERR_NONE;
    fuzz_expect(!tokenizer_save(t, fuzz_folder(), "text", &err));
    Tokenizer *again = tokenizer_load(fuzz_folder(), "text", &err);
    fuzz_expect(again && tokenizer_same(t, again));
    tokenizer_free(again);
    tokenizer_free(t);
    idlist_free(&ids);
    text_free(&text);
    return 0;
}
