/* Batches of utterances that are counted, and recordings that are damaged after the
 * check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/speech/batch.h"
#include "files.h"
#include "sounds.h"
#include "speech_batches.h"

static SpeechBatchConfig counted(size_t batch, size_t accumulate, bool shuffle) {
    return (SpeechBatchConfig){.batch = batch,
                               .accumulate = accumulate,
                               .seed = 3,
                               .training = true,
                               .shuffle = shuffle};
}

static void counted_batches_are_consecutive_without_shuffle(void **state) {
    (void)state;
    enum { BATCH = 9, STEPS = UTTERANCES / BATCH };
    SpeechSet *set = tones_set();
    for (size_t accumulate = 1; accumulate <= BATCH; accumulate *= 3) {
        SpeechBatchConfig config = counted(BATCH, accumulate, false);
        SpeechLoader *loader = tones_start(set, &config, 1);
        assert_int_equal(speechloader_steps(loader), STEPS);
        for (size_t n = 0; n < 2 * STEPS; n++) {
            const SpeechBatch *b = tones_next(loader);
            assert_int_equal(b->count, BATCH);
            assert_int_equal(b->whole, BATCH);
            assert_int_equal(b->buckets, accumulate);
            for (size_t k = 0; k < BATCH; k++)
                assert_int_equal(b->number[k], n % STEPS * BATCH + k);
            for (size_t i = 0; i <= accumulate; i++)
                assert_int_equal(speechbatch_edge(b, i, accumulate),
                                 i * BATCH / accumulate);
        }
        speechloader_stop(loader);
    }
    speechset_free(set);
}

/* Sets where[i] to 1 + the place of utterance i in the epoch that comes now;
 * 0: it is not in it. */
static void walk_epoch(SpeechLoader *loader, size_t where[UTTERANCES]) {
    size_t place = 0;
    memset(where, 0, UTTERANCES * sizeof *where);
    for (size_t n = 0; n < speechloader_steps(loader); n++) {
        const SpeechBatch *b = tones_next(loader);
        for (size_t k = 0; k < b->count; k++) {
            assert_int_equal(where[b->number[k]], 0);
            where[b->number[k]] = ++place;
        }
    }
}

static void counted_batches_are_a_permutation_with_shuffle(void **state) {
    (void)state;
    SpeechSet *set = tones_set();
    size_t first[UTTERANCES], second[UTTERANCES], left = 0;
    SpeechBatchConfig config = counted(6, 3, true);
    SpeechLoader *loader = tones_start(set, &config, 1);
    assert_int_equal(speechloader_steps(loader), UTTERANCES / 6);
    walk_epoch(loader, first);
    walk_epoch(loader, second);
    size_t same = 0, at_home = 0;
    for (size_t i = 0; i < UTTERANCES; i++) {
        assert_true(first[i] && second[i]);
        same += first[i] == second[i];
        at_home += first[i] == i + 1;
    }
    assert_true(same < UTTERANCES / 6 && at_home < UTTERANCES / 6);
    speechloader_stop(loader);
    config = counted(7, 1, true); /* four are left out, others in each epoch */
    loader = tones_start(set, &config, 1);
    walk_epoch(loader, first);
    walk_epoch(loader, second);
    for (size_t i = 0; i < UTTERANCES; i++) left += !first[i];
    assert_int_equal(left, UTTERANCES % 7);
    for (size_t i = 0; i < UTTERANCES; i++) left -= !first[i] && !second[i];
    assert_true(left > 0);
    speechloader_stop(loader);
    speechset_free(set);
}

