/* A chapter of LibriSpeech's: 1-7.trans.txt beside two recordings. */
#include <string.h>
#include <sys/stat.h>

#include "data/speech/set.h"
#include "test/fuzz/fuzz.h"

enum { SECOND = 8000 };

/* The folders and recordings, once; the second one is not a WAV file. */
static void make_chapter(void) {
    static const uint8_t HEAD[] = "RIFF\x24\x3e\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0"
                                  "\x80\x3e\0\0\2\0\x10\0data\0\x3e\0\0";
    static uint8_t wav[44 + 2 * SECOND];
    char path[200];
    memcpy(wav, HEAD, 44);
    for (size_t i = 44; i < sizeof wav; i++) wav[i] = (uint8_t)(i * 7 % 61);
    static const char *const FOLDERS[] = {"train-clean", "train-clean/1",
                                          "train-clean/1/7"};
    for (size_t i = 0; i < COUNT(FOLDERS); i++) {
        text_format(path, sizeof path, "%s/%s", fuzz_folder(), FOLDERS[i]);
        fuzz_expect(!mkdir(path, 0700));
    }
    fuzz_file("train-clean/1/7/1-7-0000.wav", wav, sizeof wav);
    fuzz_file("train-clean/1/7/1-7-0001.wav", wav + 1, 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool made;
    SpeechConfig config = speech_config_default();
    Err err = ERR_NONE;
    if (!made) make_chapter();
    made = true;
    if (!size) return 0;
    fuzz_file("train-clean/1/7/1-7.trans.txt", data + 1, size - 1);
    text_format(config.path, sizeof config.path, "%s", fuzz_folder());
    strcpy(config.train, "train-clean");
    config.on_error = data[0] & 1 ? ON_ERROR_SKIP : ON_ERROR_STOP;
    config.speeds = data[0] & 2;
    config.limit = data[0] & 4 ? 1 : 0;
    speechset_free(speechset_open(&config, SPLIT_TRAIN, &err));
    return 0;
}
