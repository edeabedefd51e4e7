/* logmel: recordings as rows of log-mel energies, and SpecAugment.
 *
 *     LogMel *mel = logmel_new(rate, 80);
 *     size_t frames = logmel_frames(mel, count);
 *     logmel_compute(mel, samples, count, features);         [frames, 80]
 *     logmel_normalise(features, frames * 80);
 *     logmel_free(mel);
 *
 * The features of Flashlight's Mfsc, and of the paper's speech recognisers: */
#ifndef STEADY_LOGMEL_H
#define STEADY_LOGMEL_H

#include "engine/core/rng.h"

/*   x: samples times 32768; frames of 25 ms every 10 ms, no padding
 *   e_n = x_n - 0.97 x_{n-1} within the frame, e_0 = 0.03 x_0
 *   w_n = (0.54 - 0.46 cos(2 pi n / (N - 1))) e_n                           Hamming
 *   m_k = |sum_n w_n exp(-2 pi i n k / M)|,   0 <= k <= M/2,   M = 2^j >= N        magnitude
 *   f_j = sum_k max(0, min((k - H_j)/(H_{j+1} - H_j), (H_{j+2} - k)/(H_{j+2} - H_{j+1}))) m_k
 *   out_j = ln max(f_j, 1)
 * H: filters + 2 points at equal distances from 0 to rate/2 on the scale 2595 log10(1 +
 * f/700), in bins (M/2 of them to rate/2).  At 16 kHz N, hop, M = 400, 160, 512; other
 * rates scale.  Where filters are narrower than a bin, the lowest of them see little (80
 * at 8 kHz: 0.14 of one bin at 17 Hz).
 *
 * Tables of one rate; nothing changes after logmel_new, so threads may share them. */
typedef struct LogMel LogMel;

LogMel *logmel_new(size_t rate, size_t filters);
/* For sound of `played` samples a second about as logmel_new(rate) would see it after
 * resampling, but for a constant: the filters stay where they are in hertz, those above
 * what is there see nothing.  With samples that were recorded at `rate` it is that sound
 * slower and lower, or faster and higher. */
LogMel *logmel_new_played(size_t rate, size_t played, size_t filters);
void logmel_free(LogMel *mel); /* NULL is fine */

size_t logmel_filters(const LogMel *mel);
/* Rows of a recording: floor((count - N)/hop) + 1; 0 when it is shorter than a frame. */
size_t logmel_frames(const LogMel *mel, size_t count);
/* The same without tables. */
size_t logmel_frames_at(size_t rate, size_t count);

/* features: [logmel_frames, filters].  Error against exact arithmetic: below 1e-4 in
 * the float build (test/golden/make_logmel.py).  Runs on the threads that the
 * caller's OpenMP grants. */
void logmel_compute(const LogMel *mel, const float *samples, size_t count,
                    real *features);

/* x <- (x - mean) / std over all n numbers (std of the population); 0
 * where all are equal. */
void logmel_normalise(real *x, size_t n);

/* ---- SpecAugment (Park et al. 2019), on normalised features: masks are 0 ---- */

typedef struct SpecAugment {
    size_t bands, band_width; /* masks of frequencies, each 0 ... band_width - 1 wide */
    size_t spans,
        span_width;    /* masks of time, each 0 ... T' - 1 long, where T' is the lesser */
    double span_share; /* of span_width and span_share * frames */
} SpecAugment;

SpecAugment specaugment_default(void); /* 2 of 30, 10 of 50, 0.1; all 0: none */

/* "specaugment[:bands[:band_width[:spans[:span_width[:span_share]]]]]", by place;
 * CHECK: another name (speech_augment_parse looks at that).  FAIL_USAGE says what
 * was seen and wanted. */
Status specaugment_parse(const char *text, SpecAugment *config, Err *err);

/* features: [frames, filters].  A width is uniform, then its place among those that
 * fit. */
void specaugment(const SpecAugment *config, Rng rng, real *features, size_t frames,
                 size_t filters);

#endif
