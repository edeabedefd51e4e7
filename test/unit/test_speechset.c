/* Sets of recordings: labels, tones, features, what recordings hold. */
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
    SpeechConfig config = speech_config_of("", SOURCE_TONES);
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
    SpeechConfig config = speech_config_of("", SOURCE_TONES);
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
        {"speeds",
         "no \"speeds\" for speech; expected none, or some of speed, specaugment"},
        {"speed,crop", "no \"crop\" for speech"},
        {"speed,none", "none cannot be combined with others"},
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
    SpeechConfig config = speech_config_of("", SOURCE_TONES);
    config.synthetic_count = 50;
    config.limit = 30;
    SpeechSet *train = speech_must_open(&config, SPLIT_TRAIN),
              *val = speech_must_open(&config, SPLIT_VAL);
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

/* ---- what recordings hold ---- */

static double still(size_t i, unsigned c) { return (void)i, (void)c, 0.125; }

static double opposite(size_t i, unsigned c) {
    return c ? -sound_ramp(i) : sound_ramp(i);
}

static double loud(size_t i, unsigned c) { return (void)c, i % 40 < 20 ? 0.9999 : -1; }

static void what_recordings_hold_is_noted_once_with_the_first(void **state) {
    SpeechConfig config = speech_manifest(
        *state,
        "a.wav\t1\ta\nstill.wav\t1\ta\nodd.wav\t1\tb\nloud.wav\t1\tc\na.wav\t1\tb\n");
    sound_wav_by(*state, "still.wav", 1, SOUND_COUNT, still);
    sound_wav_by(*state, "odd.wav", 2, SOUND_COUNT, opposite);
    sound_wav_by(*state, "loud.wav", 1, SOUND_COUNT, loud);
    SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, 5);
    speech_expect_note(set, "silent recordings", "1 of 5 (first: ");
    speech_expect_note(set, "silent recordings", "still.wav)");
    speech_expect_note(set, "recordings whose channels cancel", "odd.wav, channel 1)");
    speech_expect_note(set, "clipped recordings", "loud.wav, 9");
    speech_expect_note(set,
                       "recordings that are listed more than once, with different texts",
                       "a.wav, as line 1)");
    assert_int_equal(set->facts.notes, 4);
    speechset_free(set);
    speech_put(*state, "train.txt", "still.wav\t1\ta\nstill.wav\t1\tb\n");
    speech_refuse(&config, SPLIT_TRAIN, "all 2 recordings are silent");
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
        SpeechConfig config = speech_manifest(*state, LISTS[i]);
        SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
        assert_int_equal(set->facts.count, set->count);
        hash[i] = set->facts.hash;
        assert_true((hash[i] == hash[0]) == (i < 2));
        speechset_free(set);
    }
}

static void utterances_of_two_sets_are_found_by_name_text_and_length(void **state) {
    SpeechConfig config = speech_manifest(*state, "a.wav\t1\ta\nsub/b.flac\t1\tb\n");
    speech_put(*state, "val.txt", "copy/a.wav\t1\ta\nsub/b.flac\t1\tc\n");
    sound_wav(*state, "copy/a.wav", 16, 1, false);
    strcpy(config.val, "val.txt");
    SpeechSet *train = speech_must_open(&config, SPLIT_TRAIN),
              *val = speech_must_open(&config, SPLIT_VAL);
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
    SpeechConfig config = speech_manifest(
        *state,
        "a.wav\t1\ta\nsub/b.flac\t1\tb\na.wav\t1\tc\nnone.wav\t1\ta\nsub/b.flac\t9\td\n");
    config.on_error = ON_ERROR_SKIP;
    config.val_fraction = 0.5;
    SpeechSet *train = speech_must_open(&config, SPLIT_TRAIN),
              *val = speech_must_open(&config, SPLIT_VAL);
    assert_int_equal(train->count + val->count, 4);
    assert_int_equal(train->report.left_out, 1);
    assert_int_equal(val->report.left_out, 0);
    speech_expect_note(train, "of 5 utterances skipped",
                       "1 transcript without a recording");
    assert_true(!*speech_note_of(val, "utterances skipped"));
    assert_true(!*speech_note_of(train, "recordings that are shorter than") !=
                !*speech_note_of(val, "recordings that are shorter than"));
    speechset_free(train);
    speechset_free(val);
}

static void a_recording_that_changes_after_the_check_is_named(void **state) {
    SpeechConfig config = speech_manifest(*state, "a.wav\t1\ta\n");
    SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
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
    SpeechConfig config =
        speech_config_of(files_real("librispeech-digits"), SOURCE_LIBRISPEECH);
    SpeechSet *train = speech_must_open(&config, SPLIT_TRAIN);
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
    SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
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
    SpeechConfig config = speech_manifest(*state, "a.wav\t1\ta\n");
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
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(labels_are_letters_between_word_boundaries),
        cmocka_unit_test(a_path_reads_without_repeats_and_blanks),
        cmocka_unit_test(equal_neighbours_need_a_row_between),
        cmocka_unit_test(unknown_characters_are_named),
        cmocka_unit_test(speeds_change_length_and_features),
        cmocka_unit_test(augmentations_of_speech_are_a_list),
        cmocka_unit_test(tones_are_a_set_like_others),
        cmocka_unit_test(a_share_of_the_training_set_can_be_the_val_split),
#ifdef HAVE_SNDFILE
        FOLDER_TEST(what_recordings_hold_is_noted_once_with_the_first),
        FOLDER_TEST(a_set_knows_its_items_by_a_hash),
        FOLDER_TEST(utterances_of_two_sets_are_found_by_name_text_and_length),
        FOLDER_TEST(a_list_of_two_splits_is_noted_once),
        FOLDER_TEST(a_recording_that_changes_after_the_check_is_named),
        FOLDER_TEST(a_set_is_heard_at_the_rate_that_is_asked_for),
        cmocka_unit_test(the_real_digits_have_their_known_counts),
#endif
    };
    return cmocka_run_group_tests_name("speechset", cases, NULL, NULL);
}
