/* Sets of recordings: lists, checks, features. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/speech/audio.h"
#include "data/speech/set.h"
#include "files.h"
#include "sounds.h"

static void put(const char *root, const char *name, const char *text) {
    files_write(root, name, text, strlen(text));
}

static SpeechConfig config_of(const char *root, Source source) {
    SpeechConfig c = speech_config_default();
    c.source = source;
    text_format(c.path, sizeof c.path, "%s", root);
    return c;
}

static SpeechSet *open_set(const SpeechConfig *config, Split split) {
    Err err = ERR_NONE;
    SpeechSet *set = speechset_open(config, split, &err);
    if (!set) fail_msg("%s", err.text);
    return set;
}

/* ---- labels ---- */

static void labels_are_letters_between_word_boundaries(void **state) {
    (void)state;
    TextBuffer clean = {0};
    uint32_t labels[20];
    static const char LINE[] = " Don't\t GO  z";
    static const uint32_t WANTED[] = {0, 5, 16, 15, 1, 21, 0, 8, 16, 0, 27, 0};
    assert_int_equal(speech_clean(LINE, strlen(LINE), &clean, NULL), OK);
    assert_string_equal(clean.text, "don't go z");
    assert_int_equal(speech_encode(clean.text, labels), COUNT(WANTED));
    assert_memory_equal(labels, WANTED, sizeof WANTED);
    text_free(&clean);
}

static void a_path_reads_without_repeats_and_blanks(void **state) {
    (void)state;
    static const uint32_t PATH[] = {28, 0,  0, 21, 9, 28, 6, 6,  28, 6,
                                    0,  28, 0, 2,  2, 28, 1, 28, 0,  28};
    TextBuffer text = {0};
    speech_read_path(PATH, COUNT(PATH), &text);
    assert_string_equal(text.text, "thee a'");
    speech_read_path(PATH, 0, &text);
    assert_string_equal(text.text, "");
    text_free(&text);
}

static void equal_neighbours_need_a_row_between(void **state) {
    (void)state;
    uint32_t labels[8];
    assert_int_equal(speech_rows_needed(labels, speech_encode("a", labels)), 3);
    assert_int_equal(speech_rows_needed(labels, speech_encode("three", labels)), 8);
    assert_int_equal(speech_rows_needed(labels, 0), 0);
}

static void unknown_characters_are_named(void **state) {
    (void)state;
    static const char *const CASES[][2] = {{"a b1", "'1' (U+0031)"},
                                           {"caf\xC3\xA9", "(U+00E9)"},
                                           {"a\x01", "'' (U+0001)"},
                                           {"a-b", "'-' (U+002D)"}};
    TextBuffer clean = {0};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Err err = ERR_NONE;
        assert_int_equal(speech_clean(CASES[i][0], strlen(CASES[i][0]), &clean, &err),
                         FAIL_DATA);
        if (!strstr(err.text, CASES[i][1])) fail_msg("%s", err.text);
    }
    text_free(&clean);
}

/* ---- tones ---- */

static void a_share_of_the_training_set_can_be_the_val_split(void **state) {
    (void)state;
    SpeechConfig config = config_of("", SOURCE_TONES);
    config.synthetic_count = 43;
    SpeechSet *all = speechset_open(&config, SPLIT_TRAIN, NULL);
    config.val_fraction = 0.25;
    SpeechSet *train = speechset_open(&config, SPLIT_TRAIN, NULL);
    SpeechSet *val = speechset_open(&config, SPLIT_VAL, NULL);
    assert_int_equal(val->count, 11); /* 10.75 */
    assert_int_equal(train->count, 32);
    size_t t = 0, v = 0;
    for (size_t i = 0; i < all->count; i++) { /* each is in one of them, in its order */
        if (v < val->count && !strcmp(val->item[v].path, all->item[i].path)) v++;
        else assert_string_equal(train->item[t++].path, all->item[i].path);
    }
    assert_true(fabs(train->seconds + val->seconds - all->seconds) < 1e-6);
    config.val_fraction = 0.999;
    Err err = ERR_NONE;
    assert_null(speechset_open(&config, SPLIT_TRAIN, &err));
    assert_int_equal(err.status, FAIL_USAGE);
    speechset_free(all);
    speechset_free(train);
    speechset_free(val);
}

/* 0.9 times as fast is so many more rows; what text still fits at 1.1 is asked of CTC. */
static void speeds_change_length_and_features(void **state) {
    (void)state;
    SpeechConfig config = config_of("", SOURCE_TONES);
    config.synthetic_count = 3;
    config.speeds = true;
    SpeechSet *set = speechset_open(&config, SPLIT_TRAIN, NULL);
    for (size_t i = 0; i < set->count; i++) {
        double rows[SPEECH_SPEEDS];
        for (size_t s = 0; s < SPEECH_SPEEDS; s++)
            rows[s] = (double)speechset_frames_at(set, i, s);
        assert_true(rows[0] == (double)set->item[i].frames);
        assert_true(fabs(rows[1] * 0.9 - rows[0]) < 3);
        assert_true(rows[2] == 0 || fabs(rows[2] * 1.1 - rows[0]) < 3);
        size_t n = (size_t)rows[1] * 80;
        real *x = mem_alloc(2 * n * sizeof *x), *again = x + n;
        assert_int_equal(speechset_features_at(set, i, 1, x, NULL), OK);
        assert_int_equal(speechset_features_at(set, i, 1, again, NULL), OK);
        assert_memory_equal(x, again, n * sizeof *x); /* from the cache */
        assert_int_equal(speechset_features(set, i, again, NULL), OK);
        assert_memory_not_equal(x, again, (size_t)rows[0] * 80 * sizeof *x);
        mem_free(x);
    }
    speechset_free(set);
}

