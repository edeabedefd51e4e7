/* Lists of recordings: the folders of LibriSpeech, manifests, pieces of recordings. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "data/speech/audio.h"
#include "data/speech/set.h"
#include "files.h"
#include "sounds.h"
#include "speech_sets.h"

#ifdef HAVE_SNDFILE

/* ---- LibriSpeech ---- */

static void folders_of_librispeech_are_read_in_order(void **state) {
    SpeechConfig config = speech_folders(*state);
    SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
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
    set = speech_must_open(&config, SPLIT_VAL);
    assert_int_equal(set->count, 1);
    speechset_free(set);
    set = speechset_open_names(&config, "dev-clean,train-other", NULL);
    assert_int_equal(set->count, 2);
    assert_string_equal(set->item[0].text, "five");
    speechset_free(set);
    assert_true(speech_has(&config, SPLIT_VAL));
    assert_false(speech_has(&config, SPLIT_TEST));
    speech_refuse(&config, SPLIT_TEST, "has no folder test-clean");
    strcpy(config.path, "/nonexistent");
    speech_refuse(&config, SPLIT_TRAIN, "data.path: /nonexistent: no such folder");
}

static void each_fault_of_a_chapter_is_named_counted_and_skipped(void **state) {
    SpeechConfig config = speech_folders(*state);
    const char *root = *state;
    files_remove(root, CHAPTER "-0000.flac");
    speech_refuse_or_skip(config, SPEECH_NO_AUDIO, 2,
                          "7-2.trans.txt:1: missing recording 7-2-0000.flac");
    speech_folders(root);
    speech_put(root, CHAPTER ".trans.txt", "7-2-0000 ONE\n");
    speech_refuse_or_skip(config, SPEECH_NO_TEXT, 2, "7-2-0001.wav: no .trans.txt");
    speech_put(root, CHAPTER ".trans.txt", "7-2-0000 ONE\n7-2-0001 \n");
    speech_refuse_or_skip(config, SPEECH_EMPTY_TEXT, 2,
                          "7-2.trans.txt:2: no words in the text");
    speech_put(root, CHAPTER ".trans.txt", "7-2-0000 ONE\n7-2-0001 2\n");
    speech_refuse_or_skip(config, SPEECH_UNKNOWN, 2,
                          "7-2.trans.txt:2: the character '2' (U+0032)");
    speech_folders(root);
    speech_put(root, CHAPTER "-0000.flac", "this is a text");
    speech_refuse_or_skip(config, SPEECH_BROKEN, 2,
                          "7-2-0000.flac cannot be read as a recording");
    speech_folders(root);
    sound_patch_flac_count(root, CHAPTER "-0000.flac", 36000 * 8000);
    speech_refuse_or_skip(config, SPEECH_BROKEN, 2, "its header says 36000.0 s");
}

static void an_utterance_too_short_for_ctc_is_named(void **state) {
    SpeechConfig config = speech_folders(*state);
    /* 98 frames / 3 = 32 rows: 30 letters and two boundaries fit, 31 do not,
     * nor 30 with a repeat */
    speech_put(*state, CHAPTER ".trans.txt",
               "7-2-0000 ababababababababababababababab\n7-2-0001 a\n");
    SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->item[0].label_count, 32);
    speechset_free(set);
    speech_put(*state, CHAPTER ".trans.txt",
               "7-2-0000 abababababababababababababababa\n7-2-0001 a\n");
    speech_refuse_or_skip(config, SPEECH_TOO_SHORT, 2,
                          "need 33 rows, but its 1.00 s give only 32");
    speech_put(*state, CHAPTER ".trans.txt",
               "7-2-0000 aabababababababababababababbba\n7-2-0001 a\n");
    speech_refuse_or_skip(config, SPEECH_TOO_SHORT, 2, "need 35 rows");
    config.stride = 2;
    set = speech_must_open(&config, SPLIT_TRAIN);
    speechset_free(set);
    sound_wav_of(*state, CHAPTER "-0001.wav", 0.01);
    speech_refuse_or_skip(config, SPEECH_TOO_SHORT, 2, "but its 0.01 s give only 0");
}

