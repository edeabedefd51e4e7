#include "data/speech/logmel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kern/gemm.h"

#define SCALE 32768.0
#define EMPHASIS 0.97
#define FLOOR 1.0
static const double PI = 3.14159265358979323846;

enum { CHUNK = 128 }; /* frames at a time: their spectra stay in the cache */

struct LogMel {
    size_t frame, hop, bins, filters;
    real *
        /* [2 bins, frame]: cosines, then sines, with window and pre-emphasis */
        transform;
    real *bank; /* [filters, bins] */
};

static size_t frame_of(size_t rate) { return (rate * 25 + 500) / 1000; }
static size_t hop_of(size_t rate) { return (rate * 10 + 500) / 1000; }

static double hamming(size_t n, size_t frame) {
    return 0.54 - 0.46 * cos(2 * PI * (double)n / (double)(frame - 1));
}

/* Everything before the magnitude is linear in the samples, so it is one matrix:
 * sum_n h_n (x_n - a x_{n-1}) z^n = sum_n x_n (h_n z^n - a h_{n+1} z^{n+1}),   x_{-1} =
 * x_0 */
static void fill_transform(LogMel *mel, size_t points) {
    size_t n = mel->frame;
    for (size_t part = 0; part < 2; part++)
        for (size_t k = 0; k < mel->bins; k++) {
            real *row = mel->transform + (part * mel->bins + k) * n;
            double next = 0;
            for (size_t i = n; i-- > 0;) {
                double angle = 2 * PI * (double)(i * k % points) / (double)points;
                double here = hamming(i, n) * (part ? sin(angle) : cos(angle));
                double first = i ? 1 : 1 - EMPHASIS;
                row[i] = (real)(SCALE * (first * here - EMPHASIS * next));
                next = here;
            }
        }
}

static double mel_of(double hertz) { return 2595 * log10(1 + hertz / 700); }
static double hertz_of(double mel) { return 700 * (pow(10, mel / 2595) - 1); }

/* Filters of `rate` on bins up to played / 2. */
static void fill_bank(LogMel *mel, double rate, double played) {
    double top = mel_of(rate / 2), step = top / (double)(mel->filters + 1);
    double bins_per_hertz = 2 * (double)(mel->bins - 1) / played;
    for (size_t j = 0; j < mel->filters; j++) {
        double h[3];
        for (size_t i = 0; i < 3; i++)
            h[i] = hertz_of((double)(j + i) * step) * bins_per_hertz;
        for (size_t k = 0; k < mel->bins; k++) {
            double rise = ((double)k - h[0]) / (h[1] - h[0]);
            double fall = (h[2] - (double)k) / (h[2] - h[1]);
            mel->bank[j * mel->bins + k] = (real)fmax(0, fmin(rise, fall));
        }
    }
}

LogMel *logmel_new(size_t rate, size_t filters) {
    return logmel_new_played(rate, rate, filters);
}

LogMel *logmel_new_played(size_t rate, size_t played, size_t filters) {
    CHECK(MIN(rate, played) >= 1000 && MAX(rate, played) < 1000000 && filters,
          "%zu Hz at %zu Hz, %zu filters", rate, played, filters);
    LogMel *mel = mem_zalloc(sizeof *mel);
    size_t points = 1;
    mel->frame = frame_of(played);
    mel->hop = hop_of(played);
    while (points < mel->frame) points *= 2;
    mel->bins = points / 2 + 1;
    mel->filters = filters;
    mel->transform = mem_alloc(2 * mel->bins * mel->frame * sizeof(real));
    mel->bank = mem_alloc(filters * mel->bins * sizeof(real));
    fill_transform(mel, points);
    fill_bank(mel, (double)rate, (double)played);
    return mel;
}

void logmel_free(LogMel *mel) {
    if (!mel) return;
    mem_free(mel->transform);
    mem_free(mel->bank);
    mem_free(mel);
}

size_t logmel_filters(const LogMel *mel) { return mel->filters; }

size_t logmel_frames_at(size_t rate, size_t count) {
    size_t frame = frame_of(rate);
    return count < frame ? 0 : (count - frame) / hop_of(rate) + 1;
}

size_t logmel_frames(const LogMel *mel, size_t count) {
    return count < mel->frame ? 0 : (count - mel->frame) / mel->hop + 1;
}

/* Frames side by side: BLAS takes no matrix whose rows overlap. */
static void copy_frames(const LogMel *mel, const float *samples, size_t frames,
                        real *to) {
    for (size_t t = 0; t < frames; t++)
        for (size_t i = 0; i < mel->frame; i++)
            to[t * mel->frame + i] = (real)samples[t * mel->hop + i];
}

