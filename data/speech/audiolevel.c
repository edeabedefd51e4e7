#include "data/speech/audiolevel.h"

#include <math.h>

/* A-law's largest value is 0.984, that of 8 bits 0.992. */
#define FULL_SCALE 0.975f

void audiolevel_begin(AudioLevel *level, size_t channels) {
    *level = (AudioLevel){.channels = channels, .low = INFINITY, .high = -INFINITY};
}

static void add_energies(AudioLevel *level, const float *frames, size_t count,
                         const float *mixed) {
    size_t channels = level->channels;
    for (size_t c = 0; c <= channels; c++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < count; i++) {
            double x = c < channels ? (double)frames[i * channels + c]
                                    : (double)mixed[i] * (double)channels;
            sum += x;
            squares += x * x;
        }
        level->sum[c] += sum;
        level->squares[c] += squares;
    }
}

/* A flat top: two neighbours at full scale with the same value. */
static void count_full(AudioLevel *level, const float *frames, size_t count) {
    for (size_t c = 0; c < level->channels; c++) {
        float last = level->last[c];
        for (size_t i = 0; i < count; i++) {
            float x = frames[i * level->channels + c];
            level->full += x == last && fabsf(x) >= FULL_SCALE;
            last = x;
        }
        level->last[c] = last;
    }
}

void audiolevel_add(AudioLevel *level, const float *frames, size_t count,
                    const float *mixed) {
    for (size_t i = 0; i < count; i++) {
        level->low = MIN(level->low, mixed[i]);
        level->high = MAX(level->high, mixed[i]);
    }
    if (level->channels > 1) add_energies(level, frames, count, mixed);
    count_full(level, frames, count);
    level->count += count;
}

bool audiolevel_silent(const AudioLevel *level) {
    return !((double)level->high - (double)level->low > AUDIO_SILENCE);
}

static double energy(const AudioLevel *level, size_t c) {
    double n = (double)MAX(level->count, (size_t)1);
    return fmax(level->squares[c] - level->sum[c] * level->sum[c] / n, 0);
}

/* From 1; 0: they do not cancel each other. */
static size_t louder_channel(const AudioLevel *level) {
    size_t loudest = 0;
    for (size_t c = 1; c < level->channels; c++)
        if (energy(level, c) > energy(level, loudest)) loudest = c;
    double own = energy(level, loudest);
    bool heard = own > (double)level->count * AUDIO_SILENCE * AUDIO_SILENCE;
    bool cancel = energy(level, level->channels) < 0.01 * own;
    return level->channels > 1 && heard && cancel ? loudest + 1 : 0;
}

AudioTraits audiolevel_traits(const AudioLevel *level) {
    double values = (double)MAX(level->count * level->channels, (size_t)1);
    size_t channel = louder_channel(level);
    return (AudioTraits){.channel = channel,
                         .silent = !channel && audiolevel_silent(level),
                         .clipped = (double)level->full / values};
}
