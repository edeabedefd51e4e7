/* audio: recordings as samples: WAV, FLAC and whatever else libsndfile reads.
 *
 *     Audio audio = {0};
 *     if (audio_read(path, NULL, &audio, &err)) return err.status;
 *     use(audio.samples, audio.count, audio.rate);
 *     audio_free(&audio);
 *
 * Channels are averaged; integers of 8 to 32 bits become -1 ... 1, floats stay as they
 * are.  Where channels cancel each other the loudest is taken instead.  A length of 0, or
 * one that a program writes that cannot go back (WAV 0xFFFFFFFF, FLAC without a count),
 * means: to the end of the file, as players do.  Nothing is resampled:
 * data/speech/logmel.h scales with the rate.  Thread-safe.  A program built without
 * libsndfile answers every call with FAIL_RUN. */
#ifndef STEADY_AUDIO_H
#define STEADY_AUDIO_H

#include "engine/core/base.h"

/* What is outside is refused: a longer recording has to be cut into utterances. */
enum { AUDIO_RATE_LEAST = 4000, AUDIO_RATE_MOST = 96000, AUDIO_SECONDS_MOST = 3600 };
enum { AUDIO_CHANNELS_MOST = 64 };

/* A piece of a recording. */
typedef struct AudioSpan {
    double start, seconds; /* 0 seconds, or more than there are: to the end */
} AudioSpan;

/* What a recording has that can be read, but that one would want to know of. */
typedef struct AudioTraits {
    bool silent; /* one value throughout, or two that are 1/32768 apart */
    /* from 1: the one that is used, since they cancel each other; 0: all */
    size_t channel;
    double clipped; /* share of values at full scale beside an equal one */
    size_t behind;  /* bytes after the end of its samples that belong to nothing */
} AudioTraits;

#define AUDIO_CLIPPED 0.01 /* a share of `clipped` from here on is worth a word */

typedef struct Audio {
    float *samples; /* [count] */
    size_t count;
    size_t rate; /* a second */
    /* samples of the whole recording, also where the span is refused; 0: unknown */
    size_t whole;
    AudioTraits traits;
    size_t room; /* of samples; it is kept when the struct is read into again */
} Audio;

/* The span, NULL: the whole recording.  FAIL_DATA with the file's name: missing, not a
 * regular file, not audio (data/speech/audiokind.h says what it is), no samples, cut
 * short (its header promises more than it holds), damaged, samples that are NaN, infinite
 * or beyond 1e9, a span of more than an hour or behind the end, a rate beyond the limits.
 * After a failure the contents mean nothing, but audio_free is still due. */
Status audio_read(const char *path, const AudioSpan *span, Audio *audio, Err *err);

/* The same checks without keeping samples.  Not `thorough`, for sets of a thousand
 * hours: files of integers are read at their ends and from the start until there is a
 * sound, which shows all but damage in the middle, clipping and channels that cancel
 * each other in part. */
Status audio_check(const char *path, const AudioSpan *span, bool thorough, Audio *audio,
                   Err *err);

void audio_free(Audio *audio); /* back to {0} */

#endif
