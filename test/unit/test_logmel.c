/* Log-mel features and SpecAugment. */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/speech/logmel.h"

enum { FILTERS = 80 };
static const double PI = 3.14159265358979323846;

/* The signal of test/golden/make_logmel.py. */
static float *make_signal(size_t rate, size_t *count) {
    uint32_t state = 12345;
    size_t n = *count = rate * 3 / 4;
    float *x = mem_alloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        state = (1103515245u * state + 12345u) % (1u << 31);
        double t = (double)i / (double)rate;
        double value = 0.4 * sin(2 * PI * (150 + 1200 * t) * t) +
                       0.2 * sin(2 * PI * 0.3 * (double)rate * t) + 0.05 +
                       0.01 * ((double)state / (1 << 30) - 1);
        if (i >= n / 2) value *= 1e-3;
        x[i] = i >= n - n / 8 ? 0 : (float)value;
    }
    return x;
}

static real *make_features(size_t rate, size_t filters, const float *x, size_t count,
                           size_t *frames) {
    LogMel *mel = logmel_new(rate, filters);
    *frames = logmel_frames(mel, count);
    real *features = mem_alloc(MAX(*frames, (size_t)1) * filters * sizeof *features);
    logmel_compute(mel, x, count, features);
    logmel_free(mel);
    return features;
}

static void expect_near(real got, json_t *wanted, double tolerance) {
    double value = json_number_value(wanted);
    if (!(fabs((double)got - value) <= tolerance))
        fail_msg("%g, not %g", (double)got, value);
}

static void check_case(json_t *one) {
    size_t count, frames, rate = (size_t)json_integer_value(json_object_get(one, "rate"));
    float *x = make_signal(rate, &count);
    real *f = make_features(rate, FILTERS, x, count, &frames);
    assert_int_equal(frames, json_integer_value(json_object_get(one, "frames")));
    json_t *rows = json_object_get(one, "rows"),
           *values = json_object_get(one, "features");
    json_t *normal = json_object_get(one, "normal");
    for (size_t r = 0; r < json_array_size(rows); r++)
        for (size_t j = 0; j < FILTERS; j++)
            expect_near(
                f[(size_t)json_integer_value(json_array_get(rows, r)) * FILTERS + j],
                json_array_get(json_array_get(values, r), j), 1e-4);
    logmel_normalise(f, frames * FILTERS);
    size_t row = (size_t)json_integer_value(json_array_get(rows, 1));
    for (size_t j = 0; j < FILTERS; j++)
        expect_near(f[row * FILTERS + j], json_array_get(normal, j), 1e-4);
    mem_free(f);
    mem_free(x);
}

static void features_equal_numpy_to_1e_4(void **state) {
    (void)state;
    json_error_t reason;
    json_t *cases = json_load_file("test/golden/logmel.json", 0, &reason), *one;
    if (!cases) fail_msg("%s", reason.text);
    size_t i;
    assert_int_equal(json_array_size(cases), 4);
    json_array_foreach(cases, i, one) check_case(one);
    json_decref(cases);
}

static void a_tone_is_loudest_in_the_filter_around_it(void **state) {
    (void)state;
    for (size_t j = 20; j < FILTERS; j += 19) {
        size_t count = 16000, frames;
        double top = 2595 * log10(1 + 8000 / 700.0);
        double hertz = 700 * (pow(10, (double)(j + 1) * top / 81 / 2595) - 1);
        float *x = mem_alloc(count * sizeof *x);
        for (size_t i = 0; i < count; i++)
            x[i] = (float)(0.5 * sin(2 * PI * hertz * (double)i / 16000));
        real *f = make_features(16000, FILTERS, x, count, &frames);
        assert_int_equal(frames, 98); /* (16000 - 400)/160 + 1 */
        size_t best = 0;
        for (size_t k = 0; k < FILTERS; k++)
            if (f[50 * FILTERS + k] > f[50 * FILTERS + best]) best = k;
        assert_int_equal(best, j);
        mem_free(f);
        mem_free(x);
    }
}