static void augmentations_of_speech_are_a_list(void **state) {
    (void)state;
    bool speeds;
    SpecAugment masks;
    Err err = ERR_NONE;
    assert_int_equal(speech_augment_parse("speed,specaugment:1:2:3", &speeds, &masks,
                                          &err),
                     OK);
    assert_true(speeds && masks.bands == 1 && masks.band_width == 2 && masks.spans == 3);
    assert_int_equal(speech_augment_parse("none", &speeds, &masks, &err), OK);
    assert_true(!speeds && !masks.bands && !masks.spans);
    assert_int_equal(speech_augment_parse("specaugment", &speeds, &masks, &err), OK);
    assert_true(!speeds && masks.bands == 2);
    assert_int_equal(speech_augment_parse(" specaugment:3, speed", &speeds, &masks, &err),
                     OK);
    assert_true(speeds && masks.bands == 3);
    static const char *const BAD[][2] = {
        {"speeds", "no \"speeds\" for speech; there are none, speed, specaugment"},
        {"speed,crop", "no \"crop\" for speech"},
        {"speed,none", "no \"none\" for speech"},
        {"speed,specaugment:2,speed", "names speed twice"},
        {"specaugment:2,specaugment", "names specaugment twice"},
        {"speed,specaugment:-1", "-1 is not a whole number"},
    };
    for (size_t i = 0; i < COUNT(BAD); i++) {
        assert_int_equal(speech_augment_parse(BAD[i][0], &speeds, &masks, &err),
                         FAIL_USAGE);
        if (!strstr(err.text, BAD[i][1])) fail_msg("%s: %s", BAD[i][0], err.text);
    }
}

static void tones_are_a_set_like_others(void **state) {
    (void)state;
    SpeechConfig config = config_of("", SOURCE_TONES);
    config.synthetic_count = 50;
    config.limit = 30;
    SpeechSet *train = open_set(&config, SPLIT_TRAIN),
              *val = open_set(&config, SPLIT_VAL);
    assert_int_equal(train->count, 30);
    assert_int_equal(val->count, 10);
    assert_int_equal(train->report.left_out, 0);
    assert_int_equal(train->rates, 1);
    const SpeechItem *item = &train->item[7];
    real *x = mem_alloc(2 * item->frames * 80 * sizeof *x), *y = x + item->frames * 80;
    assert_int_equal(speechset_features(train, 7, x, NULL), OK);
    assert_int_equal(speechset_cached(train), item->frames * 80 * sizeof *x);
    assert_int_equal(speechset_features(train, 7, y, NULL), OK);
    assert_memory_equal(x, y, item->frames * 80 * sizeof *x);
    double sum = 0;
    for (size_t i = 0; i < item->frames * 80; i++) sum += (double)x[i];
    assert_true(fabs(sum) < 1e-2 * (double)item->frames);
    mem_free(x);
    speechset_free(train);
    speechset_free(val);
    Err err = ERR_NONE;
    assert_null(speechset_open_names(&config, "dev", &err));
    assert_int_equal(err.status, FAIL_USAGE);
}

#ifdef HAVE_SNDFILE

static void refuse(const SpeechConfig *config, Split split, const char *part) {
    Err err = ERR_NONE;
    SpeechSet *set = speechset_open(config, split, &err);
    if (set) fail_msg("opened, though \"%s\" was to be noticed", part);
    if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    assert_int_equal(err.status, FAIL_DATA);
}

/* Must be refused for `part`, and with `skip` leave out one utterance of that kind. */
static void refuse_or_skip(SpeechConfig config, SpeechFault fault, size_t left,
                           const char *part) {
    config.on_error = ON_ERROR_STOP;
    refuse(&config, SPLIT_TRAIN, part);
    config.on_error = ON_ERROR_SKIP;
    SpeechSet *set = open_set(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, left);
    assert_int_equal(set->report.left_out, 1);
    assert_int_equal(set->report.faults[fault], 1);
    assert_int_equal(set->report.listed, left + 1);
    if (!strstr(set->report.named.text, part)) fail_msg("%s", set->report.named.text);
    speechset_free(set);
}

/* ---- LibriSpeech ---- */

#define CHAPTER "train-clean/7/2/7-2"

static SpeechConfig make_folders(const char *root) {
    put(root, CHAPTER ".trans.txt", "7-2-0000 ONE TWO\n7-2-0001 IT'S THREE\n");
    sound_flac(root, CHAPTER "-0000.flac", 16, 1);
    sound_wav(root, CHAPTER "-0001.wav", 8, 2, false);
    put(root, "train-other/1/1/1-1.trans.txt", "1-1-0000 FOUR\n\n");
    sound_wav_of(root, "train-other/1/1/1-1-0000.wav", 1.5);
    put(root, "dev-clean/3/1/3-1.trans.txt", "3-1-0000 FIVE\n");
    sound_flac(root, "dev-clean/3/1/3-1-0000.flac", 24, 1);
    put(root, "train-readme.txt", "not a folder");
    return config_of(root, SOURCE_LIBRISPEECH);
}

