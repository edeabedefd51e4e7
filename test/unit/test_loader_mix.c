/* Pixels of batches: how they are normalised and mixed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/picture/loader.h"
#include "fake_pictures.h"

/* --- pixels ------------------------------------------------------------------------- */

static void pixels_are_normalised_channel_by_channel(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(4, false);
    config.data.mean[0] = 0.25;
    config.data.std[0] = 0.5;
    Loader *loader = fake_start(&set, &config, 1);
    const Batch *batch = fake_next(loader);
    for (size_t s = 0; s < 4; s++)
        for (size_t p = 0; p < AREA; p++) {
            double wanted = (10.0 * (double)s / 255 - 0.25) / 0.5;
            assert_true(fabs(batch->pixels[s * AREA + p] - wanted) < 1e-6);
        }
    loader_stop(loader);
}

static void mixup_blends_each_picture_with_its_mirror(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(5, true);
    config.mixup = 0.8;
    Loader *loader = fake_start(&set, &config, 1);
    for (int n = 0; n < 50; n++) {
        const Batch *batch = fake_next(loader);
        for (size_t s = 0; s < 5; s++) {
            double mix = batch->mix[s], own = fake_level(batch, s),
                   other = fake_level(batch, 4 - s);
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

static void cutmix_keeps_the_share_that_it_says(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(4, true);
    config.cutmix = 1;
    Loader *loader = fake_start(&set, &config, 1);
    size_t kept = 0;
    for (int n = 0; n < 200; n++) {
        const Batch *batch = fake_next(loader);
        for (size_t s = 0; s < 4; s++) {
            size_t own = fake_count_level(batch, s, fake_level(batch, s));
            assert_int_equal(own + fake_count_level(batch, s, fake_level(batch, 3 - s)),
                             AREA);
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
    LoaderConfig config = fake_config(4, true);
    config.mixup = config.cutmix = 1;
    Loader *loader = fake_start(&set, &config, 1);
    size_t cut = 0;
    for (int n = 0; n < 400; n++) {
        const Batch *batch = fake_next(loader);
        cut += fake_count_level(batch, 0, fake_level(batch, 0)) +
                   fake_count_level(batch, 0, fake_level(batch, 3)) ==
               AREA;
    }
    assert_in_range(cut, 160, 240); /* 4 standard deviations */
    loader_stop(loader);
}

static void evaluation_never_mixes(void **state) {
    (void)state;
    Fake fake = {0};
    Dataset set = fake_set(&fake);
    LoaderConfig config = fake_config(4, false);
    config.mixup = config.cutmix = 1;
    Loader *loader = fake_start(&set, &config, 1);
    const Batch *batch = fake_next(loader);
    for (size_t s = 0; s < 4; s++) {
        assert_true(batch->mix[s] == 1);
        assert_int_equal(batch->mixed_label[s], batch->label[s]);
        assert_int_equal(fake_count_level(batch, s, fake_level(batch, s)), AREA);
    }
    loader_stop(loader);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(pixels_are_normalised_channel_by_channel),
        cmocka_unit_test(mixup_blends_each_picture_with_its_mirror),
        cmocka_unit_test(cutmix_keeps_the_share_that_it_says),
        cmocka_unit_test(mixup_and_cutmix_take_turns_by_lot),
        cmocka_unit_test(evaluation_never_mixes),
    };
    return cmocka_run_group_tests_name("loader_mix", cases, NULL, NULL);
}
