/* Recordings: what is read, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/audio.h"
#include "files.h"
#include "sounds.h"

#ifdef HAVE_SNDFILE

static Status read_one(const char *root, const char *name, Audio *audio, Err *err) {
    char path[1100];
    text_format(path, sizeof path, "%s/%s", root, name);
    return audio_read(path, audio, err);
}

/* Both ways of looking at it must say so. */
static void refuse(const char *root, const char *name, const char *part) {
    Audio audio = {0};
    Err err[2] = {ERR_NONE, ERR_NONE};
    size_t count, rate;
    char path[1100];
    text_format(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(audio_read(path, &audio, &err[0]), FAIL_DATA);
    assert_int_equal(audio_check(path, &count, &rate, &err[1]), FAIL_DATA);
    for (int i = 0; i < 2; i++) {
        if (!strstr(err[i].text, part))
            fail_msg("\"%s\" is not in \"%s\"", part, err[i].text);
        if (!strstr(err[i].text, name))
            fail_msg("%s is not named: %s", name, err[i].text);
    }
    audio_free(&audio);
}

static void check_ramp(const char *root, const char *name, double step) {
    Audio audio = {0};
    Err err = ERR_NONE;
    if (read_one(root, name, &audio, &err)) fail_msg("%s", err.text);
    assert_int_equal(audio.count, SOUND_COUNT);
    assert_int_equal(audio.rate, 8000);
    for (size_t i = 0; i < SOUND_COUNT; i++)
        if (fabs((double)audio.samples[i] - sound_ramp(i)) > step)
            fail_msg("%s: sample %zu is %g, not %g", name, i, (double)audio.samples[i],
                     sound_ramp(i));
    size_t count, rate;
    char path[1100];
    text_format(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(audio_check(path, &count, &rate, &err), OK);
    assert_int_equal(count, SOUND_COUNT);
    assert_int_equal(rate, 8000);
    audio_free(&audio);
}

static void samples_of_every_kind_come_back_within_their_step(void **state) {
    static const struct Kind {
        unsigned bits, channels;
        bool floats;
    } KINDS[] = {{8, 1, false},  {16, 1, false}, {24, 1, false}, {32, 1, false},
                 {32, 1, true},  {64, 1, true},  {8, 2, false},  {16, 2, false},
                 {24, 2, false}, {32, 2, true},  {16, 5, false}};
    for (size_t i = 0; i < COUNT(KINDS); i++) {
        char name[40];
        text_format(name, sizeof name, "%u-%u-%d.wav", KINDS[i].bits, KINDS[i].channels,
                    KINDS[i].floats);
        sound_wav(*state, name, KINDS[i].bits, KINDS[i].channels, KINDS[i].floats);
        double step =
            KINDS[i].floats ? 1e-6 : fmax(ldexp(1, 1 - (int)KINDS[i].bits), 1e-6);
        check_ramp(*state, name, step);
    }
}

static void flac_files_of_16_and_24_bits_are_read(void **state) {
    sound_flac(*state, "a/16.flac", 16, 1);
    check_ramp(*state, "a/16.flac", ldexp(1, -14));
    sound_flac(*state, "24.flac", 24, 2);
    check_ramp(*state, "24.flac", ldexp(1, -22));
}

static void a_struct_is_read_into_again(void **state) {
    Audio audio = {0};
    Err err = ERR_NONE;
    sound_wav(*state, "x.wav", 16, 1, false);
    assert_int_equal(read_one(*state, "x.wav", &audio, &err), OK);
    const float *before = audio.samples;
    assert_int_equal(read_one(*state, "none.wav", &audio, &err), FAIL_DATA);
    assert_int_equal(read_one(*state, "x.wav", &audio, &err), OK);
    assert_ptr_equal(audio.samples, before);
    assert_int_equal(audio.count, SOUND_COUNT);
    audio_free(&audio);
    assert_null(audio.samples);
}

static void what_is_no_recording_is_named(void **state) {
    refuse(*state, "missing.flac", "cannot be opened");
    files_write(*state, "empty.wav", "", 0);
    refuse(*state, "empty.wav", "is empty");
    files_write(*state, "text.flac", "hello\nworld, this is a text", 27);
    refuse(*state, "text.flac", "it begins with \"hello?world, thi\"");
    files_write(*state, "short.flac", "fL", 2);
    refuse(*state, "short.flac", "it begins with \"fL\"");
    files_folder(*state, "folder.wav");
    refuse(*state, "folder.wav", "not a regular file");
}

static void a_file_without_samples_is_named(void **state) {
    sound_wav(*state, "x.wav", 16, 1, false);
    files_cut(*state, "x.wav", 44);
    sound_patch(*state, "x.wav", 40, 0);
    refuse(*state, "x.wav", "holds no samples");
}

static void a_file_cut_short_is_named(void **state) {
    size_t n;
    sound_wav(*state, "x.wav", 16, 1, false);
    files_cut(*state, "x.wav", 45 + SOUND_COUNT);
    refuse(*state, "x.wav", "is cut short");
    sound_flac(*state, "x.flac", 16, 1);
    mem_free(files_read(*state, "x.flac", &n));
    for (size_t left = n - 1; left > n / 8; left -= n / 8) {
        files_cut(*state, "x.flac", left);
        refuse(*state, "x.flac", "cut short or damaged");
    }
}

static void a_header_of_ten_hours_on_a_second_is_named(void **state) {
    enum { TEN_HOURS = 36000 };
    sound_wav(*state, "x.wav", 16, 1, false);
    sound_patch(*state, "x.wav", 40, TEN_HOURS * 8000u * 2);
    refuse(*state, "x.wav", "its header promises 576000000 bytes of samples");
    sound_flac(*state, "x.flac", 16, 1);
    sound_patch_flac_count(*state, "x.flac", (uint64_t)TEN_HOURS * 8000);
    refuse(*state, "x.flac", "its header promises 36000.0 s");
}

static void a_header_that_a_stream_could_not_finish_is_accepted(void **state) {
    sound_wav(*state, "x.wav", 16, 1, false);
    sound_patch(*state, "x.wav", 40, UINT32_MAX);
    sound_patch(*state, "x.wav", 4, UINT32_MAX);
    check_ramp(*state, "x.wav", ldexp(1, -15));
}

static void samples_that_are_no_numbers_are_named_with_their_time(void **state) {
    static const float BAD[] = {NAN, INFINITY, -INFINITY, 2e9f, 3e38f};
    for (size_t i = 0; i < COUNT(BAD); i++) {
        uint32_t bits;
        memcpy(&bits, &BAD[i], sizeof bits);
        sound_wav(*state, "x.wav", 32, 1, true);
        sound_patch(*state, "x.wav", 44 + 4 * 4000, bits);
        refuse(*state, "x.wav", "the sample at 0.500 s is not a finite number");
    }
}

static void rates_and_lengths_beyond_the_limits_are_named(void **state) {
    sound_wav(*state, "x.wav", 16, 1, false);
    sound_patch(*state, "x.wav", 24, 1000);
    refuse(*state, "x.wav", "1000 samples a second");
    sound_patch(*state, "x.wav", 24, 192000);
    refuse(*state, "x.wav", "192000 samples a second");
    sound_silence_flac(*state, "long.flac", 3601);
    refuse(*state, "long.flac", "is 3601 s long");
}

static void damaged_files_are_read_or_refused(void **state) {
    static const char *const NAMES[] = {"8.wav", "24.wav", "float.wav", "x.flac"};
    sound_wav(*state, NAMES[0], 8, 2, false);
    sound_wav(*state, NAMES[1], 24, 1, false);
    sound_wav(*state, NAMES[2], 32, 1, true);
    sound_flac(*state, NAMES[3], 16, 1);
    Audio audio = {0};
    for (unsigned trial = 0; trial < 800; trial++) {
        size_t size, n, count, rate;
        char path[1100];
        uint8_t *good = files_read(*state, NAMES[trial % 4], &size);
        uint8_t *bad = files_damage(good, size, trial, &n);
        files_write(*state, "bad", bad, n);
        mem_free(good);
        mem_free(bad);
        text_format(path, sizeof path, "%s/bad", (char *)*state);
        Status status = audio_read(path, &audio, NULL);
        assert_true(status == OK || status == FAIL_DATA);
        for (size_t i = 0; !status && i < audio.count; i++)
            assert_true(isfinite(audio.samples[i]));
        status = audio_check(path, &count, &rate, NULL);
        assert_true(status == OK || status == FAIL_DATA);
    }
    audio_free(&audio);
}

static void real_recordings_have_their_length(void **state) {
    (void)state;
    Audio audio = {0};
    Err err = ERR_NONE;
    if (read_one(files_real("fsdd"), "0_george_0.wav", &audio, &err))
        fail_msg("%s", err.text);
    assert_int_equal(audio.rate, 8000);
    assert_in_range(audio.count, 1000, 10000);
    audio_free(&audio);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(samples_of_every_kind_come_back_within_their_step),
        FOLDER_TEST(flac_files_of_16_and_24_bits_are_read),
        FOLDER_TEST(a_struct_is_read_into_again),
        FOLDER_TEST(what_is_no_recording_is_named),
        FOLDER_TEST(a_file_without_samples_is_named),
        FOLDER_TEST(a_file_cut_short_is_named),
        FOLDER_TEST(a_header_of_ten_hours_on_a_second_is_named),
        FOLDER_TEST(a_header_that_a_stream_could_not_finish_is_accepted),
        FOLDER_TEST(samples_that_are_no_numbers_are_named_with_their_time),
        FOLDER_TEST(rates_and_lengths_beyond_the_limits_are_named),
        FOLDER_TEST(damaged_files_are_read_or_refused),
        cmocka_unit_test(real_recordings_have_their_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void without_libsndfile_every_call_says_so(void **state) {
    (void)state;
    Audio audio = {0};
    Err err = ERR_NONE;
    size_t count, rate;
    assert_int_equal(audio_read("x.wav", &audio, &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "built without libsndfile"));
    assert_int_equal(audio_check("x.wav", &count, &rate, &err), FAIL_RUN);
    audio_free(&audio);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_libsndfile_every_call_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