static void folders_of_librispeech_are_read_in_order(void **state) {
    SpeechConfig config = make_folders(*state);
    SpeechSet *set = open_set(&config, SPLIT_TRAIN);
    static const char *const TEXTS[] = {"one two", "it's three", "four"};
    assert_int_equal(set->count, 3);
    for (size_t i = 0; i < 3; i++) assert_string_equal(set->item[i].text, TEXTS[i]);
    assert_int_equal(set->item[0].samples, SOUND_COUNT);
    assert_int_equal(set->item[0].frames, 98);
    assert_int_equal(set->item[1].line, 2);
    assert_int_equal(set->item[2].samples, 12000);
    assert_true(fabs(set->seconds - 3.5) < 1e-9);
    assert_int_equal(set->report.listed, 3);
    speechset_free(set);
    set = open_set(&config, SPLIT_VAL);
    assert_int_equal(set->count, 1);
    speechset_free(set);
    set = speechset_open_names(&config, "dev-clean,train-other", NULL);
    assert_int_equal(set->count, 2);
    assert_string_equal(set->item[0].text, "five");
    speechset_free(set);
    assert_true(speech_has(&config, SPLIT_VAL));
    assert_false(speech_has(&config, SPLIT_TEST));
    refuse(&config, SPLIT_TEST, "has no folder test-clean");
    strcpy(config.path, "/nonexistent");
    refuse(&config, SPLIT_TRAIN, "cannot be opened");
}

static void each_fault_of_a_chapter_is_named_counted_and_skipped(void **state) {
    SpeechConfig config = make_folders(*state);
    const char *root = *state;
    files_remove(root, CHAPTER "-0000.flac");
    refuse_or_skip(config, SPEECH_NO_AUDIO, 2,
                   "7-2.trans.txt:1: there is no recording 7-2-0000.flac");
    make_folders(root);
    put(root, CHAPTER ".trans.txt", "7-2-0000 ONE\n");
    refuse_or_skip(config, SPEECH_NO_TEXT, 2, "7-2-0001.wav: no line");
    put(root, CHAPTER ".trans.txt", "7-2-0000 ONE\n7-2-0001 \n");
    refuse_or_skip(config, SPEECH_EMPTY_TEXT, 2, "7-2.trans.txt:2: there is no word");
    put(root, CHAPTER ".trans.txt", "7-2-0000 ONE\n7-2-0001 2\n");
    refuse_or_skip(config, SPEECH_UNKNOWN, 2,
                   "7-2.trans.txt:2: the character '2' (U+0032)");
    make_folders(root);
    put(root, CHAPTER "-0000.flac", "this is a text");
    refuse_or_skip(config, SPEECH_BROKEN, 2, "7-2-0000.flac is not a recording");
    make_folders(root);
    sound_patch_flac_count(root, CHAPTER "-0000.flac", 36000 * 8000);
    refuse_or_skip(config, SPEECH_BROKEN, 2, "its header promises 36000.0 s");
}

static void an_utterance_too_short_for_ctc_is_named(void **state) {
    SpeechConfig config = make_folders(*state);
    /* 98 frames / 3 = 32 rows: 30 letters and two boundaries fit, 31 do not, nor 30 with a repeat */
    put(*state, CHAPTER ".trans.txt",
        "7-2-0000 ababababababababababababababab\n7-2-0001 a\n");
    SpeechSet *set = open_set(&config, SPLIT_TRAIN);
    assert_int_equal(set->item[0].label_count, 32);
    speechset_free(set);
    put(*state, CHAPTER ".trans.txt",
        "7-2-0000 abababababababababababababababa\n7-2-0001 a\n");
    refuse_or_skip(config, SPEECH_TOO_SHORT, 2, "need 33 rows, its 1.00 s give 32");
    put(*state, CHAPTER ".trans.txt",
        "7-2-0000 aabababababababababababababbba\n7-2-0001 a\n");
    refuse_or_skip(config, SPEECH_TOO_SHORT, 2, "need 35 rows");
    config.stride = 2;
    set = open_set(&config, SPLIT_TRAIN);
    speechset_free(set);
    sound_wav_of(*state, CHAPTER "-0001.wav", 0.01);
    refuse_or_skip(config, SPEECH_TOO_SHORT, 2, "its 0.01 s give 0");
}

static void several_faults_are_counted_by_kind(void **state) {
    SpeechConfig config = make_folders(*state);
    put(*state, CHAPTER ".trans.txt", "7-2-0000 1\n7-2-0003 ONE\n7-2-0004 TWO\n");
    refuse(&config, SPLIT_TRAIN, "7-2.trans.txt:1: the character '1'");
    refuse(&config, SPLIT_TRAIN,
           "2 transcripts without a recording, 1 recording without a transcript, "
           "1 with unknown characters");
    config.on_error = ON_ERROR_SKIP;
    strcpy(config.train, "train-clean");
    refuse(&config, SPLIT_TRAIN, "none of the utterances is good");
}

