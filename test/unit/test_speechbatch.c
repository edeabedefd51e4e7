/* Batches of utterances, by seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "data/speech/batch.h"
#include "speech_batches.h"

static void expect_equal(const SpeechBatch *a, const SpeechBatch *b) {
    assert_int_equal(a->count, b->count);
    for (size_t k = 0; k < a->count; k++) {
        size_t size = a->frames[k] * FILTERS * sizeof(real);
        assert_int_equal(a->number[k], b->number[k]);
        assert_int_equal(a->frames[k], b->frames[k]);
        assert_memory_equal(a->features + a->start[k], b->features + b->start[k], size);
    }
}

/* Also with another state of the cache. */
static void a_batch_depends_on_its_number_alone(void **state) {
    (void)state;
    SpeechSet *set = tones_set(), *fresh = tones_set();
    SpeechBatchConfig config = tones_training(2);
    SpeechLoader *whole = tones_start(set, &config, 1);
    size_t steps = speechloader_steps(whole), from = steps + 2; /* in the second epoch */
    assert_true(steps >= 3);
    for (size_t n = 1; n < from; n++) tones_next(whole);
    SpeechLoader *later = tones_start(fresh, &config, from);
    for (size_t n = 0; n < 3; n++) expect_equal(tones_next(whole), tones_next(later));
    speechloader_stop(whole);
    speechloader_stop(later);
    speechset_free(set);
    speechset_free(fresh);
}

static void an_epoch_holds_each_utterance_at_most_once_and_most_of_them(void **state) {
    (void)state;
    SpeechSet *set = tones_set();
    for (size_t accumulate = 1; accumulate <= 3; accumulate++) {
        SpeechBatchConfig config = tones_training(accumulate);
        SpeechLoader *loader = tones_start(set, &config, 1);
        size_t seen[2][UTTERANCES] = {{0}}, steps = speechloader_steps(loader), sum = 0;
        bool other_order = false;
        for (size_t n = 0; n < 2 * steps; n++) {
            const SpeechBatch *b = tones_next(loader);
            for (size_t k = 0; k < b->count; k++) seen[n / steps][b->number[k]] += n + 1;
        }
        for (size_t i = 0; i < UTTERANCES; i++) {
            sum += seen[0][i] > 0;
            other_order |= seen[1][i] > 0 && seen[1][i] - steps != seen[0][i];
        }
        assert_true(other_order);
        if (accumulate == 1) assert_int_equal(sum, UTTERANCES);
        assert_true(sum >= UTTERANCES * 3 / 4);
        speechloader_stop(loader);
    }
    speechset_free(set);
}

static void buckets_stay_within_the_seconds(void **state) {
    (void)state;
    SpeechSet *set = tones_set();
    for (size_t accumulate = 1; accumulate <= 3; accumulate++) {
        SpeechBatchConfig config = tones_training(accumulate);
        SpeechLoader *loader = tones_start(set, &config, 1);
        size_t many = 0;
        for (size_t n = 0; n < speechloader_steps(loader); n++) {
            const SpeechBatch *b = tones_next(loader);
            assert_int_equal(b->buckets, accumulate);
            assert_int_equal(b->whole, b->count);
            for (size_t i = 0; i < accumulate; i++) {
                size_t from = speechbatch_edge(b, i, accumulate);
                size_t to = speechbatch_edge(b, i + 1, accumulate);
                size_t slots = (to - from) * speechbatch_longest(b, from, to);
                assert_true(to > from);
                if (to - from > 1) assert_true(slots * accumulate <= 100 * SECONDS);
                many += to - from > 1;
            }
        }
        assert_true(many > 0);
        assert_true(speechloader_padding(loader) < 0.15);
        speechloader_stop(loader);
    }
    SpeechBatchConfig config = tones_training(1);
    config.batch = 2;
    SpeechLoader *loader = tones_start(set, &config, 1);
    for (size_t n = 0; n < speechloader_steps(loader); n++)
        assert_true(tones_next(loader)->count <= 2);
    speechloader_stop(loader);
    speechset_free(set);
}

static void parts_together_are_the_whole(void **state) {
    (void)state;
    enum { PARTS = 3, STEPS = 4 };
    SpeechSet *set = tones_set();
    SpeechBatchConfig config = tones_training(2);
    SpeechLoader *whole = tones_start(set, &config, 1), *part[PARTS];
    for (size_t k = 0; k < PARTS; k++) {
        config.part = k, config.parts = PARTS;
        part[k] = tones_start(set, &config, 1);
    }
    for (size_t n = 0; n < STEPS; n++) {
        const SpeechBatch *all = tones_next(whole);
        size_t seen[UTTERANCES] = {0}, count = 0;
        for (size_t k = 0; k < PARTS; k++) {
            const SpeechBatch *b = tones_next(part[k]);
            assert_int_equal(b->whole, all->count);
            assert_int_equal(b->buckets, 2);
            count += b->count;
            for (size_t i = 0; i < b->count; i++) {
                seen[b->number[i]]++;
                assert_int_equal(all->number[b->place[i]], b->number[i]);
            }
            tones_expect_places(b);
        }
        assert_int_equal(count, all->count);
        for (size_t i = 0; i < all->count; i++) assert_int_equal(seen[all->number[i]], 1);
    }
    for (size_t k = 0; k < PARTS; k++) speechloader_stop(part[k]);
    speechloader_stop(whole);
    speechset_free(set);
}