static void ten_times_as_loud_adds_ln_10(void **state) {
    (void)state;
    size_t count, frames;
    float *x = make_signal(16000, &count);
    real *soft = make_features(16000, FILTERS, x, count, &frames);
    for (size_t i = 0; i < count; i++) x[i] *= 10;
    real *loud = make_features(16000, FILTERS, x, count, &frames);
    for (size_t i = 0; i < 30 * FILTERS; i++) /* the loud part: far above the floor */
        assert_true(fabs((double)(loud[i] - soft[i]) - log(10)) < 1e-4);
    mem_free(soft);
    mem_free(loud);
    mem_free(x);
}

static void frames_are_counted_as_they_fit(void **state) {
    (void)state;
    static const size_t CASES[][3] = {{16000, 0, 0},    {16000, 399, 0},
                                      {16000, 400, 1},  {16000, 559, 1},
                                      {16000, 560, 2},  {8000, 199, 0},
                                      {8000, 200, 1},   {8000, 280, 2},
                                      {11025, 276, 1},  {11025, 386, 2},
                                      {44100, 1103, 1}, {44100, 1102, 0}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        LogMel *mel = logmel_new(CASES[i][0], 40);
        assert_int_equal(logmel_frames(mel, CASES[i][1]), CASES[i][2]);
        assert_int_equal(logmel_frames_at(CASES[i][0], CASES[i][1]), CASES[i][2]);
        assert_int_equal(logmel_filters(mel), 40);
        logmel_free(mel);
    }
}

static void silence_is_zero_and_finite_after_normalising(void **state) {
    (void)state;
    enum { SAMPLES = 8000 };
    float x[SAMPLES] = {0};
    size_t frames;
    for (int level = 0; level < 2; level++) {
        for (size_t i = 0; i < SAMPLES; i++) x[i] = level ? 1e-9f : 0;
        real *f = make_features(8000, FILTERS, x, SAMPLES, &frames);
        logmel_normalise(f, frames * FILTERS);
        for (size_t i = 0; i < frames * FILTERS; i++) assert_true(f[i] == 0);
        mem_free(f);
    }
}

static void the_loudest_samples_stay_finite(void **state) {
    (void)state;
    enum { SAMPLES = 96000 };
    float *x = mem_alloc(SAMPLES * sizeof *x);
    size_t frames;
    for (size_t i = 0; i < SAMPLES; i++) x[i] = i % 2 ? 1e9f : -1e9f;
    real *f = make_features(96000, FILTERS, x, SAMPLES, &frames);
    logmel_normalise(f, frames * FILTERS);
    for (size_t i = 0; i < frames * FILTERS; i++) assert_true(isfinite((double)f[i]));
    mem_free(f);
    mem_free(x);
}

static void normalising_leaves_mean_0_and_deviation_1(void **state) {
    (void)state;
    real x[1000];
    double sum = 0, square = 0;
    for (size_t i = 0; i < 1000; i++) x[i] = (real)(100 + 5 * sin((double)(i * i)));
    logmel_normalise(x, 1000);
    for (size_t i = 0; i < 1000; i++)
        sum += (double)x[i], square += (double)(x[i] * x[i]);
    assert_true(fabs(sum / 1000) < 1e-5);
    assert_true(fabs(square / 1000 - 1) < 1e-5);
}

/* ---- SpecAugment ---- */

enum { FRAMES = 300, SIZE = FRAMES * FILTERS };

static size_t masked_bands(const real *x, size_t frames) {
    size_t count = 0;
    for (size_t j = 0; j < FILTERS; j++) {
        size_t zeros = 0;
        for (size_t t = 0; t < frames; t++) zeros += x[t * FILTERS + j] == 0;
        count += zeros == frames;
    }
    return count;
}

static size_t masked_frames(const real *x, size_t frames) {
    size_t count = 0;
    for (size_t t = 0; t < frames; t++) {
        size_t zeros = 0;
        for (size_t j = 0; j < FILTERS; j++) zeros += x[t * FILTERS + j] == 0;
        count += zeros == FILTERS;
    }
    return count;
}

static void ones(real *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = 1;
}

/* One mask alone: widths 0 ... 29 come equally often, and no place is left
 * out or overstepped. */
