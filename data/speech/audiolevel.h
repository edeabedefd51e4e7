/* audiolevel: how loud a recording and its channels are, gathered as it is read.
 *
 *     audiolevel_begin(&level, channels);
 *     audiolevel_add(&level, frames, count, mixed);             block by block
 *     AudioTraits traits = audiolevel_traits(&level);
 *
 * With e(x) = sum x^2 - (sum x)^2 / n, the energy without the constant part: channels
 * cancel each other where e of their sum is less than a hundredth (20 dB) of the loudest
 * one's.  The sum of unlike channels has more than that, and so has the sum with
 * channels that are empty. */
#ifndef STEADY_AUDIOLEVEL_H
#define STEADY_AUDIOLEVEL_H

#include "data/speech/audio.h"

/* The most that a value of 16 bits can change by and be called constant. */
#define AUDIO_SILENCE (1.0 / 32768)

typedef struct AudioLevel {
    size_t channels, count, full;
    float low, high; /* of the mean of the channels */
    float last[AUDIO_CHANNELS_MOST];
    /* last: the sum */
    double sum[AUDIO_CHANNELS_MOST + 1], squares[AUDIO_CHANNELS_MOST + 1];
} AudioLevel;

void audiolevel_begin(AudioLevel *level, size_t channels);
/* frames: [count, channels], mixed: [count] their means. */
void audiolevel_add(AudioLevel *level, const float *frames, size_t count,
                    const float *mixed);
bool audiolevel_silent(const AudioLevel *level);
AudioTraits audiolevel_traits(const AudioLevel *level);

#endif
