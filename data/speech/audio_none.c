#ifndef HAVE_SNDFILE

#include "data/speech/audio.h"

static Status refuse(const char *path, Err *err) {
    return err_set(err, FAIL_RUN,
                   "%s is a recording, but this program was built without libsndfile; "
                   "install it (libsndfile1-dev) and run ./configure again",
                   path);
}

Status audio_read(const char *path, const AudioSpan *span, Audio *audio, Err *err) {
    (void)span;
    (void)audio;
    return refuse(path, err);
}

Status audio_check(const char *path, const AudioSpan *span, bool thorough, Audio *audio,
                   Err *err) {
    (void)span;
    (void)thorough;
    (void)audio;
    return refuse(path, err);
}

void audio_free(Audio *audio) {
    mem_free(audio->samples);
    *audio = (Audio){0};
}

#endif