static void evaluation_sees_each_utterance_once_without_masks(void **state) {
    (void)state;
    SpeechSet *set = tones_set();
    size_t seen[UTTERANCES] = {0};
    for (size_t k = 0; k < 2; k++) {
        SpeechBatchConfig config = tones_training(2);
        config.training = false;
        config.part = k, config.parts = 2;
        SpeechLoader *loader = tones_start(set, &config, 1);
        const SpeechBatch *b;
        while ((b = tones_next(loader))->count)
            for (size_t i = 0; i < b->count; i++) {
                size_t size = b->frames[i] * FILTERS;
                real *x = mem_alloc(size * sizeof *x);
                speechset_features(set, b->number[i], x, NULL);
                assert_memory_equal(x, b->features + b->start[i], size * sizeof *x);
                assert_ptr_equal(b->item[i], &set->item[b->number[i]]);
                mem_free(x);
                seen[b->number[i]]++;
            }
        assert_int_equal(tones_next(loader)->count, 0);
        speechloader_stop(loader);
    }
    for (size_t i = 0; i < UTTERANCES; i++) assert_int_equal(seen[i], 1);
    speechset_free(set);
}

static void pieces_are_padded_behind_with_zeros(void **state) {
    (void)state;
    SpeechSet *set = tones_set();
    SpeechBatchConfig config = tones_training(2);
    SpeechLoader *loader = tones_start(set, &config, 1);
    const SpeechBatch *b = tones_next(loader);
    size_t length = speechbatch_longest(b, 0, b->count) + 2, row = length * FILTERS;
    real *x = mem_alloc(b->count * row * sizeof *x);
    for (size_t i = 0; i < b->count * row; i++) x[i] = 7;
    speechbatch_pad(b, 0, b->count, length, x);
    for (size_t k = 0; k < b->count; k++) {
        size_t own = b->frames[k] * FILTERS;
        assert_memory_equal(x + k * row, b->features + b->start[k], own * sizeof *x);
        for (size_t i = own; i < row; i++) assert_true(x[k * row + i] == 0);
    }
    assert_int_equal(speechbatch_edge(b, 0, 3), 0);
    assert_int_equal(speechbatch_edge(b, 3, 3), b->count);
    assert_true(speechbatch_edge(b, 1, 3) <= speechbatch_edge(b, 2, 3));
    mem_free(x);
    speechloader_stop(loader);
    speechset_free(set);
}

static void the_cache_stays_within_its_limit(void **state) {
    (void)state;
    SpeechSet *set = tones_set();
    set->config.cache_bytes = 100000;
    SpeechBatchConfig config = tones_training(1);
    SpeechLoader *loader = tones_start(set, &config, 1);
    for (size_t n = 0; n < speechloader_steps(loader); n++) tones_next(loader);
    assert_in_range(speechset_cached(set), 50000, 100000);
    speechloader_stop(loader);
    speechset_free(set);
}

static bool yes(void) { return true; }

static void an_interrupt_ends_the_wait(void **state) {
    (void)state;
    SpeechSet *set = tones_set();
    SpeechBatchConfig config = tones_training(1);
    config.interrupted = yes;
    SpeechLoader *loader = tones_start(set, &config, 1);
    const SpeechBatch *batch;
    Err err = ERR_NONE;
    Status status = OK;
    for (size_t n = 0; n < 10000 && !status; n++)
        status = speechloader_next(loader, &batch, &err);
    assert_int_equal(status, FAIL_INTERRUPTED);
    speechloader_stop(loader);
    speechset_free(set);
}

static void too_few_buckets_are_told(void **state) {
    (void)state;
    SpeechSet *set = tones_set();
    SpeechBatchConfig config = tones_training(200);
    config.batch_seconds = 1e9;
    Err err = ERR_NONE;
    assert_null(speechloader_start(set, &config, 1, &err));
    assert_int_equal(err.status, FAIL_USAGE);
    assert_non_null(strstr(err.text, "train.accumulate = 200"));
    speechset_free(set);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_batch_depends_on_its_number_alone),
        cmocka_unit_test(an_epoch_holds_each_utterance_at_most_once_and_most_of_them),
        cmocka_unit_test(buckets_stay_within_the_seconds),
        cmocka_unit_test(parts_together_are_the_whole),
        cmocka_unit_test(evaluation_sees_each_utterance_once_without_masks),
        cmocka_unit_test(pieces_are_padded_behind_with_zeros),
        cmocka_unit_test(the_cache_stays_within_its_limit),
        cmocka_unit_test(an_interrupt_ends_the_wait),
        cmocka_unit_test(too_few_buckets_are_told),
    };
    return cmocka_run_group_tests_name("speechbatch", cases, NULL, NULL);
}