static void malformed_transcripts_are_faults_like_others(void **state) {
    SpeechConfig config = make_folders(*state);
    put(*state, CHAPTER ".trans.txt", "7-2-0000 ONE\n7-2-0001 TWO\n7-2-0000 ONE\n");
    refuse_or_skip(config, SPEECH_MALFORMED, 3,
                   "7-2.trans.txt:3: 7-2-0000 is listed a second time");
    put(*state, CHAPTER ".trans.txt", "7-2-0000 ONE\n ONE\n7-2-0001 TWO\n");
    refuse_or_skip(config, SPEECH_MALFORMED, 3,
                   "7-2.trans.txt:2: the line begins with a blank");
    files_remove(*state, CHAPTER "-0001.wav");
    put(*state, CHAPTER ".trans.txt", "7-2-0000 ONE\n7-2-0001 \xFF\n");
    refuse_or_skip(config, SPEECH_MALFORMED, 2,
                   "7-2.trans.txt:2: byte 10 of the line (0xff)");
    files_write(*state, CHAPTER ".trans.txt", "7-2-0000 A\n7-2-0001 O\0E\n", 24);
    refuse_or_skip(config, SPEECH_MALFORMED, 2, "7-2.trans.txt:2: a NUL byte");
}

/* The note that begins so. */
static const char *note_of(const SpeechSet *set, const char *start) {
    for (size_t i = 0; i < set->facts.notes; i++)
        if (!strncmp(set->facts.note[i].text, start, strlen(start)))
            return set->facts.note[i].text;
    return "";
}

static void expect_note(const SpeechSet *set, const char *start, const char *part) {
    if (!strstr(note_of(set, start), part))
        fail_msg("\"%s\" is not in \"%s\"", part, note_of(set, start));
}

static void files_and_folders_that_are_passed_over_are_noted(void **state) {
    SpeechConfig config = make_folders(*state);
    put(*state, "train-clean/7/2/7-2-0002.mp3", "x");
    put(*state, "train-clean/7/2/7-2-0003.FLAC", "x");
    put(*state, "train-clean/7/2/notes.txt", "x");
    put(*state, "train-clean/1/2/3/4/5/6.trans.txt", "x");
    SpeechSet *set = open_set(&config, SPLIT_TRAIN);
    assert_int_equal(set->facts.notes, 2);
    expect_note(set, "files that are not read for their ending", "2 of");
    expect_note(set, "files that are not read for their ending", "7-2-0002.mp3)");
    expect_note(set, "folders that are not read for their depth", "(first: ");
    expect_note(set, "folders that are not read for their depth", "/1/2/3/4/5)");
    speechset_free(set);
}

static void a_recording_of_another_ending_is_named_where_it_is_missed(void **state) {
    SpeechConfig config = make_folders(*state);
    files_remove(*state, CHAPTER "-0001.wav");
    put(*state, CHAPTER "-0001.mp3", "x");
    refuse_or_skip(config, SPEECH_NO_AUDIO, 2,
                   "7-2.trans.txt:2: there is no recording 7-2-0001.flac or .wav, but "
                   "7-2-0001.mp3: convert it");
}

static void a_limit_takes_utterances_of_all_speakers(void **state) {
    SpeechConfig config = config_of(*state, SOURCE_LIBRISPEECH);
    for (int speaker = 1; speaker <= 4; speaker++)
        for (int i = 0; i < 3; i++) {
            char name[60], line[90];
            text_format(name, sizeof name, "train/%d/1/%d-1-%d.wav", speaker, speaker, i);
            sound_wav_of(*state, name, 1);
            text_format(name, sizeof name, "train/%d/1/%d-1.trans.txt", speaker, speaker);
            text_format(line, sizeof line, "%d-1-0 ONE\n%d-1-1 ONE\n%d-1-2 ONE\n",
                        speaker, speaker, speaker);
            put(*state, name, line);
        }
    config.limit = 4;
    SpeechSet *set = open_set(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, 4);
    for (int i = 0; i < 4; i++) {
        char speaker[10];
        text_format(speaker, sizeof speaker, "/%d/1/", i + 1);
        assert_non_null(strstr(set->item[i].path, speaker));
    }
    expect_note(set, "data.limit", "4 of 12 utterances, evenly spread");
    speechset_free(set);
    config.limit = 13;
    set = open_set(&config, SPLIT_TRAIN);
    expect_note(set, "data.limit = 13 has no effect", "there are 12 utterances");
    speechset_free(set);
}

/* ---- manifests ---- */

static SpeechConfig make_manifest(const char *root, const char *text) {
    SpeechConfig config = config_of(root, SOURCE_MANIFEST);
    put(root, "train.txt", text);
    sound_wav(root, "a.wav", 16, 1, false);
    sound_flac(root, "sub/b.flac", 16, 1);
    return config;
}

static void manifests_name_recordings_beside_them(void **state) {
    char absolute[1200];
    text_format(absolute, sizeof absolute, "%s/a.wav\t1\ttwo\n", (char *)*state);
    static const char *const TEXTS[] = {
        "{\"audio_filepath\": \"sub/b.flac\", \"duration\": 1.0, \"text\": \"One\"}\n\n"
        "{\"text\": \"t\\u0077o\", \"audio_filepath\": \"a.wav\", \"lang\": \"en\", "
        "\"offset\": 0}",
        "path\tduration\ttext\nsub/b.flac\t1.0\tone\r\na.wav\t1e0\ttwo",
        "sub/b.flac\t1\tONE\n"};
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        char text[2000];
        text_format(text, sizeof text, "%s%s", TEXTS[i], i == 2 ? absolute : "");
        SpeechConfig config = make_manifest(*state, text);
        SpeechSet *set = open_set(&config, SPLIT_TRAIN);
        assert_int_equal(set->count, 2);
        assert_string_equal(set->item[0].text, "one");
        assert_string_equal(set->item[1].text, "two");
        speechset_free(set);
    }
}