static void ranks_share_counted_batches(void **state) {
    (void)state;
    enum { PARTS = 4, BATCH = 6 };
    SpeechSet *set = tones_set();
    for (size_t accumulate = 1; accumulate <= 3; accumulate++) {
        size_t seen[UTTERANCES] = {0}, longest = 0;
        for (size_t part = 0; part < PARTS; part++) {
            SpeechBatchConfig config = counted(BATCH, accumulate, false);
            config.part = part, config.parts = PARTS;
            SpeechLoader *loader = tones_start(set, &config, 2);
            const SpeechBatch *b = tones_next(loader);
            assert_int_equal(b->count, BATCH / PARTS + (part < BATCH % PARTS));
            assert_int_equal(b->whole, BATCH);
            for (size_t k = 0; k < b->count; k++)
                assert_int_equal(b->number[k], BATCH + b->place[k]);
            tones_expect_places(b);
            assert_int_equal(b->bucket_edge[0], 0);
            assert_int_equal(b->bucket_edge[accumulate], b->count);
            for (size_t k = 0; k < b->count; k++) seen[b->number[k]]++;
            if (part) assert_int_equal(b->longest, longest);
            longest = b->longest;
            speechloader_stop(loader);
        }
        for (size_t i = 0; i < UTTERANCES; i++) assert_int_equal(seen[i], i / BATCH == 1);
    }
    speechset_free(set);
}

static void a_batch_of_all_is_an_epoch_and_more_is_refused(void **state) {
    (void)state;
    SpeechSet *set = tones_set();
    SpeechBatchConfig config = counted(UTTERANCES, 1, false);
    SpeechLoader *loader = tones_start(set, &config, 5);
    assert_int_equal(speechloader_steps(loader), 1);
    assert_int_equal(tones_next(loader)->count, UTTERANCES);
    speechloader_stop(loader);
    config.batch = UTTERANCES + 1;
    Err err = ERR_NONE;
    assert_null(speechloader_start(set, &config, 1, &err));
    assert_int_equal(err.status, FAIL_USAGE);
    assert_non_null(strstr(err.text, "train.batch = 61 is more than the 60 utterances"));
    config = counted(2 * UTTERANCES, 2, false); /* one bucket of two */
    assert_null(speechloader_start(set, &config, 1, &err));
    assert_int_equal(err.status, FAIL_USAGE);
    speechset_free(set);
}

#ifdef HAVE_SNDFILE

/* Damage that comes after the check. */
static SpeechSet *make_damaged(const char *root, OnError on_error) {
    SpeechConfig c = speech_config_default();
    TextBuffer list = {0};
    c.source = SOURCE_MANIFEST;
    text_format(c.path, sizeof c.path, "%s", root);
    c.on_error = on_error;
    for (int i = 0; i < 6; i++) {
        char name[20], line[60];
        text_format(name, sizeof name, "%d.wav", i);
        text_format(line, sizeof line, "%s\t%.1f\ta\n", name, 1 + 0.1 * i);
        sound_wav_of(root, name, 1 + 0.1 * i);
        text_append(&list, line, strlen(line));
    }
    files_write(root, "train.tsv", list.text, list.length);
    text_free(&list);
    SpeechSet *set = speechset_open(&c, SPLIT_TRAIN, NULL);
    assert_non_null(set);
    files_write(root, "2.wav", "no sound", 8);
    return set;
}

/* Of 6 utterances, and of as many by seconds. */
static void what_fills_no_step_is_counted(void **state) {
    static const struct {
        size_t batch, accumulate;
        double seconds;
        size_t rest;
    } CASES[] = {{4, 1, 0, 2}, {3, 1, 0, 0},   {4, 2, 0, 2},
                 {6, 1, 0, 0}, {0, 2, 2.7, 0}, {0, 4, 5.4, 2}};
    SpeechSet *set = make_damaged(*state, ON_ERROR_SKIP);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        SpeechBatchConfig config = {.batch = CASES[i].batch,
                                    .accumulate = CASES[i].accumulate,
                                    .batch_seconds = CASES[i].seconds,
                                    .training = true};
        SpeechLoader *loader = tones_start(set, &config, 1);
        if (speechloader_rest(loader) != CASES[i].rest)
            fail_msg("case %zu: %zu", i, speechloader_rest(loader));
        speechloader_stop(loader);
    }
    speechset_free(set);
}

