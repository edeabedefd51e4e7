/* Batches: their order, their mixing, what a broken picture does, and the threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "data/picture/loader.h"
#include "engine/core/rng.h"

enum { SIDE = 4, ITEMS = 23, AREA = SIDE * SIDE };

/* Item i is a flat picture of grey 10 i with label i; some are broken, or wait for a
 * gate. */
typedef struct Fake {
    bool broken[ITEMS];
    atomic_bool closed;
    atomic_size_t reads;
} Fake;

static void nap(long milliseconds) {
    nanosleep(&(struct timespec){0, milliseconds * 1000000}, NULL);
}

static Status fake_get(const Dataset *set, size_t i, Image *image, size_t *label,
                       Err *err) {
    Fake *fake = set->state;
    atomic_fetch_add(&fake->reads, 1);
    while (atomic_load(&fake->closed)) nap(1);
    if (fake->broken[i]) return err_set(err, FAIL_DATA, "item-%zu.png is broken", i);
    image_resize_buffer(image, SIDE, SIDE, 1);
    memset(image->pixels, (int)(10 * i), AREA);
    *label = i;
    return OK;
}

static Dataset fake_set(Fake *fake) {
    return (Dataset){.source = "fake",
                     .count = ITEMS,
                     .classes = ITEMS,
                     .channels = 1,
                     .height = SIDE,
                     .width = SIDE,
                     .state = fake,
                     .get = fake_get};
}

static LoaderConfig config_of(size_t batch, bool training) {
    return (LoaderConfig){.data = data_config_default(),
                          .height = SIDE,
                          .width = SIDE,
                          .batch = batch,
                          .seed = 7,
                          .training = training};
}

static Loader *start(const Dataset *set, const LoaderConfig *config, size_t first) {
    Err err = ERR_NONE;
    Loader *loader = loader_start(set, config, first, &err);
    if (!loader) fail_msg("%s", err.text);
    return loader;
}

static const Batch *next(Loader *loader) {
    Err err = ERR_NONE;
    const Batch *batch = NULL;
    if (loader_next(loader, &batch, &err)) fail_msg("%s", err.text);
    return batch;
}

/* --- order -------------------------------------------------------------------------- */