static void malformed_manifests_are_refused_with_their_line(void **state) {
    static const char GOOD[] = "{\"audio_filepath\": \"a.wav\", \"text\": \"a\"}\n";
    static const char *const JSON[][2] = {
        {"{\"text\": \"a\"}", "train.txt:2: there is no string \"audio_filepath\""},
        {"{\"audio_filepath\": 1, \"text\": \"a\"}",
         ":2: \"audio_filepath\" is no string, but a number"},
        {"{\"audio_filepath\": \"a.wav\", \"text\": null}",
         ":2: \"text\" is no string, but null"},
        {"{\"audio\": \"a.wav\", \"transcript\": \"a\"}",
         ":2: there is no string \"audio_filepath\" (the keys here: audio, transcript; "
         "expected: audio_filepath, text, and if need be offset and duration)"},
        {"{\"audio_filepath\": \"\", \"text\": \"a\"}", ":2: the path is empty"},
        {"{\"audio_filepath\": \"a.wav\", \"text\": \"a\", \"duration\": -1}",
         ":2: \"duration\""},
        {"{\"audio_filepath\": \"a.wav\", \"text\": \"a\", \"duration\": 0}",
         ":2: \"duration\""},
        {"{\"audio_filepath\": \"a.wav\", \"text\": \"a\", \"duration\": \"1\"}",
         ":2: \"duration\""},
        {"{\"audio_filepath\": \"a.wav\", \"text\": \"a\", \"duration\": 1e400}",
         ":2: not JSON"},
        {"{\"audio_filepath\": \"a.wav\", \"text\": \"a\", \"offset\": NaN}",
         ":2: not JSON"},
        {"{\"audio_filepath\": \"a.wav\", \"text\": \"a\", \"offset\": -0.5}",
         ":2: \"offset\" is not a number of seconds from 0"},
        {"{\"audio_filepath\": \"a.wav\", \"text\": \"a\", \"offset\": \"0\"}",
         ":2: \"offset\""},
        {"\xFF", ":2: byte 1 of the line (0xff) is not UTF-8"},
        {"{\"audio_filepath\": \"a.wav\", \"text\": \"a\\u0000\"}", ":2: not JSON"},
        {"{\"text\": \"a\", \"text\": \"b\"}", ":2: not JSON"},
        {"{\"text\": ", ":2: not JSON"},
        {"[1]", ":2: not a JSON object"},
        {"a.wav\t1\ta", ":2: not JSON"}};
    static const char *const TABS[][2] = {
        {"a.wav\t1", ":1: expected a JSON object, or path, duration and text"},
        {"a.wav\tx\ta", ":1: the second column"},
        {"a.wav\t-1\ta", ":1: the second column"},
        {"a.wav\t\ta", ":1: the second column"},
        {"a.wav\tnan\ta", ":1: the second column"},
        {"\t1\ta", ":1: the path is empty"},
        {"", "no utterances in train"}};
    for (size_t i = 0; i < COUNT(JSON); i++) {
        char text[500];
        text_format(text, sizeof text, "%s%s", GOOD, JSON[i][0]);
        SpeechConfig config = make_manifest(*state, text);
        refuse_or_skip(config, SPEECH_MALFORMED, 1, JSON[i][1]);
    }
    for (size_t i = 0; i < COUNT(TABS); i++) {
        SpeechConfig config = make_manifest(*state, TABS[i][0]);
        refuse(&config, SPLIT_TRAIN, TABS[i][1]);
    }
}

static void all_malformed_lines_are_counted_at_once(void **state) {
    SpeechConfig config = make_manifest(
        *state, "\xEF\xBB\xBF{\"audio_filepath\": \"a.wav\", \"text\": \"a\"}\r\n\r\n"
                "{\"audio_filepath\": \"a.wav\", \"text\": \"7\"}\n"
                "{\"audio_filepath\": \"a.wav\"\n"
                "{\"wav\": \"a.wav\", \"text\": \"a\"}\n"
                "{\"audio_filepath\": \"none.wav\", \"text\": \"a\"}\n");
    refuse(
        &config, SPLIT_TRAIN,
        "1 transcript without a recording, 1 with unknown characters, 2 malformed lines");
    config.on_error = ON_ERROR_SKIP;
    SpeechSet *set = open_set(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, 1);
    assert_int_equal(set->report.listed, 5);
    static const char *const LINES[] = {"train.txt:3: ", "train.txt:4: not JSON",
                                        "train.txt:5: ", "train.txt:6: "};
    for (size_t i = 0; i < COUNT(LINES); i++)
        if (!strstr(set->report.named.text, LINES[i])) fail_msg("%s", LINES[i]);
    expect_note(set, "left out of 5: 1 transcript without a recording",
                "train.txt:3: the ch");
    speechset_free(set);
}

