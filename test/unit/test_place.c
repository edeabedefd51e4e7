/* Batches behind a place: what is left of an epoch comes once, in whatever way it is
 * cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/picture/plan.h"
#include "data/speech/plan.h"
#include "data/text/batch.h"

enum { ITEMS = 40 };

/* How often each item of an epoch was given out. */
typedef struct Seen {
    size_t times[ITEMS];
} Seen;

static void expect_times(const Seen *seen, size_t least, size_t most) {
    for (size_t i = 0; i < ITEMS; i++)
        if (seen->times[i] < least || seen->times[i] > most)
            fail_msg("item %zu came %zu times", i, seen->times[i]);
}

/* ---- pictures ---- */

static void give_pictures(size_t batch, const Place *start, size_t from, size_t to,
                          Seen *seen) {
    Plan plan = {
        .items = ITEMS, .batch = batch, .training = true, .shuffle = true, .seed = 5};
    if (start) plan.start = *start;
    plan_begin(&plan);
    for (size_t n = from; n <= to; n++)
        for (size_t s = 0; s < batch; s++) seen->times[plan_item(&plan, n, s, 0)]++;
    plan_end(&plan);
}

static void pictures_come_once_though_the_batch_changes_twice(void **state) {
    (void)state;
    Seen seen = {{0}};
    give_pictures(8, NULL, 1, 2, &seen);
    Place place = {.number = 2, .part = {{8, 1, 0, 2}}, .parts = 1};
    give_pictures(4, &place, 3, 5, &seen);
    place.part[place.parts++] = (PlacePart){4, 1, 0, 3};
    place.number = 5;
    give_pictures(6, &place, 6, 7, &seen);
    expect_times(&seen, 1, 1);
    Plan plan = {.items = ITEMS, .batch = 6, .training = true, .start = place};
    assert_int_equal(plan_left(&plan), 2);
}

static void the_epoch_behind_is_a_whole_one(void **state) {
    (void)state;
    Seen seen = {{0}}, straight = {{0}};
    Place place = {.number = 2, .epoch = 3, .part = {{8, 1, 0, 2}}, .parts = 1};
    give_pictures(4, &place, 3 + 6, 3 + 6 + 9, &seen);
    expect_times(&seen, 1, 1);
    give_pictures(4, NULL, 41, 42, &straight); /* epoch 4 of batches of 4 */
    memset(&seen, 0, sizeof seen);
    give_pictures(4, &place, 9, 10, &seen);
    assert_memory_equal(&seen, &straight, sizeof seen);
}

/* ---- pairs and blocks ---- */

/* Pair i has 1 + i % 7 tokens on each side. */
static void make_pairs(TextSet *set) {
    *set = (TextSet){.pairs = true, .count = ITEMS};
    for (size_t s = 0; s < 2; s++) {
        set->side[s].start = mem_zalloc((ITEMS + 1) * sizeof(size_t));
        for (size_t i = 0; i < ITEMS; i++) {
            for (size_t k = 0; k <= i % 7; k++) idlist_add(&set->side[s].ids, 4);
            set->side[s].start[i + 1] = set->side[s].ids.count;
        }
    }
}

static void free_pairs(TextSet *set) {
    for (size_t s = 0; s < 2; s++) {
        idlist_free(&set->side[s].ids);
        mem_free(set->side[s].start);
    }
}

static TextPlanConfig texts(PlacePart part) {
    return (TextPlanConfig){.context = 3,
                            .batch = part.batch,
                            .batch_tokens = (size_t)part.load,
                            .accumulate = part.accumulate,
                            .seed = 9,
                            .shuffle = true};
}

/* Each part's batches in turn, then what is left; `ranks` share each batch out. */
static Seen give_texts(const TextSet *set, const PlacePart *part, size_t parts,
                       size_t ranks) {
    Seen seen = {{0}};
    Place place = {.epoch = 0};
    TextBatch b = {0};
    Err err = ERR_NONE;
    for (size_t i = 0; i < parts; i++) {
        size_t batches = part[i].batches, left = 0;
        for (size_t r = 0; r < ranks; r++) {
            TextPlanConfig config = texts(part[i]);
            config.part = r, config.parts = ranks;
            TextPlan *plan = textplan_new(set, &config, &err);
            left = textplan_go_on(plan, &place);
            if (i + 1 == parts) batches = left;
            for (size_t n = 1; n <= batches; n++) {
                textplan_fill(plan, place.number + n, &b);
                for (size_t k = 0; k < b.count; k++) seen.times[b.item[k]]++;
            }
            textplan_free(plan);
        }
        place.part[place.parts++] = part[i];
        place.number += batches;
    }
    textbatch_free(&b);
    return seen;
}