static void several_faults_are_counted_by_kind(void **state) {
    SpeechConfig config = speech_folders(*state);
    speech_put(*state, CHAPTER ".trans.txt", "7-2-0000 1\n7-2-0003 ONE\n7-2-0004 TWO\n");
    speech_refuse(&config, SPLIT_TRAIN, "7-2.trans.txt:1: the character '1'");
    speech_refuse(&config, SPLIT_TRAIN,
                  "2 transcripts without a recording, 1 recording without a transcript, "
                  "1 with unknown characters");
    config.on_error = ON_ERROR_SKIP;
    strcpy(config.train, "train-clean");
    speech_refuse(&config, SPLIT_TRAIN, "no utterance is usable");
}

static void malformed_transcripts_are_faults_like_others(void **state) {
    SpeechConfig config = speech_folders(*state);
    speech_put(*state, CHAPTER ".trans.txt",
               "7-2-0000 ONE\n7-2-0001 TWO\n7-2-0000 ONE\n");
    speech_refuse_or_skip(config, SPEECH_MALFORMED, 3,
                          "7-2.trans.txt:3: duplicate ID 7-2-0000");
    speech_put(*state, CHAPTER ".trans.txt", "7-2-0000 ONE\n ONE\n7-2-0001 TWO\n");
    speech_refuse_or_skip(config, SPEECH_MALFORMED, 3,
                          "7-2.trans.txt:2: the line begins with a space");
    files_remove(*state, CHAPTER "-0001.wav");
    speech_put(*state, CHAPTER ".trans.txt", "7-2-0000 ONE\n7-2-0001 \xFF\n");
    speech_refuse_or_skip(config, SPEECH_MALFORMED, 2,
                          "7-2.trans.txt:2: byte 10 of the line (0xff)");
    files_write(*state, CHAPTER ".trans.txt", "7-2-0000 A\n7-2-0001 O\0E\n", 24);
    speech_refuse_or_skip(config, SPEECH_MALFORMED, 2, "7-2.trans.txt:2: byte");
}

static void files_and_folders_that_are_passed_over_are_noted(void **state) {
    SpeechConfig config = speech_folders(*state);
    speech_put(*state, "train-clean/7/2/7-2-0002.mp3", "x");
    speech_put(*state, "train-clean/7/2/7-2-0003.FLAC", "x");
    speech_put(*state, "train-clean/7/2/notes.txt", "x");
    speech_put(*state, "train-clean/1/2/3/4/5/6.trans.txt", "x");
    SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->facts.notes, 2);
    speech_expect_note(set, "files with other suffixes, not read (.flac", "2 of");
    speech_expect_note(set, "files with other suffixes, not read (.flac",
                       "7-2-0002.mp3)");
    speech_expect_note(set, "folders not read", "(first: ");
    speech_expect_note(set, "folders not read", "/1/2/3/4/5)");
    speechset_free(set);
}

static void a_recording_of_another_ending_is_named_where_it_is_missed(void **state) {
    SpeechConfig config = speech_folders(*state);
    files_remove(*state, CHAPTER "-0001.wav");
    speech_put(*state, CHAPTER "-0001.mp3", "x");
    speech_refuse_or_skip(config, SPEECH_NO_AUDIO, 2,
                          "7-2.trans.txt:2: missing recording 7-2-0001.flac or .wav, but "
                          "7-2-0001.mp3: convert it");
}

static void a_limit_takes_utterances_of_all_speakers(void **state) {
    SpeechConfig config = speech_config_of(*state, SOURCE_LIBRISPEECH);
    for (int speaker = 1; speaker <= 4; speaker++)
        for (int i = 0; i < 3; i++) {
            char name[60], line[90];
            text_format(name, sizeof name, "train/%d/1/%d-1-%d.wav", speaker, speaker, i);
            sound_wav_of(*state, name, 1);
            text_format(name, sizeof name, "train/%d/1/%d-1.trans.txt", speaker, speaker);
            text_format(line, sizeof line, "%d-1-0 ONE\n%d-1-1 ONE\n%d-1-2 ONE\n",
                        speaker, speaker, speaker);
            speech_put(*state, name, line);
        }
    config.limit = 4;
    SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, 4);
    for (int i = 0; i < 4; i++) {
        char speaker[10];
        text_format(speaker, sizeof speaker, "/%d/1/", i + 1);
        assert_non_null(strstr(set->item[i].path, speaker));
    }
    speech_expect_note(set, "data.limit", "4 of 12 utterances, evenly spread");
    speechset_free(set);
    config.limit = 13;
    set = speech_must_open(&config, SPLIT_TRAIN);
    speech_expect_note(set, "data.limit = 13 has no effect",
                       "there are only 12 utterances");
    speechset_free(set);
    text_format(config.test, sizeof config.test, "%s", config.train);
    config.test_limit = 2;
    set = speech_must_open(&config, SPLIT_TEST);
    assert_int_equal(set->count, 2);
    speech_expect_note(set, "data.test_limit", "2 of 12 utterances, evenly spread");
    speechset_free(set);
}