static void lists_of_other_kinds_are_named_as_such(void **state) {
    static const char *const CASES[][2] = {
        {"[{\"audio_filepath\": \"a.wav\", \"text\": \"a\"}]",
         "train.txt:1: this is a JSON array"},
        {"\n [\n{}]", "train.txt:2: this is a JSON array"},
        {"{\n \"audio_filepath\": \"a.wav\",\n \"text\": \"a\"\n}\n",
         "train.txt:1: a JSON object that goes over several lines"},
        {"client_id\tpath\tsentence\nx\ta.wav\tone\n",
         "train.txt:1: \"client_id\\x09path\\x09sentence\" are columns of another kind "
         "of list"},
        {"wav_filename,duration,transcript\na.wav,3,a\n",
         "expected: one JSON object per line"},
        {"path,text\na.wav,a\n", "or path, duration and text separated by tabs"}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        SpeechConfig config = make_manifest(*state, CASES[i][0]);
        for (int skip = 0; skip < 2; skip++) {
            config.on_error = skip ? ON_ERROR_SKIP : ON_ERROR_STOP;
            refuse(&config, SPLIT_TRAIN, CASES[i][1]);
        }
    }
}

/* ---- pieces of recordings ---- */

#define LINE(more) "{\"audio_filepath\": \"a.wav\", \"text\": \"a\"" more "}\n"

static void offset_and_duration_cut_the_recording(void **state) {
    SpeechConfig config = make_manifest(
        *state, LINE(", \"offset\": 0.25, \"duration\": 0.5") LINE(", \"duration\": 0.4")
                    LINE(", \"offset\": 0.75") LINE(", \"duration\": 0.96")
                        LINE(", \"offset\": 0, \"duration\": 0.96")
                            LINE(", \"duration\": 1.3") LINE(", \"duration\": 5")
                                LINE(", \"duration\": null, \"offset\": null"));
    static const size_t FIRST[] = {2000, 0, 6000, 0, 0, 0, 0, 0};
    static const size_t COUNTS[] = {4000, 3200, 2000, 8000, 7680, 8000, 8000, 8000};
    SpeechSet *set = open_set(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, COUNT(FIRST));
    Audio audio = {0};
    char path[1200];
    text_format(path, sizeof path, "%s/a.wav", (const char *)*state);
    assert_int_equal(audio_read(path, NULL, &audio, NULL), OK);
    LogMel *mel = logmel_new(8000, 80);
    for (size_t i = 0; i < COUNT(FIRST); i++) {
        size_t frames = logmel_frames_at(8000, COUNTS[i]), n = frames * 80;
        real *wanted = mem_alloc(2 * n * sizeof *wanted), *got = wanted + n;
        assert_int_equal(set->item[i].samples, COUNTS[i]);
        assert_int_equal(set->item[i].frames, frames);
        logmel_compute(mel, audio.samples + FIRST[i], COUNTS[i], wanted);
        logmel_normalise(wanted, n);
        assert_int_equal(speechset_features(set, i, got, NULL), OK);
        assert_memory_equal(wanted, got, n * sizeof *got);
        mem_free(wanted);
    }
    expect_note(set, "recordings that offset and duration", "4 of 8 (first: ");
    expect_note(set, "recordings that offset and duration", "train.txt:1: ");
    expect_note(set, "recordings that offset and duration", "a.wav, 0.50 s of 1.00 s)");
    expect_note(set, "recordings that do not last", "1 of 8");
    expect_note(set, "recordings that do not last", "a.wav lasts 1.00 s, not 5.00 s");
    expect_note(set, "utterances that are listed more than once", "3 of 8");
    char name[1300];
    speech_item_name(&set->item[0], name, sizeof name);
    assert_non_null(strstr(name, "a.wav@0.25"));
    speech_item_name(&set->item[1], name, sizeof name);
    assert_string_equal(name, path);
    logmel_free(mel);
    audio_free(&audio);
    speechset_free(set);
}

static void an_offset_behind_the_end_is_a_fault(void **state) {
    SpeechConfig config = make_manifest(*state, LINE("") LINE(", \"offset\": 1"));
    refuse_or_skip(config, SPEECH_OUTSIDE, 1,
                   "a.wav lasts 1.000 s: there is nothing from 1 s");
}

/* ---- what recordings hold ---- */

static double still(size_t i, unsigned c) { return (void)i, (void)c, 0.125; }
static double opposite(size_t i, unsigned c) {
    return c ? -sound_ramp(i) : sound_ramp(i);
}
static double loud(size_t i, unsigned c) { return (void)c, i % 40 < 20 ? 0.9999 : -1; }

static void what_recordings_hold_is_noted_once_with_the_first(void **state) {
    SpeechConfig config = make_manifest(
        *state,
        "a.wav\t1\ta\nstill.wav\t1\ta\nodd.wav\t1\tb\nloud.wav\t1\tc\na.wav\t1\tb\n");
    sound_wav_by(*state, "still.wav", 1, SOUND_COUNT, still);
    sound_wav_by(*state, "odd.wav", 2, SOUND_COUNT, opposite);
    sound_wav_by(*state, "loud.wav", 1, SOUND_COUNT, loud);
    SpeechSet *set = open_set(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, 5);
    expect_note(set, "silent recordings", "1 of 5 (first: ");
    expect_note(set, "silent recordings", "still.wav)");
    expect_note(set, "recordings whose channels cancel", "odd.wav, channel 1)");
    expect_note(set, "clipped recordings", "loud.wav, 9");
    expect_note(set, "recordings that are listed again with another text",
                "a.wav, as line 1)");
    assert_int_equal(set->facts.notes, 4);
    speechset_free(set);
    put(*state, "train.txt", "still.wav\t1\ta\nstill.wav\t1\tb\n");
    refuse(&config, SPLIT_TRAIN, "all 2 recordings are silent");
}

