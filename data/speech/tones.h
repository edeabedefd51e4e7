/* tones: built-in speech: digits spelled out in tones, for tests and a first look.
 *
 *     tones_text(7, SPLIT_TRAIN, i, &text);              "four nine one"
 *     tones_audio(7, SPLIT_TRAIN, i, &audio);            8 kHz
 *
 * Each letter is a pair of tones of its own, some 90 ms long, with a dip of loudness
 * before the next, and a breath between words.  Speed, pitch, loudness and noise
 * differ from one utterance to the next, so a model has to listen to the ratio of the
 * tones; nothing is ambiguous.  Both are functions of (seed, split, i); splits are
 * streams of their own. */
#ifndef STEADY_TONES_H
#define STEADY_TONES_H

#include "data/config.h"
#include "data/file/textbuffer.h"
#include "data/speech/audio.h"

enum { TONES_RATE = 8000, TONES_WORDS_MOST = 4 }; /* 1 ... 4 words an utterance */

/* Sets `text` to the words of utterance i, lower case, a blank between. */
void tones_text(uint64_t seed, Split split, size_t i, TextBuffer *text);

/* Its sound, within -1 ... 1; also in programs without libsndfile (free it with
 * audio_free). */
void tones_audio(uint64_t seed, Split split, size_t i, Audio *audio);

/* How many samples that will be. */
size_t tones_length(uint64_t seed, Split split, size_t i);

#endif