static void training_follows_the_seeds_permutation_of_each_epoch(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(5, true);
    Loader *loader = start(&set, &config, 1);
    for (size_t n = 0; n < 12; n++) {
        size_t order[ITEMS];
        rng_permutation(rng_make(7, RNG_SHUFFLE, n / 4), order, ITEMS);
        const Batch *batch = next(loader);
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
    LoaderConfig config = config_of(5, true);
    config.data.shuffle = false;
    Loader *loader = start(&set, &config, 1);
    for (size_t i = 0; i < 40; i += 5) {
        const Batch *batch = next(loader);
        for (size_t s = 0; s < 5; s++) assert_int_equal(batch->label[s], (i + s) % 20);
    }
    loader_stop(loader);
}

static void evaluation_ends_with_a_short_batch_and_then_nothing(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(5, false);
    Loader *loader = start(&set, &config, 1);
    for (size_t i = 0; i < ITEMS; i += 5) {
        const Batch *batch = next(loader);
        assert_int_equal(batch->count, MIN(5, ITEMS - i));
        for (size_t s = 0; s < batch->count; s++) assert_int_equal(batch->item[s], i + s);
    }
    assert_int_equal(next(loader)->count, 0);
    assert_int_equal(next(loader)->count, 0);
    loader_stop(loader);
}

static void evaluating_an_empty_set_ends_at_once(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    set.count = 0;
    LoaderConfig config = config_of(5, false);
    Loader *loader = start(&set, &config, 1);
    assert_int_equal(next(loader)->count, 0);
    loader_stop(loader);
}

static void repeated_items_stand_side_by_side(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(7, true);
    config.data.repeat = 3;
    size_t order[ITEMS];
    rng_permutation(rng_make(7, RNG_SHUFFLE, 0), order, ITEMS);
    Loader *loader = start(&set, &config, 1);
    for (size_t n = 0; n < 3; n++) {
        const Batch *batch = next(loader);
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
    LoaderConfig config = config_of(6, true);
    strcpy(config.data.augment,
           "random-resized-crop,flip,jitter,rand-augment,erasing:0.5");
    config.mixup = 0.8;
    config.cutmix = 1;
    config.height = config.width = 12;
    uint64_t wanted[BATCHES];
    for (size_t workers = 1; workers <= 4; workers++) {
        config.workers = workers;
        for (size_t first = 1; first < BATCHES; first += 6) {
            Loader *loader = start(set, &config, first);
            for (size_t n = first; n < BATCHES; n++) {
                uint64_t found = digest(next(loader));
                if (workers == 1 && first == 1) wanted[n] = found;
                assert_true(found == wanted[n]);
            }
            loader_stop(loader);
        }
    }
    assert_true(wanted[1] != wanted[2]);
    dataset_free(set);
}

/* --- pixels ------------------------------------------------------------------------- */

static void pixels_are_normalised_channel_by_channel(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(4, false);
    config.data.mean[0] = 0.25;
    config.data.std[0] = 0.5;
    Loader *loader = start(&set, &config, 1);
    const Batch *batch = next(loader);
    for (size_t s = 0; s < 4; s++)
        for (size_t p = 0; p < AREA; p++) {
            double wanted = (10.0 * (double)s / 255 - 0.25) / 0.5;
            assert_true(fabs(batch->pixels[s * AREA + p] - wanted) < 1e-6);
        }
    loader_stop(loader);
}

static double level(const Batch *batch, size_t slot) {
    return 10.0 * (double)batch->item[slot] / 255;
}

static void mixup_blends_each_picture_with_its_mirror(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(5, true);
    config.mixup = 0.8;
    Loader *loader = start(&set, &config, 1);
    for (int n = 0; n < 50; n++) {
        const Batch *batch = next(loader);
        for (size_t s = 0; s < 5; s++) {
            double mix = batch->mix[s], own = level(batch, s),
                   other = level(batch, 4 - s);
            assert_true(mix >= 0 && mix <= 1);
            assert_int_equal(batch->label[s], batch->item[s]);
            assert_int_equal(batch->mixed_label[s], batch->item[4 - s]);
            double wanted = mix * own + (1 - mix) * other;
            for (size_t p = 0; p < AREA; p++)
                assert_true(fabs(batch->pixels[s * AREA + p] - wanted) < 1e-6);
        }
    }
    loader_stop(loader);
}

static size_t count_level(const Batch *batch, size_t slot, double wanted) {
    size_t count = 0;
    for (size_t p = 0; p < AREA; p++)
        count += fabs(batch->pixels[slot * AREA + p] - wanted) < 1e-6;
    return count;
}

static void cutmix_keeps_the_share_that_it_says(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(4, true);
    config.cutmix = 1;
    Loader *loader = start(&set, &config, 1);
    size_t kept = 0;
    for (int n = 0; n < 200; n++) {
        const Batch *batch = next(loader);
        for (size_t s = 0; s < 4; s++) {
            size_t own = count_level(batch, s, level(batch, s));
            assert_int_equal(own + count_level(batch, s, level(batch, 3 - s)), AREA);
            assert_true(fabs(batch->mix[s] - (double)own / AREA) < 1e-6);
            kept += own;
        }
    }
    /* lambda ~ U(0, 1), boxes cut at the edges: well over half stays. */
    assert_in_range(kept, 200 * 4 * AREA / 2, 200 * 4 * AREA * 9 / 10);
    loader_stop(loader);
}

static void mixup_and_cutmix_take_turns_by_lot(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(4, true);
    config.mixup = config.cutmix = 1;
    Loader *loader = start(&set, &config, 1);
    size_t cut = 0;
    for (int n = 0; n < 400; n++) {
        const Batch *batch = next(loader);
        cut += count_level(batch, 0, level(batch, 0)) +
                   count_level(batch, 0, level(batch, 3)) ==
               AREA;
    }
    assert_in_range(cut, 160, 240); /* 4 standard deviations */
    loader_stop(loader);
}

static void evaluation_never_mixes(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(4, false);
    config.mixup = config.cutmix = 1;
    Loader *loader = start(&set, &config, 1);
    const Batch *batch = next(loader);
    for (size_t s = 0; s < 4; s++) {
        assert_true(batch->mix[s] == 1);
        assert_int_equal(batch->mixed_label[s], batch->label[s]);
        assert_int_equal(count_level(batch, s, level(batch, s)), AREA);
    }
    loader_stop(loader);
}

/* --- parts of a batch --------------------------------------------------------------- */

/* Part after part against the whole, from one loader each; how many examples there were. */
static size_t compare_parts(const Dataset *set, LoaderConfig config, size_t parts,
                            size_t batches) {
    Loader *whole = start(set, &config, 1), *part[8];
    config.parts = parts;
    for (config.part = 0; config.part < parts; config.part++)
        part[config.part] = start(set, &config, 1);
    size_t compared = 0;
    for (size_t n = 0; n < batches; n++) {
        const Batch *all = next(whole);
        size_t at = 0, size = all->channels * all->height * all->width;
        for (size_t k = 0; k < parts && at < all->count; k++) {
            if (all->count * (k + 1) / parts == all->count * k / parts) continue;
            const Batch *some = next(part[k]);
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
        LoaderConfig config = config_of(batch, true);
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
            assert_int_equal(compare_parts(&set, config_of(batch, false), parts, 3),
                             ITEMS);
}

static void a_part_reads_only_its_own_items_where_nothing_is_mixed(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(8, false);
    config.part = 1, config.parts = 4;
    Loader *loader = start(&set, &config, 1);
    for (int n = 0; n < 3; n++) next(loader);
    assert_int_equal(next(loader)->count, 0);
    assert_int_equal(atomic_load(&fake.reads), 2 + 2 + 2); /* of 8, 8 and 7 */
    loader_stop(loader);
}

/* --- broken pictures ---------------------------------------------------------------- */

static void a_broken_item_stops_the_run_at_its_own_batch(void **state) {
    (void)state;
    Fake fake = {.broken[11] = true};
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(5, false);
    Loader *loader = start(&set, &config, 1);
    next(loader);
    next(loader);
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
    LoaderConfig config = config_of(5, true);
    config.data.shuffle = false;
    config.data.on_error = ON_ERROR_SKIP;
    Loader *loader = start(&set, &config, 1);
    assert_int_equal(next(loader)->skipped, 0);
    const Batch *batch = next(loader);
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
    assert_int_equal(next(loader)->broken.count, 0);
    assert_int_equal(next(loader)->skipped, 3);
    loader_stop(loader);
}

static void in_evaluation_a_broken_item_is_left_out(void **state) {
    (void)state;
    Fake fake = {0};
    for (size_t i = 4; i < 16; i++) fake.broken[i] = true;
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(5, false);
    config.data.on_error = ON_ERROR_SKIP;
    Loader *loader = start(&set, &config, 1);
    size_t seen = 0, named = 0;
    const Batch *batch;
    while ((batch = next(loader))->count) {
        named += batch->broken.count;
        for (size_t s = 0; s < batch->count; s++, seen++) {
            assert_int_equal(batch->item[s], seen < 4 ? seen : seen + 12);
            assert_int_equal(count_level(batch, s, level(batch, s)), AREA);
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
        LoaderConfig config = config_of(5, training);
        config.data.on_error = ON_ERROR_SKIP;
        Loader *loader = start(&set, &config, 1);
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
    LoaderConfig config = config_of(ITEMS + 1, true);
    refuse(&set, &config, "holds only 23 images");
    config = config_of(5, true);
    config.data.mean_count = 3;
    refuse(&set, &config, "data.mean has 3 numbers");
    config = config_of(5, true);
    config.data.std[0] = 0;
    refuse(&set, &config, "data.std is 0");
    config = config_of(5, true);
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
        LoaderConfig config = config_of(5, true);
        config.workers = 1 + (size_t)i % 3;
        Loader *loader = start(&set, &config, 1);
        if (i % 4 == 1) nap(2); /* the ring is full */
        if (i % 4 == 2) next(loader);
        for (int n = 0; i % 4 == 3 && n < 10; n++) next(loader);
        loader_stop(loader);
    }
}

static void workers_run_ahead_by_no_more_than_the_ring(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = config_of(5, true);
    Loader *loader = start(&set, &config, 1);
    nap(100);
    assert_in_range(atomic_load(&fake.reads), 1, 15); /* three batches of five */
    next(loader);
    nap(100);
    assert_in_range(atomic_load(&fake.reads), 1,
                    15); /* the first is still the caller's */
    next(loader);
    nap(100);
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
    LoaderConfig config = config_of(5, true);
    config.interrupted = is_interrupted;
    Loader *loader = start(&set, &config, 1);
    Err err = ERR_NONE;
    const Batch *batch;
    assert_int_equal(loader_next(loader, &batch, &err), FAIL_INTERRUPTED);
    atomic_store(&interrupted, false);
    atomic_store(&fake.closed, false);
    assert_int_equal(next(loader)->count, 5);
    loader_stop(loader);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_follows_the_seeds_permutation_of_each_epoch),
        cmocka_unit_test(without_shuffle_items_come_in_turn),
        cmocka_unit_test(evaluation_ends_with_a_short_batch_and_then_nothing),
        cmocka_unit_test(evaluating_an_empty_set_ends_at_once),
        cmocka_unit_test(repeated_items_stand_side_by_side),
        cmocka_unit_test(a_batch_does_not_depend_on_workers_or_on_where_the_run_began),
        cmocka_unit_test(pixels_are_normalised_channel_by_channel),
        cmocka_unit_test(mixup_blends_each_picture_with_its_mirror),
        cmocka_unit_test(cutmix_keeps_the_share_that_it_says),
        cmocka_unit_test(mixup_and_cutmix_take_turns_by_lot),
        cmocka_unit_test(evaluation_never_mixes),
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
    return cmocka_run_group_tests(tests, NULL, NULL);
}