static void a_set_knows_its_items_by_a_hash(void **state) {
    static const char *const LISTS[] = {"a.wav\t1\ta\nsub/b.flac\t1\tb\n",
                                        "a.wav\t1.0\tA\nsub/b.flac\t1\tb\n\n",
                                        "sub/b.flac\t1\tb\na.wav\t1\ta\n",
                                        "a.wav\t1\ta\nsub/b.flac\t1\tc\n",
                                        "a.wav\t1\ta\n",
                                        "a.wav\t0.5\ta\nsub/b.flac\t1\tb\n"};
    uint64_t hash[COUNT(LISTS)];
    for (size_t i = 0; i < COUNT(LISTS); i++) {
        SpeechConfig config = make_manifest(*state, LISTS[i]);
        SpeechSet *set = open_set(&config, SPLIT_TRAIN);
        assert_int_equal(set->facts.count, set->count);
        hash[i] = set->facts.hash;
        assert_true((hash[i] == hash[0]) == (i < 2));
        speechset_free(set);
    }
}

static void utterances_of_two_sets_are_found_by_name_text_and_length(void **state) {
    SpeechConfig config = make_manifest(*state, "a.wav\t1\ta\nsub/b.flac\t1\tb\n");
    put(*state, "val.txt", "copy/a.wav\t1\ta\nsub/b.flac\t1\tc\n");
    sound_wav(*state, "copy/a.wav", 16, 1, false);
    strcpy(config.val, "val.txt");
    SpeechSet *train = open_set(&config, SPLIT_TRAIN),
              *val = open_set(&config, SPLIT_VAL);
    SpeechShared shared = speechset_shared(val, train);
    assert_int_equal(shared.same, 1);
    assert_int_equal(shared.first_same, 0);
    assert_int_equal(shared.reworded, 1);
    assert_int_equal(shared.first_reworded, 1);
    shared = speechset_shared(train, train);
    assert_int_equal(shared.same, 2);
    assert_int_equal(shared.reworded, 0);
    speechset_free(train);
    speechset_free(val);
}

/* Faults and notes of a list that two splits are cut from are those of training. */
static void a_list_of_two_splits_is_noted_once(void **state) {
    SpeechConfig config = make_manifest(
        *state,
        "a.wav\t1\ta\nsub/b.flac\t1\tb\na.wav\t1\tc\nnone.wav\t1\ta\nsub/b.flac\t9\td\n");
    config.on_error = ON_ERROR_SKIP;
    config.val_fraction = 0.5;
    SpeechSet *train = open_set(&config, SPLIT_TRAIN),
              *val = open_set(&config, SPLIT_VAL);
    assert_int_equal(train->count + val->count, 4);
    assert_int_equal(train->report.left_out, 1);
    assert_int_equal(val->report.left_out, 0);
    expect_note(train, "left out of 5", "1 transcript without a recording");
    assert_true(!*note_of(val, "left out"));
    assert_true(!*note_of(train, "recordings that do not last") !=
                !*note_of(val, "recordings that do not last"));
    speechset_free(train);
    speechset_free(val);
}

static void a_missing_recording_of_a_manifest_is_named(void **state) {
    SpeechConfig config = make_manifest(*state, "a.wav\t1\ta\nnone.wav\t1\tb\n");
    refuse_or_skip(config, SPEECH_NO_AUDIO, 1, "train.txt:2: ");
    refuse_or_skip(config, SPEECH_NO_AUDIO, 1, "none.wav cannot be opened");
    strcpy(config.val, "val*");
    refuse(&config, SPLIT_VAL, "has no manifest val*");
    strcpy(config.val, "");
    refuse(&config, SPLIT_VAL, "there is no such split");
}

static void damaged_lists_are_read_or_refused(void **state) {
    static const char *const GOOD[] = {
        "{\"audio_filepath\": \"a.wav\", \"duration\": 1, \"text\": \"a\"}\n"
        "{\"audio_filepath\": \"sub/b.flac\", \"text\": \"b\"}\n",
        "a.wav\t1.0\tone\nsub/b.flac\t1.0\ttwo\n",
        "7-2-0000 ONE TWO\n7-2-0001 IT'S THREE\n"};
    make_folders(*state);
    make_manifest(*state, GOOD[0]);
    for (unsigned trial = 0; trial < 600; trial++) {
        size_t n, kind = trial % 3;
        SpeechConfig config = config_of(*state, SOURCE_MANIFEST);
        uint8_t *bad =
            files_damage((const uint8_t *)GOOD[kind], strlen(GOOD[kind]), trial, &n);
        files_write(*state, kind == 2 ? CHAPTER ".trans.txt" : "train.txt", bad, n);
        mem_free(bad);
        if (kind == 2)
            config.source = SOURCE_LIBRISPEECH, strcpy(config.train, "train-clean");
        else strcpy(config.train, "train.txt");
        config.on_error = trial % 2 ? ON_ERROR_SKIP : ON_ERROR_STOP;
        Err err = ERR_NONE;
        SpeechSet *set = speechset_open(&config, SPLIT_TRAIN, &err);
        assert_true(set || err.status == FAIL_DATA);
        speechset_free(set);
    }
}

