/* Pairs of sentences with a dictionary: four files. */
#include <string.h>

#include "data/text/set.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const NAMES[] = {"t.de", "t.en", "source.dict", "target.dict",
                                        NULL};
    DataConfig config = data_config_default();
    Err err = ERR_NONE;
    if (!size) return 0;
    fuzz_files(NAMES, data + 1, size - 1);
    config.source = SOURCE_PARALLEL;
    text_format(config.path, sizeof config.path, "%s/t", fuzz_folder());
    strcpy(config.source_lang, "de");
    strcpy(config.target_lang, "en");
    config.tokens = TOKENS_WORD;
    config.min_count = 1;
    config.max_length = 100;
    config.drop_long = data[0] & 1;
    config.lowercase = data[0] & 2;
    config.val_fraction = data[0] & 4 ? 0.5 : 0;
    config.word_split = data[0] & 8 ? SPLIT_WORDS_13A : SPLIT_WORDS_NONE;
    if (data[0] & 16)
        text_format(config.source_vocab, sizeof config.source_vocab, "%s/source.dict",
                    fuzz_folder());
    if (data[0] & 16)
        text_format(config.target_vocab, sizeof config.target_vocab, "%s/target.dict",
                    fuzz_folder());
    Texts texts;
    if (!texts_open(&texts, &config, true, &err)) texts_close(&texts);
    return 0;
}
