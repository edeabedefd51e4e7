/* Two views of each picture (LoaderConfig.pairs). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_pictures.h"

enum { WANTED = 12 };

static Dataset *glyphs(void) {
    DataConfig data = data_config_default();
    data.synthetic_count = 40;
    return dataset_open(&data, SPLIT_TRAIN, NULL);
}

static LoaderConfig pairs_of(size_t batch, bool training, const char *augment) {
    LoaderConfig config = fake_config(batch, training);
    strcpy(config.data.augment, augment);
    config.height = config.width = WANTED;
    config.pairs = true;
    return config;
}

static const char *const AUGMENT = "random-resized-crop,flip,jitter,erasing:0.5";

static size_t bytes_of(const Batch *batch, size_t pictures) {
    return pictures * batch->channels * batch->height * batch->width * sizeof(real);
}

static void assert_same_views(const Batch *a, const Batch *b, size_t from) {
    size_t numbers = bytes_of(a, 1) / sizeof(real);
    for (int v = 0; v < 2; v++)
        assert_memory_equal(a->view[v], b->view[v] + from * numbers,
                            bytes_of(a, a->count));
    assert_memory_equal(a->item, b->item + from, a->count * sizeof *a->item);
}

static void the_first_view_is_what_a_loader_without_pairs_gives(void **state) {
    (void)state;
    Dataset *set = glyphs();
    LoaderConfig config = pairs_of(8, true, AUGMENT);
    Loader *pairs = fake_start(set, &config, 1);
    config.pairs = false;
    Loader *alone = fake_start(set, &config, 1);
    for (size_t n = 0; n < 6; n++) {
        const Batch *two = fake_next(pairs), *one = fake_next(alone);
        assert_null(one->view[0]);
        assert_ptr_equal(two->view[0], two->pixels);
        assert_memory_equal(two->pixels, one->pixels, bytes_of(one, 8));
        for (size_t i = 0; i < 8; i++) {
            size_t at = i * bytes_of(one, 1) / sizeof(real);
            assert_memory_not_equal(two->view[0] + at, two->view[1] + at,
                                    bytes_of(one, 1));
        }
    }
    loader_stop(pairs);
    loader_stop(alone);
    dataset_free(set);
}

static void views_do_not_depend_on_where_a_run_began_or_how_many_made_them(void **state) {
    (void)state;
    Dataset *set = glyphs();
    LoaderConfig config = pairs_of(8, true, AUGMENT);
    Loader *first = fake_start(set, &config, 1);
    config.workers = 3;
    Loader *late = fake_start(set, &config, 6);
    for (size_t n = 1; n < 6; n++) fake_next(first);
    for (size_t n = 6; n < 12; n++)
        assert_same_views(fake_next(late), fake_next(first), 0);
    loader_stop(first);
    loader_stop(late);
    dataset_free(set);
}

static void parts_have_the_views_of_the_whole_batch(void **state) {
    (void)state;
    Dataset *set = glyphs();
    for (int training = 0; training < 2; training++) {
        LoaderConfig config = pairs_of(7, training, AUGMENT);
        Loader *whole = fake_start(set, &config, 1), *part[3];
        config.parts = 3;
        for (config.part = 0; config.part < 3; config.part++)
            part[config.part] = fake_start(set, &config, 1);
        for (size_t n = 0; n < 5; n++) {
            const Batch *all = fake_next(whole);
            for (size_t k = 0; k < 3; k++) {
                const Batch *some = fake_next(part[k]);
                assert_same_views(some, all, some->first);
            }
        }
        loader_stop(whole);
        for (size_t k = 0; k < 3; k++) loader_stop(part[k]);
    }
    dataset_free(set);
}

static void views_of_an_evaluation_belong_to_the_item_alone(void **state) {
    (void)state;
    Dataset *set = glyphs();
    LoaderConfig config = pairs_of(20, false, AUGMENT);
    Loader *large = fake_start(set, &config, 1);
    config.batch = 5;
    config.seed++;
    Loader *small = fake_start(set, &config, 1);
    config.pairs = false;
    Loader *alone = fake_start(set, &config, 1);
    const Batch *all = fake_next(large);
    for (size_t n = 0; n < 4; n++) {
        const Batch *some = fake_next(small), *plain = fake_next(alone);
        assert_same_views(some, all, 5 * n);
        assert_memory_equal(some->pixels, plain->pixels, bytes_of(plain, 5));
        assert_memory_not_equal(some->view[0], some->view[1], bytes_of(plain, 5));
        assert_memory_not_equal(some->view[0], plain->pixels, bytes_of(plain, 5));
    }
    loader_stop(large);
    loader_stop(small);
    loader_stop(alone);
    dataset_free(set);
}

static void without_augmentation_both_views_are_the_picture(void **state) {
    (void)state;
    Dataset *set = glyphs();
    for (int training = 0; training < 2; training++) {
        LoaderConfig config = pairs_of(8, training, "none");
        Loader *loader = fake_start(set, &config, 1);
        const Batch *batch = fake_next(loader);
        for (int v = 0; v < 2; v++)
            assert_memory_equal(batch->view[v], batch->pixels, bytes_of(batch, 8));
        loader_stop(loader);
    }
    dataset_free(set);
}

static void a_broken_picture_has_no_views_and_another_both(void **state) {
    (void)state;
    Fake fake = {0};
    for (size_t i = 0; i < ITEMS; i += 3) fake.broken[i] = true;
    Dataset set = fake_set(&fake);
    for (int training = 0; training < 2; training++) {
        LoaderConfig config = pairs_of(6, training, "none");
        config.height = config.width = SIDE;
        config.data.on_error = ON_ERROR_SKIP;
        Loader *loader = fake_start(&set, &config, 1);
        for (size_t n = 0; n < 3; n++) {
            const Batch *batch = fake_next(loader);
            assert_int_equal(batch->count, training ? 6 : 4);
            for (size_t i = 0; i < batch->count; i++)
                for (int v = 0; v < 2; v++)
                    for (size_t p = 0; p < AREA; p++)
                        assert_float_equal(batch->view[v][i * AREA + p],
                                           fake_level(batch, i), 1e-6);
        }
        loader_stop(loader);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_view_is_what_a_loader_without_pairs_gives),
        cmocka_unit_test(views_do_not_depend_on_where_a_run_began_or_how_many_made_them),
        cmocka_unit_test(parts_have_the_views_of_the_whole_batch),
        cmocka_unit_test(views_of_an_evaluation_belong_to_the_item_alone),
        cmocka_unit_test(without_augmentation_both_views_are_the_picture),
        cmocka_unit_test(a_broken_picture_has_no_views_and_another_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
