/* Batches: their order and parts, what a broken picture does, and the threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "data/picture/loader.h"
#include "engine/core/rng.h"
#include "fake_pictures.h"

/* --- order -------------------------------------------------------------------------- */

static void training_follows_the_seeds_permutation_of_each_epoch(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(5, true);
    Loader *loader = fake_start(&set, &config, 1);
    for (size_t n = 0; n < 12; n++) {
        size_t order[ITEMS];
        rng_permutation(rng_make(7, RNG_SHUFFLE, n / 4), order, ITEMS);
        const Batch *batch = fake_next(loader);
        assert_int_equal(batch->count, 5);
        for (size_t s = 0; s < 5; s++)
            assert_int_equal(batch->item[s], order[n % 4 * 5 + s]);
    }
    loader_stop(loader);
}

static void without_shuffle_items_come_in_turn(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(5, true);
    config.data.shuffle = false;
    Loader *loader = fake_start(&set, &config, 1);
    for (size_t i = 0; i < 40; i += 5) {
        const Batch *batch = fake_next(loader);
        for (size_t s = 0; s < 5; s++) assert_int_equal(batch->label[s], (i + s) % 20);
    }
    loader_stop(loader);
}

static void evaluation_ends_with_a_short_batch_and_then_nothing(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(5, false);
    Loader *loader = fake_start(&set, &config, 1);
    for (size_t i = 0; i < ITEMS; i += 5) {
        const Batch *batch = fake_next(loader);
        assert_int_equal(batch->count, MIN(5, ITEMS - i));
        for (size_t s = 0; s < batch->count; s++) assert_int_equal(batch->item[s], i + s);
    }
    assert_int_equal(fake_next(loader)->count, 0);
    assert_int_equal(fake_next(loader)->count, 0);
    loader_stop(loader);
}

static void evaluating_an_empty_set_ends_at_once(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    set.count = 0;
    LoaderConfig config = fake_config(5, false);
    Loader *loader = fake_start(&set, &config, 1);
    assert_int_equal(fake_next(loader)->count, 0);
    loader_stop(loader);
}

static void repeated_items_stand_side_by_side(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(7, true);
    config.data.repeat = 3;
    size_t order[ITEMS];
    rng_permutation(rng_make(7, RNG_SHUFFLE, 0), order, ITEMS);
    Loader *loader = fake_start(&set, &config, 1);
    for (size_t n = 0; n < 3; n++) {
        const Batch *batch = fake_next(loader);
        for (size_t s = 0; s < 7; s++)
            assert_int_equal(batch->item[s], order[(7 * n + s) / 3]);
    }
    loader_stop(loader);
}

/* All that a batch is, as a number. */
static uint64_t digest(const Batch *batch) {
    uint64_t hash = batch->count;
    const uint8_t *bytes = (const uint8_t *)batch->pixels;
    size_t n =
        batch->count * batch->channels * batch->height * batch->width * sizeof(real);
    for (size_t k = 0; k < n; k++) hash = (hash ^ bytes[k]) * 0x100000001B3ull;
    for (size_t s = 0; s < batch->count; s++)
        hash = (hash ^ batch->mixed_label[s] ^ batch->item[s] << 20) * 0x100000001B3ull;
    return hash;
}

static void a_batch_does_not_depend_on_workers_or_on_where_the_run_began(void **state) {
    (void)state;
    enum { BATCHES = 20 };
    DataConfig data = data_config_default();
    data.synthetic_count = 40;
    Dataset *set = dataset_open(&data, SPLIT_TRAIN, NULL);
    LoaderConfig config = fake_config(6, true);
    strcpy(config.data.augment,
           "random-resized-crop,flip,jitter,rand-augment,erasing:0.5");
    config.mixup = 0.8;
    config.cutmix = 1;
    config.height = config.width = 12;
    uint64_t wanted[BATCHES];
    for (size_t workers = 1; workers <= 4; workers++) {
        config.workers = workers;
        for (size_t first = 1; first < BATCHES; first += 6) {
            Loader *loader = fake_start(set, &config, first);
            for (size_t n = first; n < BATCHES; n++) {
                uint64_t found = digest(fake_next(loader));
                if (workers == 1 && first == 1) wanted[n] = found;
                assert_true(found == wanted[n]);
            }
            loader_stop(loader);
        }
    }
    assert_true(wanted[1] != wanted[2]);
    dataset_free(set);
}

/* --- parts of a batch --------------------------------------------------------------- */

/* Part after part against the whole, from one loader each; how many examples there
 * were. */
