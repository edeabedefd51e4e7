/* Recordings: what is read, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/speech/audio.h"
#include "files.h"
#include "sounds.h"

#ifdef HAVE_SNDFILE
#include <sndfile.h>

static Status read_one(const char *root, const char *name, Audio *audio, Err *err) {
    char path[1100];
    text_format(path, sizeof path, "%s/%s", root, name);
    return audio_read(path, NULL, audio, err);
}

/* Both ways of looking at it must say so. */
static void refuse(const char *root, const char *name, const char *part) {
    Audio audio = {0};
    Err err[2] = {ERR_NONE, ERR_NONE};
    char path[1100];
    text_format(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(audio_read(path, NULL, &audio, &err[0]), FAIL_DATA);
    assert_int_equal(audio_check(path, NULL, false, &audio, &err[1]), FAIL_DATA);
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
    assert_true(!audio.traits.silent && !audio.traits.channel && !audio.traits.behind);
    char path[1100];
    text_format(path, sizeof path, "%s/%s", root, name);
    for (int thorough = 0; thorough < 2; thorough++) {
        audio.count = audio.rate = audio.whole = 0;
        assert_int_equal(audio_check(path, NULL, thorough, &audio, &err), OK);
        assert_int_equal(audio.count, SOUND_COUNT);
        assert_int_equal(audio.whole, SOUND_COUNT);
        assert_int_equal(audio.rate, 8000);
    }
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

static void other_files_are_named_as_what_they_are(void **state) {
    static const struct {
        const char *bytes;
        size_t count;
        const char *part;
    } CASES[] = {
#define BYTES(text) text, sizeof text - 1
        {BYTES("\0\0\0\x20"
               "ftypM4A \0\0\2\0isomiso2"),
         "is an MPEG-4 file (m4a, mp4, AAC), which is not supported; convert it: ffmpeg "
         "-i "},
        {BYTES("\xFF\xF1\x50\x80\3\x9F\xFC"), "is an AAC file"},
        {BYTES("\x1A\x45\xDF\xA3\x9F\x42\x86\x81"), "is a WebM"},
        {BYTES("\x30\x26\xB2\x75\x8E\x66\xCF\x11"), "is a Windows Media file"},
        {BYTES("#!AMR\n\x3C"), "is an AMR file"},
        {BYTES("PK\3\4\x14\0\0\0"), "is a ZIP archive, not a recording; unpack it"},
        {BYTES("\n <!doctype html><html>"), "is a web page (HTML), not a recording"},
        {BYTES("<HTML><body>404"), "is a web page"},
        {BYTES("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a"),
         "is a pointer of git LFS, not the file itself; download the file (git lfs pull"},
        {BYTES("\0\0\0\0\0\0\0\0\0"), "begins with 9 zeros: it was never written"},
        {BYTES("ID3\3\0\0\0\0\0\1xxxx"), "MP3 file"},
        {BYTES("{\"audio_filepath\": \"a.wav\"}"), "is a JSON text, perhaps a manifest"},
    };
#undef BYTES
    for (size_t i = 0; i < COUNT(CASES); i++) {
        files_write(*state, "x.wav", CASES[i].bytes, CASES[i].count);
        refuse(*state, "x.wav", CASES[i].part);
    }
}

static void a_file_without_samples_is_named(void **state) {
    sound_wav(*state, "x.wav", 16, 1, false);
    files_cut(*state, "x.wav", 44);
    sound_patch(*state, "x.wav", 40, 0);
    refuse(*state, "x.wav", "has no samples");
}

static void a_file_cut_short_is_named(void **state) {
    size_t n;
    sound_wav(*state, "x.wav", 16, 1, false);
    files_cut(*state, "x.wav", 45 + SOUND_COUNT);
    refuse(*state, "x.wav", "is truncated");
    sound_flac(*state, "x.flac", 16, 1);
    mem_free(files_read(*state, "x.flac", &n));
    for (size_t left = n - 1; left > n / 8; left -= n / 8) {
        files_cut(*state, "x.flac", left);
        refuse(*state, "x.flac", "truncated or damaged");
    }
}

static void a_header_of_ten_hours_on_a_second_is_named(void **state) {
    enum { TEN_HOURS = 36000 };
    sound_wav(*state, "x.wav", 16, 1, false);
    sound_patch(*state, "x.wav", 40, TEN_HOURS * 8000u * 2);
    refuse(*state, "x.wav", "its header says 576000000 bytes of samples");
    sound_flac(*state, "x.flac", 16, 1);
    sound_patch_flac_count(*state, "x.flac", (uint64_t)TEN_HOURS * 8000);
    refuse(*state, "x.flac", "its header says 36000.0 s");
}

/* GStreamer, ffmpeg, arecord and SoX write these where they cannot go back. */
static void a_header_that_a_stream_could_not_finish_means_all(void **state) {
    static const uint32_t SAID[] = {0,           UINT32_MAX,  UINT32_MAX - 35,
                                    0x80000000u, 0x7FFFF000u, 0x7FFFEFF0u};
    for (size_t i = 0; i < COUNT(SAID); i++) {
        sound_wav(*state, "x.wav", 16, 1, false);
        sound_patch(*state, "x.wav", 40, SAID[i]);
        sound_patch(*state, "x.wav", 4, i % 2 ? SAID[i] : 36);
        check_ramp(*state, "x.wav", ldexp(1, -15));
    }
    sound_flac(*state, "x.flac", 16, 1);
    sound_patch_flac_count(*state, "x.flac", 0);
    check_ramp(*state, "x.flac", ldexp(1, -14));
    size_t size;
    mem_free(files_read(*state, "x.flac", &size));
    files_cut(*state, "x.flac", size - size / 4);
    refuse(*state, "x.flac", "truncated or damaged");
}

/* Appends bytes to a file. */
static void append(const char *root, const char *name, const void *bytes, size_t count) {
    size_t size;
    uint8_t *old = files_read(root, name, &size);
    uint8_t *all = mem_alloc(size + count);
    memcpy(all, old, size);
    memcpy(all + size, bytes, count);
    files_write(root, name, all, size + count);
    mem_free(old);
    mem_free(all);
}

static void an_empty_chunk_before_others_is_no_open_end(void **state) {
    sound_wav(*state, "x.wav", 16, 1, false);
    files_cut(*state, "x.wav", 44);
    sound_patch(*state, "x.wav", 40, 0);
    append(*state, "x.wav", "LIST\4\0\0\0INFO", 12);
    refuse(*state, "x.wav", "has no samples");
}

static void bytes_behind_the_samples_are_counted(void **state) {
    static const struct {
        const char *bytes;
        size_t count, behind;
    } CASES[] = {
        {"LIST\4\0\0\0INFO", 12, 0},
        {"id3 \3\0\0\0abc\0", 12, 0},
        {"\0\0\0", 3, 0},
        {"\1\2\3", 3, 3},
        {"LIST\4\0\0\0INFOstray", 17, 5},
        {"RIFF\4\0\0\0WAVE", 12, 12},
        {"LIST\377\377\0\0more", 12, 12},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Audio audio = {0};
        sound_wav(*state, "x.wav", 16, 1, false);
        append(*state, "x.wav", CASES[i].bytes, CASES[i].count);
        Err err = ERR_NONE;
        if (read_one(*state, "x.wav", &audio, &err))
            fail_msg("case %zu: %s", i, err.text);
        assert_int_equal(audio.count, SOUND_COUNT);
        if (audio.traits.behind != CASES[i].behind)
            fail_msg("case %zu: %zu bytes", i, audio.traits.behind);
        audio_free(&audio);
    }
}

static void containers_of_all_kinds_are_read_and_their_cuts_seen(void **state) {
    static const struct {
        int format;
        double step;
        bool seen; /* that it was cut */
    } KINDS[] = {
        {SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 1e-4, true},
        {SF_FORMAT_AU | SF_FORMAT_PCM_16, 1e-4, true},
        {SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 1e-4, true},
        {SF_FORMAT_NIST | SF_FORMAT_PCM_16, 1e-4, true},
        {SF_FORMAT_CAF | SF_FORMAT_PCM_16, 1e-4, true},
        {SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 1e-4, true},
        {SF_FORMAT_WAV | SF_FORMAT_ALAW, 0.04, true},
        {SF_FORMAT_WAV | SF_FORMAT_ULAW, 0.04, true},
        {SF_FORMAT_OGG | SF_FORMAT_VORBIS, 1, false},
    };
    for (size_t i = 0; i < COUNT(KINDS); i++) {
        size_t size;
        sound_in(*state, "x.snd", KINDS[i].format);
        check_ramp(*state, "x.snd", KINDS[i].step);
        if (!KINDS[i].seen) continue;
        mem_free(files_read(*state, "x.snd", &size));
        files_cut(*state, "x.snd", size / 2);
        refuse(*state, "x.snd",
               (KINDS[i].format & SF_FORMAT_TYPEMASK) == SF_FORMAT_CAF ? "malformed"
                                                                       : "is truncated");
    }
}

/* ---- pieces ---- */

static void a_span_is_a_piece_of_the_whole(void **state) {
    static const struct {
        AudioSpan span;
        size_t first, count;
    } CASES[] = {{{0, 0}, 0, 8000},       {{0.25, 0}, 2000, 6000},
                 {{0, 0.5}, 0, 4000},     {{0.5, 0.25}, 4000, 2000},
                 {{0.75, 2}, 6000, 2000}, {{0.00013, 0.0001}, 1, 1},
                 {{0.1, 1e-9}, 800, 1}};
    static const char *const NAMES[] = {"x.wav", "x.flac", "open.flac"};
    sound_wav(*state, NAMES[0], 16, 2, false);
    sound_flac(*state, NAMES[1], 16, 1);
    sound_flac(*state, NAMES[2], 16, 1);
    sound_patch_flac_count(*state, NAMES[2], 0);
    for (size_t k = 0; k < COUNT(NAMES) * COUNT(CASES); k++) {
        size_t i = k / COUNT(NAMES);
        char path[1100];
        Audio audio = {0};
        Err err = ERR_NONE;
        text_format(path, sizeof path, "%s/%s", (char *)*state, NAMES[k % COUNT(NAMES)]);
        for (int way = 0; way < 3; way++) {
            Status status = way == 2
                                ? audio_read(path, &CASES[i].span, &audio, &err)
                                : audio_check(path, &CASES[i].span, way, &audio, &err);
            if (status) fail_msg("%s", err.text);
            assert_int_equal(audio.count, CASES[i].count);
        }
        for (size_t j = 0; j < audio.count; j++)
            assert_true(fabs((double)audio.samples[j] - sound_ramp(CASES[i].first + j)) <
                        1e-4);
        audio_free(&audio);
    }
}

static void a_span_behind_the_end_or_of_hours_is_refused(void **state) {
    char path[1100];
    Audio audio = {0};
    Err err = ERR_NONE;
    sound_wav(*state, "x.wav", 16, 1, false);
    text_format(path, sizeof path, "%s/x.wav", (char *)*state);
    assert_int_equal(audio_check(path, &(AudioSpan){1, 0}, false, &audio, &err),
                     FAIL_DATA);
    assert_non_null(
        strstr(err.text, "x.wav lasts only 1.000 s and has nothing from 1 s on"));
    sound_silence_flac(*state, "long.flac", 3700);
    text_format(path, sizeof path, "%s/long.flac", (char *)*state);
    assert_int_equal(audio_check(path, &(AudioSpan){50, 0}, false, &audio, &err),
                     FAIL_DATA);
    assert_int_equal(audio_read(path, &(AudioSpan){3650, 0}, &audio, &err), OK);
    assert_int_equal(audio.count, 50 * 8000);
    audio_free(&audio);
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
    refuse(*state, "x.wav", "1000 samples per second");
    sound_patch(*state, "x.wav", 24, 0);
    refuse(*state, "x.wav",
           "is damaged: its header says 1 channels of 0 samples per second");
    sound_patch(*state, "x.wav", 24, UINT32_MAX);
    refuse(*state, "x.wav", "samples per second");
    sound_patch(*state, "x.wav", 24, 192000);
    refuse(*state, "x.wav", "192000 samples per second");
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
        size_t size, n;
        char path[1100];
        uint8_t *good = files_read(*state, NAMES[trial % 4], &size);
        uint8_t *bad = files_damage(good, size, trial, &n);
        files_write(*state, "bad", bad, n);
        mem_free(good);
        mem_free(bad);
        text_format(path, sizeof path, "%s/bad", (char *)*state);
        Status status = audio_read(path, NULL, &audio, NULL);
        assert_true(status == OK || status == FAIL_DATA);
        for (size_t i = 0; !status && i < audio.count; i++)
            assert_true(isfinite(audio.samples[i]));
        status = audio_check(path, NULL, trial % 2, &audio, NULL);
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
        FOLDER_TEST(a_header_that_a_stream_could_not_finish_means_all),
        FOLDER_TEST(an_empty_chunk_before_others_is_no_open_end),
        FOLDER_TEST(bytes_behind_the_samples_are_counted),
        FOLDER_TEST(containers_of_all_kinds_are_read_and_their_cuts_seen),
        FOLDER_TEST(a_span_is_a_piece_of_the_whole),
        FOLDER_TEST(a_span_behind_the_end_or_of_hours_is_refused),
        FOLDER_TEST(other_files_are_named_as_what_they_are),
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
    assert_int_equal(audio_read("x.wav", NULL, &audio, &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "built without libsndfile"));
    assert_int_equal(audio_check("x.wav", NULL, false, &audio, &err), FAIL_RUN);
    audio_free(&audio);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_libsndfile_every_call_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
