/* cape: with A = 30 w_f seconds t, and B = 30 w_f (g - mean) of an utterance,
 *   sin(A + B) = sin A cos B + cos A sin B,   sin(A + B + pi/2) = cos A cos B - sin A sin B
 * so that sines are taken T D + B D times instead of B T D times. */
#include "models/cape.h"

#include <math.h>
#include <string.h>

static const double FREQUENCY = 30, SLOWEST = 10000;

typedef struct Turn {
    double sine, cosine;
} Turn;

/* turns [(D + 1) / 2] of a position in seconds */
static void fill_turns(Turn *turns, double position, size_t width) {
    for (size_t f = 0; f < (width + 1) / 2; f++) {
        double slow = pow(SLOWEST, -2 * (double)f / (double)width);
        double angle = FREQUENCY * position * slow;
        turns[f] = (Turn){sin(angle), cos(angle)};
    }
}

static size_t frames_of(const CapeArgs *a, size_t b) {
    return a->frame_count ? a->frame_count[b] : a->length;
}

/* g - mean over the frames */
static double offset(const TapeMode *mode, const CapeArgs *a, size_t b) {
    size_t frames = frames_of(a, b);
    double mean = frames ? a->seconds * (double)(frames - 1) / 2 : 0;
    if (!mode->training) return -mean;
    Rng rng = rng_make(mode->seed, RNG_POSITION, mode->step);
    return a->shift * (2 * rng_uniform(rng, a->first_example + b) - 1) - mean;
}

static void fill_frame(real *row, const Turn *frame, const Turn *utterance,
                       size_t width) {
    for (size_t c = 0; c < width; c++) {
        Turn a = frame[c / 2], b = utterance[c / 2];
        row[c] = (real)(c % 2 ? a.cosine * b.cosine - a.sine * b.sine
                              : a.sine * b.cosine + a.cosine * b.sine);
    }
}

static void fill(real *y, const CapeArgs *a, const Turn *frames, const Turn *utterances) {
    size_t half = (a->width + 1) / 2;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < a->batch * a->length; i++) {
        size_t b = i / a->length, t = i % a->length;
        real *row = y + i * a->width;
        if (t < frames_of(a, b))
            fill_frame(row, frames + t * half, utterances + b * half, a->width);
        else memset(row, 0, a->width * sizeof *row);
    }
}

Tensor *cape_positions(Tape *tape, const CapeArgs *a) {
    for (size_t b = 0; b < a->batch; b++)
        CHECK(frames_of(a, b) <= a->length, "cape: %zu frames of %zu", frames_of(a, b),
              a->length);
    size_t half = (a->width + 1) / 2;
    Tensor *y = tape_tensor(tape, 3, (size_t[]){a->batch, a->length, a->width});
    Turn *frames = mem_alloc((a->length + a->batch) * half * sizeof *frames);
    Turn *utterances = frames + a->length * half;
#pragma omp parallel for schedule(static)
    for (size_t t = 0; t < a->length; t++)
        fill_turns(frames + t * half, a->seconds * (double)t, a->width);
    for (size_t b = 0; b < a->batch; b++)
        fill_turns(utterances + b * half, offset(tape_mode(tape), a, b), a->width);
    fill(y->value, a, frames, utterances);
    mem_free(frames);
    return y;
}