static void a_band_is_0_to_29_wide_and_anywhere(void **state) {
    (void)state;
    enum { TRIALS = 30000, SHORT = 2 };
    SpecAugment config = {.bands = 1, .band_width = 30};
    real x[SHORT * FILTERS];
    size_t of_width[FILTERS + 1] = {0}, first_hit = 0, last_hit = 0;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        ones(x, SHORT * FILTERS);
        specaugment(&config, rng_make(1, RNG_AUGMENT, trial), x, SHORT, FILTERS);
        of_width[masked_bands(x, SHORT)]++;
        first_hit += x[0] == 0;
        last_hit += x[FILTERS - 1] == 0;
    }
    for (size_t w = 0; w < 30; w++) /* 1000 expected, deviation 31 */
        assert_in_range(of_width[w], 850, 1150);
    for (size_t w = 30; w <= FILTERS; w++) assert_int_equal(of_width[w], 0);
    /* The first place is hit with 1/30 sum_{w=1}^{29} 1/(80 - w) = 1/66; offsets end at
     * 80 - w - 1, so the last filter is never hit. */
    assert_in_range(first_hit, 350, 560);
    assert_int_equal(last_hit, 0);
}

static void a_span_is_at_most_a_tenth_of_the_frames(void **state) {
    (void)state;
    SpecAugment config = specaugment_default();
    config.bands = 0;
    config.spans = 1;
    real *x = mem_alloc(3 * SIZE * sizeof *x);
    static const size_t LENGTHS[][2] = {{9, 0}, {10, 0}, {20, 1}, {300, 29}, {900, 49}};
    for (size_t i = 0; i < COUNT(LENGTHS); i++) {
        size_t frames = LENGTHS[i][0], most = 0;
        for (size_t trial = 0; trial < 2000; trial++) {
            ones(x, frames * FILTERS);
            specaugment(&config, rng_make(2, RNG_AUGMENT, trial), x, frames, FILTERS);
            most = MAX(most, masked_frames(x, frames));
        }
        assert_int_equal(most, LENGTHS[i][1]);
    }
    mem_free(x);
}

static void masks_are_a_function_of_the_stream(void **state) {
    (void)state;
    SpecAugment config = specaugment_default(), none = {0};
    real *x = mem_alloc(2 * SIZE * sizeof *x), *y = x + SIZE;
    ones(x, 2 * SIZE);
    specaugment(&config, rng_make(3, RNG_AUGMENT + 7, 1), x, FRAMES, FILTERS);
    specaugment(&config, rng_make(3, RNG_AUGMENT + 7, 1), y, FRAMES, FILTERS);
    assert_memory_equal(x, y, SIZE * sizeof *x);
    assert_true(masked_bands(x, FRAMES) + masked_frames(x, FRAMES) > 0);
    ones(y, SIZE);
    specaugment(&config, rng_make(3, RNG_AUGMENT + 8, 1), y, FRAMES, FILTERS);
    assert_memory_not_equal(x, y, SIZE * sizeof *x);
    ones(y, SIZE);
    specaugment(&none, rng_make(3, RNG_AUGMENT, 1), y, FRAMES, FILTERS);
    assert_int_equal(masked_bands(y, FRAMES) + masked_frames(y, FRAMES), 0);
    specaugment(&config, rng_make(3, RNG_AUGMENT, 1), y, 0, FILTERS);
    mem_free(x);
}

static void expect_masks(const char *text, SpecAugment wanted) {
    SpecAugment c;
    Err err = ERR_NONE;
    if (specaugment_parse(text, &c, &err)) fail_msg("%s: %s", text, err.text);
    assert_int_equal(c.bands, wanted.bands);
    assert_int_equal(c.band_width, wanted.band_width);
    assert_int_equal(c.spans, wanted.spans);
    assert_int_equal(c.span_width, wanted.span_width);
    assert_true(c.span_share == wanted.span_share);
}

static void masks_are_read_by_place(void **state) {
    (void)state;
    expect_masks("specaugment", specaugment_default());
    expect_masks("specaugment:0", (SpecAugment){0, 30, 10, 50, 0.1});
    expect_masks("specaugment:1:20", (SpecAugment){1, 20, 10, 50, 0.1});
    expect_masks("specaugment:1:20:3", (SpecAugment){1, 20, 3, 50, 0.1});
    expect_masks("specaugment:1:20:3:40", (SpecAugment){1, 20, 3, 40, 0.1});
    expect_masks("specaugment:1:20:3:40:1", (SpecAugment){1, 20, 3, 40, 1});
    expect_masks("specaugment:10000:2:0:1:0", (SpecAugment){10000, 2, 0, 1, 0});
}