static void pairs_come_once_though_the_batch_changes(void **state) {
    (void)state;
    static const struct {
        PlacePart part[3];
        size_t parts, least;
    } CASES[] = {
        {{{8, 1, 0, 2}, {4, 1, 0, 0}}, 2, 1},
        {{{10, 2, 0, 1}, {5, 1, 0, 3}, {3, 1, 0, 0}}, 3, 1},
        {{{8, 1, 24, 3}, {8, 1, 40, 0}}, 2, 1},
        {{{8, 1, 24, 3}, {1, 1, 0, 0}}, 2, 1},
        {{{8, 1, 0, 2}, {8, 1, 24, 2}, {8, 1, 12, 0}}, 3, 1},
        /* buckets that fill no step are left out */
        {{{8, 2, 48, 2}, {8, 3, 48, 0}}, 2, 0},
    };
    TextSet set;
    make_pairs(&set);
    for (size_t i = 0; i < COUNT(CASES); i++)
        for (size_t ranks = 1; ranks <= 2; ranks++) {
            Seen seen = give_texts(&set, CASES[i].part, CASES[i].parts, ranks);
            expect_times(&seen, CASES[i].least, 1);
        }
    free_pairs(&set);
}

static void blocks_come_once_though_the_batch_changes(void **state) {
    (void)state;
    uint32_t ids[3 * ITEMS + 1] = {0};
    TextSet set = {.stream = ids, .stream_count = COUNT(ids)};
    PlacePart part[] = {{8, 1, 0, 3}, {2, 1, 0, 0}};
    Seen seen = give_texts(&set, part, 2, 1);
    expect_times(&seen, 1, 1);
}

/* ---- speech ---- */

static Seen give_speech(const SpeechSet *set, const PlacePart *part, size_t parts) {
    Seen seen = {{0}};
    Place place = {.epoch = 1};
    SpeechBatch b = {0};
    Err err = ERR_NONE;
    for (size_t i = 0; i < parts; i++) {
        SpeechBatchConfig config = {.batch_seconds = part[i].load,
                                    .batch = part[i].load > 0 ? 0 : part[i].batch,
                                    .accumulate = part[i].accumulate,
                                    .seed = 3,
                                    .start = place,
                                    .training = true,
                                    .shuffle = true};
        SpeechPlan plan;
        assert_int_equal(speechplan_open(&plan, set, &config, &err), OK);
        size_t batches = i + 1 < parts ? part[i].batches : plan.left_steps;
        for (size_t n = 1; n <= batches; n++) {
            speechplan_pick(&plan, place.number + n, &b);
            for (size_t k = 0; k < b.count; k++) seen.times[b.number[k]]++;
        }
        speechplan_close(&plan);
        place.part[place.parts++] = part[i];
        place.number += batches;
    }
    mem_free(b.item);
    mem_free(b.number);
    mem_free(b.features);
    mem_free(b.bucket_edge);
    return seen;
}

static void utterances_come_once_though_the_batch_changes(void **state) {
    (void)state;
    static const struct {
        PlacePart part[3];
        size_t parts;
    } CASES[] = {
        {{{8, 1, 0, 2}, {4, 1, 0, 0}}, 2},
        {{{8, 2, 0, 2}, {4, 4, 0, 0}}, 2},
        {{{8, 1, 6, 3}, {8, 1, 10, 0}}, 2},
        {{{8, 1, 6, 3}, {1, 1, 0, 0}}, 2},
        {{{8, 1, 0, 2}, {8, 1, 6, 1}, {8, 1, 3, 0}}, 3},
    };
    SpeechItem items[ITEMS] = {{0}};
    for (size_t i = 0; i < ITEMS; i++) items[i].frames = 100 + 10 * (i % 7);
    SpeechSet set = {.item = items, .count = ITEMS};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Seen seen = give_speech(&set, CASES[i].part, CASES[i].parts);
        expect_times(&seen, 1, 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_come_once_though_the_batch_changes_twice),
        cmocka_unit_test(the_epoch_behind_is_a_whole_one),
        cmocka_unit_test(pairs_come_once_though_the_batch_changes),
        cmocka_unit_test(blocks_come_once_though_the_batch_changes),
        cmocka_unit_test(utterances_come_once_though_the_batch_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
