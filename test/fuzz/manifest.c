/* A manifest of recordings. */
#include <string.h>

#include "data/speech/set.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SpeechConfig config = speech_config_default();
    Err err = ERR_NONE;
    if (!size) return 0;
    fuzz_file("m.json", data + 1, size - 1);
    config.source = SOURCE_MANIFEST;
    text_format(config.path, sizeof config.path, "%s", fuzz_folder());
    strcpy(config.train, "m.json");
    config.on_error = data[0] & 1 ? ON_ERROR_SKIP : ON_ERROR_STOP;
    speechset_free(speechset_open(&config, SPLIT_TRAIN, &err));
    return 0;
}