static void a_recording_that_changes_after_the_check_is_named(void **state) {
    SpeechConfig config = make_manifest(*state, "a.wav\t1\ta\n");
    SpeechSet *set = open_set(&config, SPLIT_TRAIN);
    real *x = mem_alloc(set->item[0].frames * 80 * sizeof *x);
    Err err = ERR_NONE;
    sound_wav_of(*state, "a.wav", 3);
    assert_int_equal(speechset_features(set, 0, x, &err), FAIL_DATA);
    assert_non_null(strstr(err.text, "a.wav has changed"));
    mem_free(x);
    speechset_free(set);
}

static void the_real_digits_have_their_known_counts(void **state) {
    (void)state;
    SpeechConfig config = config_of(files_real("librispeech-digits"), SOURCE_LIBRISPEECH);
    SpeechSet *train = open_set(&config, SPLIT_TRAIN);
    SpeechSet *other = speechset_open_names(&config, "dev-other", NULL);
    assert_non_null(other);
    assert_int_equal(train->report.left_out, 0);
    assert_int_equal(train->rates, 1);
    assert_int_equal(train->rate[0], 8000);
    assert_int_equal(train->count, 1200);
    assert_int_equal(other->count, 120);
    assert_in_range((size_t)train->seconds, 3676, 3678);
    speechset_free(train);
    speechset_free(other);
}

/* Rows of the one recording, heard at a rate; the caller's. */
static real *hear(SpeechConfig config, size_t heard, size_t *size) {
    config.heard = heard;
    SpeechSet *set = open_set(&config, SPLIT_TRAIN);
    *size = set->item[0].frames * config.filters;
    real *x = mem_alloc(*size * sizeof *x);
    assert_int_equal(speechset_features(set, 0, x, NULL), OK);
    speechset_free(set);
    return x;
}

static void a_set_is_heard_at_the_rate_that_is_asked_for(void **state) {
    Audio audio = {0};
    char path[1200];
    size_t size;
    SpeechConfig config = make_manifest(*state, "a.wav\t1\ta\n");
    real *as_it_is = hear(config, 0, &size), *own = hear(config, 8000, &size);
    real *lower = hear(config, 4000, &size), *wanted = mem_alloc(size * sizeof *wanted);
    assert_memory_equal(as_it_is, own, size * sizeof *own);
    text_format(path, sizeof path, "%s/a.wav", (const char *)*state);
    assert_int_equal(audio_read(path, NULL, &audio, NULL), OK);
    LogMel *mel = logmel_new_played(4000, 8000, config.filters);
    logmel_compute(mel, audio.samples, audio.count, wanted);
    logmel_normalise(wanted, size);
    assert_memory_equal(lower, wanted, size * sizeof *lower);
    assert_memory_not_equal(lower, own, size * sizeof *lower);
    logmel_free(mel);
    audio_free(&audio);
    mem_free(as_it_is);
    mem_free(own);
    mem_free(lower);
    mem_free(wanted);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_letters_between_word_boundaries),
        cmocka_unit_test(a_path_reads_without_repeats_and_blanks),
        cmocka_unit_test(equal_neighbours_need_a_row_between),
        cmocka_unit_test(unknown_characters_are_named),
        cmocka_unit_test(speeds_change_length_and_features),
        cmocka_unit_test(augmentations_of_speech_are_a_list),
        cmocka_unit_test(tones_are_a_set_like_others),
        cmocka_unit_test(a_share_of_the_training_set_can_be_the_val_split),
#ifdef HAVE_SNDFILE
        FOLDER_TEST(folders_of_librispeech_are_read_in_order),
        FOLDER_TEST(each_fault_of_a_chapter_is_named_counted_and_skipped),
        FOLDER_TEST(an_utterance_too_short_for_ctc_is_named),
        FOLDER_TEST(several_faults_are_counted_by_kind),
        FOLDER_TEST(malformed_transcripts_are_faults_like_others),
        FOLDER_TEST(files_and_folders_that_are_passed_over_are_noted),
        FOLDER_TEST(a_recording_of_another_ending_is_named_where_it_is_missed),
        FOLDER_TEST(a_limit_takes_utterances_of_all_speakers),
        FOLDER_TEST(all_malformed_lines_are_counted_at_once),
        FOLDER_TEST(lists_of_other_kinds_are_named_as_such),
        FOLDER_TEST(offset_and_duration_cut_the_recording),
        FOLDER_TEST(an_offset_behind_the_end_is_a_fault),
        FOLDER_TEST(what_recordings_hold_is_noted_once_with_the_first),
        FOLDER_TEST(a_set_knows_its_items_by_a_hash),
        FOLDER_TEST(utterances_of_two_sets_are_found_by_name_text_and_length),
        FOLDER_TEST(a_list_of_two_splits_is_noted_once),
        FOLDER_TEST(manifests_name_recordings_beside_them),
        FOLDER_TEST(malformed_manifests_are_refused_with_their_line),
        FOLDER_TEST(a_missing_recording_of_a_manifest_is_named),
        FOLDER_TEST(damaged_lists_are_read_or_refused),
        FOLDER_TEST(a_recording_that_changes_after_the_check_is_named),
        FOLDER_TEST(a_set_is_heard_at_the_rate_that_is_asked_for),
        cmocka_unit_test(the_real_digits_have_their_known_counts),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