static size_t compare_parts(const Dataset *set, LoaderConfig config, size_t parts,
                            size_t batches) {
    Loader *whole = fake_start(set, &config, 1), *part[8];
    config.parts = parts;
    for (config.part = 0; config.part < parts; config.part++)
        part[config.part] = fake_start(set, &config, 1);
    size_t compared = 0;
    for (size_t n = 0; n < batches; n++) {
        const Batch *all = fake_next(whole);
        size_t at = 0, size = all->channels * all->height * all->width;
        for (size_t k = 0; k < parts && at < all->count; k++) {
            if (all->count * (k + 1) / parts == all->count * k / parts) continue;
            const Batch *some = fake_next(part[k]);
            assert_int_equal(some->whole, all->count);
            assert_int_equal(some->first, at);
            assert_memory_equal(some->pixels, all->pixels + at * size,
                                some->count * size * sizeof(real));
            for (size_t s = 0; s < some->count; s++, at++) {
                assert_int_equal(some->item[s], all->item[at]);
                assert_int_equal(some->label[s], all->label[at]);
                assert_int_equal(some->mixed_label[s], all->mixed_label[at]);
                assert_true(some->mix[s] == all->mix[at]);
            }
        }
        assert_int_equal(at, all->count);
        compared += at;
    }
    loader_stop(whole);
    for (size_t k = 0; k < parts; k++) loader_stop(part[k]);
    return compared;
}

static void parts_hold_each_example_of_a_training_batch_once(void **state) {
    (void)state;
    DataConfig data = data_config_default();
    data.synthetic_count = 40;
    Dataset *set = dataset_open(&data, SPLIT_TRAIN, NULL);
    for (size_t batch = 8; batch <= 11; batch += 3) {
        LoaderConfig config = fake_config(batch, true);
        strcpy(config.data.augment, "random-resized-crop,flip,erasing:0.5");
        config.mixup = 0.8;
        config.cutmix = 1;
        config.height = config.width = 12;
        for (size_t parts = 1; parts <= 8; parts++)
            assert_int_equal(compare_parts(set, config, parts, 5), 5 * batch);
    }
    dataset_free(set);
}

static void parts_share_the_last_short_batch_of_an_evaluation_too(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    for (size_t batch = 8; batch <= 9; batch++)
        for (size_t parts = 1; parts <= 8; parts++)
            assert_int_equal(compare_parts(&set, fake_config(batch, false), parts, 3),
                             ITEMS);
}

static void a_part_reads_only_its_own_items_where_nothing_is_mixed(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(8, false);
    config.part = 1, config.parts = 4;
    Loader *loader = fake_start(&set, &config, 1);
    for (int n = 0; n < 3; n++) fake_next(loader);
    assert_int_equal(fake_next(loader)->count, 0);
    assert_int_equal(atomic_load(&fake.reads), 2 + 2 + 2); /* of 8, 8 and 7 */
    loader_stop(loader);
}

/* --- broken pictures ---------------------------------------------------------------- */

static void a_broken_item_stops_the_run_at_its_own_batch(void **state) {
    (void)state;
    Fake fake = {.broken[11] = true};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(5, false);
    Loader *loader = fake_start(&set, &config, 1);
    fake_next(loader);
    fake_next(loader);
    for (int again = 0; again < 2; again++) {
        Err err = ERR_NONE;
        const Batch *batch;
        assert_int_equal(loader_next(loader, &batch, &err), FAIL_DATA);
        assert_non_null(strstr(err.text, "item-11.png"));
    }
    loader_stop(loader);
}

static void in_training_the_next_good_item_takes_a_broken_ones_place(void **state) {
    (void)state;
    Fake fake = {.broken[6] = true, .broken[7] = true};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(5, true);
    config.data.shuffle = false;
    config.data.on_error = ON_ERROR_SKIP;
    Loader *loader = fake_start(&set, &config, 1);
    assert_int_equal(fake_next(loader)->skipped, 0);
    const Batch *batch = fake_next(loader);
    static const size_t wanted[5] = {5, 8, 8, 8, 9};
    for (size_t s = 0; s < 5; s++) assert_int_equal(batch->item[s], wanted[s]);
    assert_int_equal(batch->skipped, 3);
    assert_non_null(strstr(batch->skip_reason, "item-7.png"));
    assert_int_equal(batch->broken.count, 3);
    static const size_t broken[3] = {6, 7, 7};
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(batch->broken.skip[k].item, broken[k]);
        assert_non_null(
            strstr(batch->broken.skip[k].text, k ? "item-7.png" : "item-6.png"));
    }
    assert_int_equal(fake_next(loader)->broken.count, 0);
    assert_int_equal(fake_next(loader)->skipped, 3);
    loader_stop(loader);
}

static void in_evaluation_a_broken_item_is_left_out(void **state) {
    (void)state;
    Fake fake = {0};
    for (size_t i = 4; i < 16; i++) fake.broken[i] = true;
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(5, false);
    config.data.on_error = ON_ERROR_SKIP;
    Loader *loader = fake_start(&set, &config, 1);
    size_t seen = 0, named = 0;
    const Batch *batch;
    while ((batch = fake_next(loader))->count) {
        named += batch->broken.count;
        assert_int_equal(batch->whole, batch->count);
        for (size_t s = 0; s < batch->count; s++, seen++) {
            assert_int_equal(batch->item[s], seen < 4 ? seen : seen + 12);
            assert_int_equal(fake_count_level(batch, s, fake_level(batch, s)), AREA);
        }
    }
    /* of batches without an example too */
    assert_int_equal(named + batch->broken.count, 12);
    assert_int_equal(seen, ITEMS - 12);
    assert_int_equal(batch->skipped, 12);
    loader_stop(loader);
}