/* ---- manifests ---- */

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
        SpeechConfig config = speech_manifest(*state, text);
        SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
        assert_int_equal(set->count, 2);
        assert_string_equal(set->item[0].text, "one");
        assert_string_equal(set->item[1].text, "two");
        speechset_free(set);
    }
}

static void malformed_manifests_are_refused_with_their_line(void **state) {
    static const char GOOD[] = "{\"audio_filepath\": \"a.wav\", \"text\": \"a\"}\n";
    static const char *const JSON[][2] = {
        {"{\"text\": \"a\"}", "train.txt:2: \"audio_filepath\" is missing"},
        {"{\"audio_filepath\": 1, \"text\": \"a\"}",
         ":2: \"audio_filepath\" is not a string but a number"},
        {"{\"audio_filepath\": \"a.wav\", \"text\": null}",
         ":2: \"text\" is not a string but null"},
        {"{\"audio\": \"a.wav\", \"transcript\": \"a\"}",
         ":2: \"audio_filepath\" is missing (keys of this line: audio, transcript; "
         "expected: audio_filepath, text, optionally offset and duration)"},
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
        {"a.wav", ":1: expected a JSON object, or path and text separated by a tab"},
        {"a.wav\tx\ta", ":1: the second column"},
        {"a.wav\t-1\ta", ":1: the second column"},
        {"a.wav\t\ta", ":1: the second column"},
        {"a.wav\tnan\ta", ":1: the second column"},
        {"\t1\ta", ":1: the path is empty"},
        {"", "no utterances in train"}};
    for (size_t i = 0; i < COUNT(JSON); i++) {
        char text[500];
        text_format(text, sizeof text, "%s%s", GOOD, JSON[i][0]);
        SpeechConfig config = speech_manifest(*state, text);
        speech_refuse_or_skip(config, SPEECH_MALFORMED, 1, JSON[i][1]);
    }
    for (size_t i = 0; i < COUNT(TABS); i++) {
        SpeechConfig config = speech_manifest(*state, TABS[i][0]);
        speech_refuse(&config, SPLIT_TRAIN, TABS[i][1]);
    }
}

static void all_malformed_lines_are_counted_at_once(void **state) {
    SpeechConfig config = speech_manifest(
        *state, "\xEF\xBB\xBF{\"audio_filepath\": \"a.wav\", \"text\": \"a\"}\r\n\r\n"
                "{\"audio_filepath\": \"a.wav\", \"text\": \"7\"}\n"
                "{\"audio_filepath\": \"a.wav\"\n"
                "{\"wav\": \"a.wav\", \"text\": \"a\"}\n"
                "{\"audio_filepath\": \"none.wav\", \"text\": \"a\"}\n");
    speech_refuse(
        &config, SPLIT_TRAIN,
        "1 transcript without a recording, 1 with unknown characters, 2 malformed lines");
    config.on_error = ON_ERROR_SKIP;
    SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, 1);
    assert_int_equal(set->report.listed, 5);
    static const char *const LINES[] = {"train.txt:3: ", "train.txt:4: not JSON",
                                        "train.txt:5: ", "train.txt:6: "};
    for (size_t i = 0; i < COUNT(LINES); i++)
        if (!strstr(set->report.named.text, LINES[i])) fail_msg("%s", LINES[i]);
    speech_expect_note(set, "of 5 utterances skipped: 1 transcript without a recording",
                       "train.txt:3: the ch");
    speechset_free(set);
}

static void lists_of_other_kinds_are_named_as_such(void **state) {
    static const char *const CASES[][2] = {
        {"[{\"audio_filepath\": \"a.wav\", \"text\": \"a\"}]",
         "train.txt:1: this is a JSON array"},
        {"\n [\n{}]", "train.txt:2: this is a JSON array"},
        {"{\n \"audio_filepath\": \"a.wav\",\n \"text\": \"a\"\n}\n",
         "train.txt:1: a JSON object on several lines"},
        {"client_id\tpath\tsentence\nx\ta.wav\tone\n",
         "train.txt:1: \"client_id\\x09path\\x09sentence\": columns of another kind "
         "of list"},
        {"wav_filename,duration,transcript\na.wav,3,a\n",
         "expected: one JSON object per line"},
        {"path,text\na.wav,a\n", "or path, duration and text separated by tabs"}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        SpeechConfig config = speech_manifest(*state, CASES[i][0]);
        for (int skip = 0; skip < 2; skip++) {
            config.on_error = skip ? ON_ERROR_SKIP : ON_ERROR_STOP;
            speech_refuse(&config, SPLIT_TRAIN, CASES[i][1]);
        }
    }
}

