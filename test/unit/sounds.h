/* sounds: small recordings made on the spot, good ones and bad ones.
 *
 *     sound_wav(*state, "train/1/1/1-1-0000.wav", 16, 1, false);
 *     sound_patch(*state, "x.wav", 40, 0xFFFFFFFF);                 the header's promise
 *
 * Each is SOUND_COUNT samples at 8 kHz (one second), a slow ramp with a tone on it. */
#ifndef STEADY_TEST_SOUNDS_H
#define STEADY_TEST_SOUNDS_H

#include "engine/core/base.h"

enum { SOUND_COUNT = 8000 };

double sound_ramp(size_t i); /* sample i, within -0.9 ... 0.9 */

/* Bytes of a WAV file with a header of 44 bytes: `bits` 8, 16, 24, 32 or 64 (floats).
 * Channels differ by what cancels out in their mean. */
void sound_wav(const char *root, const char *name, unsigned bits, unsigned channels,
               bool floats);
/* Through libsndfile, 16 or 24 bits. */
void sound_flac(const char *root, const char *name, unsigned bits, unsigned channels);
void sound_silence_flac(const char *root, const char *name, size_t seconds);
/* `seconds` of the ramp, over and over: 16 bits. */
void sound_wav_of(const char *root, const char *name, double seconds);

/* 16 bits, `channels` of `count` frames: 32768 value(i, c). */
void sound_wav_by(const char *root, const char *name, unsigned channels, size_t count,
                  double (*value)(size_t i, unsigned c));
/* One channel of 16 bits in a container that libsndfile names by SF_FORMAT_ numbers. */
void sound_in(const char *root, const char *name, int format);

/* Writes four bytes, the lowest first. */
void sound_patch(const char *root, const char *name, size_t at, uint32_t value);
void sound_patch_flac_count(const char *root, const char *name, uint64_t samples);

#endif
