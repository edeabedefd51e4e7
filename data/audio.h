/* audio: recordings as samples: WAV, FLAC and whatever else libsndfile reads.
 *
 *     Audio audio = {0};
 *     if (audio_read(path, &audio, &err)) return err.status;
 *     use(audio.samples, audio.count, audio.rate);
 *     audio_free(&audio);
 *
 * Channels are averaged; integers of 8 to 32 bits become -1 ... 1, floats stay as they are.
 * Nothing is resampled: data/logmel.h scales with the rate.  Thread-safe.  A program built without
 * libsndfile answers every call with FAIL_RUN. */
#ifndef STEADY_AUDIO_H
#define STEADY_AUDIO_H

#include "engine/core/base.h"

/* What is outside is refused: a longer recording has to be cut into utterances. */
enum { AUDIO_RATE_LEAST = 4000, AUDIO_RATE_MOST = 96000, AUDIO_SECONDS_MOST = 3600 };
enum { AUDIO_CHANNELS_MOST = 64 };

typedef struct Audio {
    float *samples; /* [count] */
    size_t count;
    size_t rate; /* a second */
    size_t room; /* of samples; it is kept when the struct is read into again */
} Audio;

/* The whole file.  FAIL_DATA with the file's name: missing, not a regular file, not audio, no
 * samples, cut short (its header promises more than it holds), damaged, samples that are NaN,
 * infinite or beyond 1e9, more than an hour, a rate beyond the limits.  After a failure the
 * contents mean nothing, but audio_free is still due. */
Status audio_read(const char *path, Audio *audio, Err *err);

/* The same checks without keeping samples, for sets of a thousand hours: files of integers are
 * read at their ends alone, which shows all but damage in their middle.  Sets count and rate. */
Status audio_check(const char *path, size_t *count, size_t *rate, Err *err);

void audio_free(Audio *audio); /* back to {0} */

#endif