static void a_recording_damaged_later_is_replaced_or_named(void **state) {
    SpeechBatchConfig config = {.batch_seconds = 100, .training = true};
    SpeechSet *set = make_damaged(*state, ON_ERROR_SKIP);
    SpeechLoader *loader = tones_start(set, &config, 1);
    Skips skips = {0};
    skips_begin(&skips, set->count);
    for (size_t n = 1; n <= 3; n++) {
        const SpeechBatch *b = tones_next(loader);
        assert_int_equal(b->count, 6);
        assert_int_equal(b->whole, 6);
        assert_int_equal(b->bucket_edge[1], 6);
        assert_int_equal(b->skipped, n);
        assert_non_null(strstr(b->skip_reason, "2.wav cannot be read as a recording"));
        const Skip *first;
        assert_int_equal(b->broken.count, 1); /* counted once, whatever the epoch */
        assert_int_equal(b->broken.skip[0].item, 2);
        assert_string_equal(b->broken.skip[0].text, b->skip_reason);
        assert_int_equal(skips_see_all(&skips, &b->broken, &first), n == 1);
        for (size_t k = 0; k < 6; k++) {
            size_t number = k == 2 ? 0 : k; /* the first that is not longer */
            assert_int_equal(b->number[k], number);
            assert_int_equal(b->frames[k], set->item[number].frames);
            assert_int_equal(b->place[k], k);
            if (k) assert_int_equal(b->start[k], b->start[k - 1] + 80 * b->frames[k - 1]);
        }
        assert_memory_equal(b->features, b->features + b->start[2],
                            80 * b->frames[0] * sizeof *b->features);
    }
    assert_int_equal(skips.count, 1);
    skips_end(&skips);
    speechloader_stop(loader);
    set->config.on_error = ON_ERROR_STOP;
    loader = tones_start(set, &config, 1);
    const SpeechBatch *batch;
    Err err = ERR_NONE;
    assert_int_equal(speechloader_next(loader, &batch, &err), FAIL_DATA);
    assert_non_null(strstr(err.text, "2.wav cannot be read as a recording"));
    speechloader_stop(loader);
    speechset_free(set);
}

static void a_batch_without_a_good_recording_is_an_error(void **state) {
    SpeechBatchConfig config = {.batch_seconds = 100, .batch = 1, .training = true};
    SpeechSet *set = make_damaged(*state, ON_ERROR_SKIP);
    set->config.cache_bytes = 0;
    SpeechLoader *loader = tones_start(set, &config, 3);
    assert_int_equal(tones_next(loader)->number[0], 0); /* in the place of 2 */
    speechloader_stop(loader);
    files_write(*state, "0.wav", "no sound", 8); /* nothing is as short */
    loader = tones_start(set, &config, 7);
    const SpeechBatch *batch;
    Err err = ERR_NONE;
    assert_int_equal(speechloader_next(loader, &batch, &err), FAIL_DATA);
    assert_non_null(strstr(err.text, "none of the recordings of batch 7 can be read"));
    speechloader_stop(loader);
    config.training = false; /* evaluation leaves them out */
    loader = tones_start(set, &config, 1);
    size_t count = 0;
    while ((batch = tones_next(loader))->count) count += batch->count;
    assert_int_equal(count, 4);
    assert_int_equal(batch->skipped, 2);
    speechloader_stop(loader);
    config = (SpeechBatchConfig){.batch = 6, .sample = 6}; /* a mean over the others */
    loader = tones_start(set, &config, 1);
    batch = tones_next(loader);
    assert_int_equal(batch->count, 4);
    assert_int_equal(batch->whole, 4);
    speechloader_stop(loader);
    speechset_free(set);
}

#endif

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(counted_batches_are_consecutive_without_shuffle),
        cmocka_unit_test(counted_batches_are_a_permutation_with_shuffle),
        cmocka_unit_test(ranks_share_counted_batches),
        cmocka_unit_test(a_batch_of_all_is_an_epoch_and_more_is_refused),
#ifdef HAVE_SNDFILE
        FOLDER_TEST(what_fills_no_step_is_counted),
        FOLDER_TEST(a_recording_damaged_later_is_replaced_or_named),
        FOLDER_TEST(a_batch_without_a_good_recording_is_an_error),
#endif
    };
    return cmocka_run_group_tests_name("speechbatch_counted", cases, NULL, NULL);
}