static void nothing_but_broken_items_is_an_error(void **state) {
    (void)state;
    Fake fake = {0};
    for (size_t i = 0; i < ITEMS; i++) fake.broken[i] = true;
    Dataset set = fake_set(&fake);
    for (int training = 0; training < 2; training++) {
        LoaderConfig config = fake_config(5, training);
        config.data.on_error = ON_ERROR_SKIP;
        Loader *loader = fake_start(&set, &config, 1);
        Err err = ERR_NONE;
        const Batch *batch;
        assert_int_equal(loader_next(loader, &batch, &err), FAIL_DATA);
        assert_non_null(strstr(err.text, "none of 23 images can be read"));
        loader_stop(loader);
    }
}

/* --- keys --------------------------------------------------------------------------- */

static void refuse(const Dataset *set, const LoaderConfig *config, const char *part) {
    Err err = ERR_NONE;
    assert_null(loader_start(set, config, 1, &err));
    assert_int_equal(err.status, FAIL_USAGE);
    if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
}

static void what_cannot_work_is_refused_at_the_start(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(ITEMS + 1, true);
    refuse(&set, &config, "has only 23 images");
    config = fake_config(5, true);
    config.data.mean_count = 3;
    refuse(&set, &config, "data.mean has 3 numbers: expected 1, because");
    config = fake_config(5, true);
    config.data.std[0] = 0;
    refuse(&set, &config, "data.std is 0");
    config = fake_config(5, true);
    strcpy(config.data.augment, "flop");
    refuse(&set, &config, "flop");
}

/* --- threads ------------------------------------------------------------------------ */

static void the_loader_can_be_stopped_at_any_time(void **state) {
    (void)state;
    loader_stop(NULL);
    for (int i = 0; i < 60; i++) {
        Fake fake = {0};
        Dataset set = fake_set(&fake);
        LoaderConfig config = fake_config(5, true);
        config.workers = 1 + (size_t)i % 3;
        Loader *loader = fake_start(&set, &config, 1);
        if (i % 4 == 1) fake_nap(2); /* the ring is full */
        if (i % 4 == 2) fake_next(loader);
        for (int n = 0; i % 4 == 3 && n < 10; n++) fake_next(loader);
        loader_stop(loader);
    }
}

static void workers_run_ahead_by_no_more_than_the_ring(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(5, true);
    Loader *loader = fake_start(&set, &config, 1);
    fake_nap(100);
    assert_in_range(atomic_load(&fake.reads), 1, 15); /* three batches of five */
    fake_next(loader);
    fake_nap(100);
    assert_in_range(atomic_load(&fake.reads), 1,
                    15); /* the first is still the caller's */
    fake_next(loader);
    fake_nap(100);
    assert_in_range(atomic_load(&fake.reads), 1, 20);
    loader_stop(loader);
}

static atomic_bool interrupted;

static bool is_interrupted(void) { return atomic_load(&interrupted); }

static void waiting_for_data_can_be_interrupted(void **state) {
    (void)state;
    Fake fake = {0};
    atomic_store(&fake.closed, true);
    atomic_store(&interrupted, true);
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(5, true);
    config.interrupted = is_interrupted;
    Loader *loader = fake_start(&set, &config, 1);
    Err err = ERR_NONE;
    const Batch *batch;
    assert_int_equal(loader_next(loader, &batch, &err), FAIL_INTERRUPTED);
    atomic_store(&interrupted, false);
    atomic_store(&fake.closed, false);
    assert_int_equal(fake_next(loader)->count, 5);
    loader_stop(loader);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(training_follows_the_seeds_permutation_of_each_epoch),
        cmocka_unit_test(without_shuffle_items_come_in_turn),
        cmocka_unit_test(evaluation_ends_with_a_short_batch_and_then_nothing),
        cmocka_unit_test(evaluating_an_empty_set_ends_at_once),
        cmocka_unit_test(repeated_items_stand_side_by_side),
        cmocka_unit_test(a_batch_does_not_depend_on_workers_or_on_where_the_run_began),
        cmocka_unit_test(parts_hold_each_example_of_a_training_batch_once),
        cmocka_unit_test(parts_share_the_last_short_batch_of_an_evaluation_too),
        cmocka_unit_test(a_part_reads_only_its_own_items_where_nothing_is_mixed),
        cmocka_unit_test(a_broken_item_stops_the_run_at_its_own_batch),
        cmocka_unit_test(in_training_the_next_good_item_takes_a_broken_ones_place),
        cmocka_unit_test(in_evaluation_a_broken_item_is_left_out),
        cmocka_unit_test(nothing_but_broken_items_is_an_error),
        cmocka_unit_test(what_cannot_work_is_refused_at_the_start),
        cmocka_unit_test(the_loader_can_be_stopped_at_any_time),
        cmocka_unit_test(workers_run_ahead_by_no_more_than_the_ring),
        cmocka_unit_test(waiting_for_data_can_be_interrupted),
    };
    return cmocka_run_group_tests_name("loader", cases, NULL, NULL);
}
