/* A recording: what the check accepts can be read. */
#include "data/audio.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Err err = ERR_NONE;
    size_t count, rate;
    const char *path = fuzz_file("a.wav", data, size);
    if (audio_check(path, &count, &rate, &err)) return 0;
    Audio audio = {0};
    if (!audio_read(path, &audio, &err)) audio_free(&audio);
    return 0;
}
