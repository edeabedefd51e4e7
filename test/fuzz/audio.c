/* A recording: what the check accepts can be read. */
#include "data/speech/audio.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Err err = ERR_NONE;
    Audio audio = {0};
    const AudioSpan span = {.start = 0.01, .seconds = 0.02};
    const char *path = fuzz_file("a.wav", data, size);
    if (!audio_check(path, NULL, size % 2, &audio, &err)) {
        audio_read(path, NULL, &audio, &err);
        audio_read(path, &span, &audio, &err);
    }
    audio_free(&audio);
    return 0;
}