/* spectrum: [frames, 2 bins] -> magnitudes in its first `bins` columns. */
static void take_magnitudes(real *spectrum, size_t frames, size_t bins) {
    for (size_t t = 0; t < frames; t++) {
        real *re = spectrum + t * 2 * bins, *im = re + bins;
        for (size_t k = 0; k < bins; k++)
            re[k] = (real)sqrt((double)(re[k] * re[k] + im[k] * im[k]));
    }
}

void logmel_compute(const LogMel *mel, const float *samples, size_t count,
                    real *features) {
    size_t frames = logmel_frames(mel, count), n = mel->frame, bins = mel->bins;
    real *frame = mem_alloc(CHUNK * n * sizeof(real));
    real *spectrum = mem_alloc(CHUNK * 2 * bins * sizeof(real));
    for (size_t t = 0; t < frames; t += CHUNK) {
        size_t here = MIN((size_t)CHUNK, frames - t);
        real *out = features + t * mel->filters;
        copy_frames(mel, samples + t * mel->hop, here, frame);
        gemm_nt(here, 2 * bins, n, 1, frame, n, mel->transform, n, 0, spectrum, 2 * bins);
        take_magnitudes(spectrum, here, bins);
        gemm_nt(here, mel->filters, bins, 1, spectrum, 2 * bins, mel->bank, bins, 0, out,
                mel->filters);
        for (size_t i = 0; i < here * mel->filters; i++)
            out[i] = (real)log(fmax((double)out[i], FLOOR));
    }
    mem_free(frame);
    mem_free(spectrum);
}

void logmel_normalise(real *x, size_t n) {
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i];
    double mean = n ? sum / (double)n : 0;
    for (size_t i = 0; i < n; i++)
        square += ((double)x[i] - mean) * ((double)x[i] - mean);
    double deviation = n ? sqrt(square / (double)n) : 0;
    /* Silence is a row of equal numbers: 0, not a rounding error made large. */
    double scale = deviation > 1e-5 ? 1 / deviation : 0;
    for (size_t i = 0; i < n; i++) x[i] = (real)(((double)x[i] - mean) * scale);
}

/* ---- SpecAugment ---- */

SpecAugment specaugment_default(void) { return (SpecAugment){2, 30, 10, 50, 0.1}; }

static Status read_counts(const char *text, SpecAugment *config, Err *err) {
    double value[5] = {0};
    size_t count = 0;
    for (const char *at = text; *at; count++) {
        char *end;
        value[MIN(count, (size_t)4)] = strtod(at + 1, &end);
        if (*at != ':' || end == at + 1 || count == COUNT(value))
            return err_set(
                err, FAIL_USAGE,
                "specaugment%.60s: expected "
                "specaugment[:bands[:band_width[:spans[:span_width[:span_share]]]]] "
                "with numbers",
                text);
        at = end;
    }
    size_t *const whole[] = {&config->bands, &config->band_width, &config->spans,
                             &config->span_width};
    for (size_t i = 0; i < count; i++) {
        bool share = i == COUNT(whole);
        double most = share ? 1 : 1e4;
        if (!(value[i] >= 0 && value[i] <= most) ||
            (!share && value[i] != floor(value[i])))
            return err_set(err, FAIL_USAGE, "specaugment: %g is not %s", value[i],
                           share ? "a share from 0 to 1" : "a whole number up to 10000");
        if (share) config->span_share = value[i];
        else *whole[i] = (size_t)value[i];
    }
    return OK;
}

Status specaugment_parse(const char *text, SpecAugment *config, Err *err) {
    static const char NAME[] = "specaugment";
    CHECK(!strncmp(text, NAME, strlen(NAME)), "masks: %.60s", text);
    *config = specaugment_default();
    return read_counts(text + strlen(NAME), config, err);
}

/* Two draws: the width below `width`, and the first of the places 0 ... n - w - 1. */
static size_t draw_mask(RngCursor *dice, size_t width, size_t n, size_t *first) {
    double w = rng_next(dice), at = rng_next(dice);
    size_t size = MIN((size_t)(w * (double)width), MIN(width, n) - 1);
    *first = (size_t)(at * (double)(n - size));
    return size;
}

static void mask_columns(real *features, size_t frames, size_t filters, size_t first,
                         size_t size) {
    for (size_t t = 0; t < frames; t++)
        memset(features + t * filters + first, 0, size * sizeof *features);
}

void specaugment(const SpecAugment *c, Rng rng, real *features, size_t frames,
                 size_t filters) {
    RngCursor dice = {rng, 0};
    size_t first, size;
    size_t width = MIN(c->span_width, (size_t)(c->span_share * (double)frames));
    for (size_t i = 0; i < c->bands && c->band_width && filters; i++) {
        size = draw_mask(&dice, c->band_width, filters, &first);
        mask_columns(features, frames, filters, first, size);
    }
    for (size_t i = 0; i < c->spans && width; i++) {
        size = draw_mask(&dice, width, frames, &first);
        memset(features + first * filters, 0, size * filters * sizeof *features);
    }
}