/* ---- pieces of recordings ---- */

#define LINE(more) "{\"audio_filepath\": \"a.wav\", \"text\": \"a\"" more "}\n"

static void offset_and_duration_cut_the_recording(void **state) {
    SpeechConfig config = speech_manifest(
        *state, LINE(", \"offset\": 0.25, \"duration\": 0.5") LINE(", \"duration\": 0.4")
                    LINE(", \"offset\": 0.75") LINE(", \"duration\": 0.96")
                        LINE(", \"offset\": 0, \"duration\": 0.96")
                            LINE(", \"duration\": 1.3") LINE(", \"duration\": 5")
                                LINE(", \"duration\": null, \"offset\": null"));
    static const size_t FIRST[] = {2000, 0, 6000, 0, 0, 0, 0, 0};
    static const size_t COUNTS[] = {4000, 3200, 2000, 8000, 7680, 8000, 8000, 8000};
    SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
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
    speech_expect_note(set, "recordings of which the manifest", "4 of 8 (first: ");
    speech_expect_note(set, "recordings of which the manifest", "train.txt:1: ");
    speech_expect_note(set, "recordings of which the manifest",
                       "a.wav, 0.50 s of 1.00 s)");
    speech_expect_note(set, "recordings that are shorter than", "1 of 8");
    speech_expect_note(set, "recordings that are shorter than",
                       "a.wav lasts 1.00 s, not 5.00 s");
    speech_expect_note(set, "utterances that are listed more than once", "3 of 8");
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
    SpeechConfig config = speech_manifest(*state, LINE("") LINE(", \"offset\": 1"));
    speech_refuse_or_skip(config, SPEECH_OUTSIDE, 1,
                          "a.wav lasts only 1.000 s and has nothing from 1 s");
}

/* ---- what recordings hold ---- */

static void a_missing_recording_of_a_manifest_is_named(void **state) {
    SpeechConfig config = speech_manifest(*state, "a.wav\t1\ta\nnone.wav\t1\tb\n");
    speech_refuse_or_skip(config, SPEECH_NO_AUDIO, 1, "train.txt:2: ");
    speech_refuse_or_skip(config, SPEECH_NO_AUDIO, 1, "none.wav cannot be opened");
    strcpy(config.val, "val*");
    speech_refuse(&config, SPLIT_VAL, "has no manifest val*");
    strcpy(config.val, "");
    speech_refuse(&config, SPLIT_VAL, "no such split");
}

static void damaged_lists_are_read_or_refused(void **state) {
    static const char *const GOOD[] = {
        ("{\"audio_filepath\": \"a.wav\", \"duration\": 1, \"text\": \"a\"}\n"
         "{\"audio_filepath\": \"sub/b.flac\", \"text\": \"b\"}\n"),
        "a.wav\t1.0\tone\nsub/b.flac\t1.0\ttwo\n",
        "7-2-0000 ONE TWO\n7-2-0001 IT'S THREE\n"};
    speech_folders(*state);
    speech_manifest(*state, GOOD[0]);
    for (unsigned trial = 0; trial < 600; trial++) {
        size_t n, kind = trial % 3;
        SpeechConfig config = speech_config_of(*state, SOURCE_MANIFEST);
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

int main(void) {
    const struct CMUnitTest cases[] = {
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
        FOLDER_TEST(manifests_name_recordings_beside_them),
        FOLDER_TEST(malformed_manifests_are_refused_with_their_line),
        FOLDER_TEST(a_missing_recording_of_a_manifest_is_named),
        FOLDER_TEST(damaged_lists_are_read_or_refused),
    };
    return cmocka_run_group_tests_name("speechset_lists", cases, NULL, NULL);
}

#else

static void lists_need_libsndfile(void **state) {
    (void)state;
    skip();
}

int main(void) {
    const struct CMUnitTest cases[] = {cmocka_unit_test(lists_need_libsndfile)};
    return cmocka_run_group_tests_name("speechset_lists", cases, NULL, NULL);
}

#endif
