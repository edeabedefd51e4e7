/* Recordings that can be read and hold nothing, or too much
 * (data/speech/audiolevel.h). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/speech/audio.h"
#include "files.h"
#include "sounds.h"

#ifdef HAVE_SNDFILE

static double opposed(size_t i, unsigned c) { return c ? -sound_ramp(i) : sound_ramp(i); }
static double opposed_less(size_t i, unsigned c) {
    return sound_ramp(i) * (c == 0 ? 0.5 : c == 1 ? -0.95 : 0.45);
}
static double one_alone(size_t i, unsigned c) { return c == 2 ? sound_ramp(i) : 0; }
static double opposed_steps(size_t i, unsigned c) {
    return sound_ramp(i) + (c ? -0.05 : 0.05);
}
static double nothing(size_t i, unsigned c) { return (void)i, (void)c, 0; }
static double step_only(size_t i, unsigned c) { return (void)i, c ? 0.5 : 0.25; }
static double one_bit(size_t i, unsigned c) { return (void)c, i % 3 ? 0 : 1.0 / 32768; }
static double three_bits(size_t i, unsigned c) {
    return (void)c, (double)(i % 4) / 32768;
}
static double late(size_t i, unsigned c) { return (void)c, i < 7000 ? 0 : sound_ramp(i); }
static double clipped(size_t i, unsigned c) {
    double x = 3 * sound_ramp(i);
    return (void)c, x > 0.99997 ? 0.99997 : x < -1 ? -1 : x;
}

static void channels_that_cancel_each_other_leave_the_loudest(void **state) {
    static const struct {
        double (*value)(size_t, unsigned);
        unsigned channels;
        size_t used;
        double scale; /* of the ramp that is read */
    } CASES[] = {{opposed, 2, 1, 1},
                 {opposed_less, 3, 2, -0.95},
                 {one_alone, 5, 0, 0.2},
                 {one_alone, 2, 0, 0},
                 {opposed_steps, 2, 0, 1}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char path[1100];
        Audio audio = {0};
        Err err = ERR_NONE;
        sound_wav_by(*state, "x.wav", CASES[i].channels, SOUND_COUNT, CASES[i].value);
        text_format(path, sizeof path, "%s/x.wav", (char *)*state);
        if (audio_read(path, NULL, &audio, &err)) fail_msg("%s", err.text);
        assert_int_equal(audio.traits.channel, CASES[i].used);
        assert_int_equal(audio.count, SOUND_COUNT);
        assert_int_equal(audio.traits.silent, CASES[i].scale == 0);
        for (size_t k = 0; k < SOUND_COUNT; k++)
            assert_true(fabs((double)audio.samples[k] - CASES[i].scale * sound_ramp(k)) <
                        1e-4);
        audio_free(&audio);
    }
}

static void silence_and_clipping_are_seen(void **state) {
    static const struct {
        double (*value)(size_t, unsigned);
        bool silent;
        double clipped;
    } CASES[] = {{nothing, true, 0},     {step_only, true, 0}, {one_bit, true, 0},
                 {three_bits, false, 0}, {late, false, 0},     {clipped, false, 0.4}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char path[1100];
        Audio audio = {0};
        sound_wav_by(*state, "x.wav", 1 + i % 2, SOUND_COUNT, CASES[i].value);
        text_format(path, sizeof path, "%s/x.wav", (char *)*state);
        for (int way = 0; way < 3; way++) {
            Status status = way == 2 ? audio_read(path, NULL, &audio, NULL)
                                     : audio_check(path, NULL, way, &audio, NULL);
            assert_int_equal(status, OK);
            assert_int_equal(audio.traits.silent, CASES[i].silent);
            if (way) assert_true(fabs(audio.traits.clipped - CASES[i].clipped) < 0.15);
        }
        audio_free(&audio);
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(channels_that_cancel_each_other_leave_the_loudest),
        FOLDER_TEST(silence_and_clipping_are_seen),
    };
    return cmocka_run_group_tests_name("audio_level", cases, NULL, NULL);
}

#else

static void levels_need_libsndfile(void **state) {
    (void)state;
    skip();
}

int main(void) {
    const struct CMUnitTest cases[] = {cmocka_unit_test(levels_need_libsndfile)};
    return cmocka_run_group_tests_name("audio_level", cases, NULL, NULL);
}

#endif