static void other_words_for_masks_are_refused(void **state) {
    (void)state;
    static const char *const BAD[][2] = {
        {"specaugments", "expected specaugment["},
        {"specaugment:", "expected specaugment["},
        {"specaugment:2:", "expected specaugment["},
        {"specaugment::30", "expected specaugment["},
        {"specaugment:2,flip", "expected specaugment["},
        {"specaugment:2:x", "expected specaugment["},
        {"specaugment:1:2:3:4:0.5:6", "expected specaugment["},
        {"specaugment:1.5", "1.5 is not a whole number"},
        {"specaugment:-1", "-1 is not a whole number"},
        {"specaugment:10001", "10001 is not a whole number"},
        {"specaugment:nan", "nan is not a whole number"},
        {"specaugment:2:inf", "inf is not a whole number"},
        {"specaugment:2:30:10:50:1.1", "1.1 is not a share"},
        {"specaugment:2:30:10:50:nan", "nan is not a share"},
    };
    for (size_t i = 0; i < COUNT(BAD); i++) {
        SpecAugment c;
        Err err = ERR_NONE;
        assert_int_equal(specaugment_parse(BAD[i][0], &c, &err), FAIL_USAGE);
        if (!strstr(err.text, BAD[i][1])) fail_msg("%s: %s", BAD[i][0], err.text);
    }
}

/* A second of 78 tones up to 3.9 kHz, loud enough to be far from the floor. */
static float *make_chord(size_t rate) {
    float *x = mem_zalloc(rate * sizeof *x);
    for (size_t i = 0; i < rate; i++)
        for (size_t k = 2; k < 80; k++)
            x[i] += (float)(0.01 * sin(2 * PI * (double)(k * i) * 50 / (double)rate +
                                       (double)(k * k)));
    return x;
}

/* Normalised rows of the chord, heard at 8 kHz; *frames of them. */
static real *hear_chord(size_t rate, size_t *frames) {
    LogMel *mel = logmel_new_played(8000, rate, FILTERS);
    float *x = make_chord(rate);
    *frames = logmel_frames(mel, rate);
    real *features = mem_alloc(*frames * FILTERS * sizeof *features);
    logmel_compute(mel, x, rate, features);
    logmel_normalise(features, *frames * FILTERS);
    logmel_free(mel);
    mem_free(x);
    return features;
}

static void sound_of_another_rate_is_heard_as_if_resampled(void **state) {
    (void)state;
    static const size_t RATES[] = {11025, 16000, 44100};
    size_t frames, others;
    real *own = hear_chord(8000, &frames);
    for (size_t r = 0; r < COUNT(RATES); r++) {
        double square = 0;
        real *other = hear_chord(RATES[r], &others);
        assert_in_range(others, frames - 1, frames + 1);
        size_t rows = MIN(frames, others);
        for (size_t i = 0; i < rows * FILTERS; i++)
            square +=
                ((double)own[i] - (double)other[i]) * ((double)own[i] - (double)other[i]);
        double off = sqrt(square / (double)(rows * FILTERS)); /* deviation is 1 */
        if (off > 0.2) fail_msg("%zu Hz: %g off", RATES[r], off);
        mem_free(other);
    }
    mem_free(own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_equal_numpy_to_1e_4),
        cmocka_unit_test(a_tone_is_loudest_in_the_filter_around_it),
        cmocka_unit_test(ten_times_as_loud_adds_ln_10),
        cmocka_unit_test(frames_are_counted_as_they_fit),
        cmocka_unit_test(silence_is_zero_and_finite_after_normalising),
        cmocka_unit_test(the_loudest_samples_stay_finite),
        cmocka_unit_test(normalising_leaves_mean_0_and_deviation_1),
        cmocka_unit_test(a_band_is_0_to_29_wide_and_anywhere),
        cmocka_unit_test(a_span_is_at_most_a_tenth_of_the_frames),
        cmocka_unit_test(masks_are_a_function_of_the_stream),
        cmocka_unit_test(sound_of_another_rate_is_heard_as_if_resampled),
        cmocka_unit_test(masks_are_read_by_place),
        cmocka_unit_test(other_words_for_masks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
