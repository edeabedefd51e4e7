/* Epochs as steps: whatever a run counts in epochs is over after the same step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tools/train/parts.h"

static void a_product_that_rounds_up_is_no_further_step(void **state) {
    (void)state;
    static const struct {
        double epochs;
        size_t each, step;
    } CASES[] = {
        {0.28, 25, 7},
        {1.1, 50, 55},
        {2.2, 50, 110},
        {8.8, 25, 220},
        {0.29, 25, 8},
        {1.3, 4, 6},
        {1.5, 4, 6},
        {0, 25, 0},
        {1e-5, 4, 1},
        {1, 1, 1},
        {1e6, 999983, 999983000000},
    };
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(moment_step(CASES[i].epochs, (double)CASES[i].each),
                         CASES[i].step);
    for (size_t each = 1; each < 200; each++)
        for (size_t hundred = 0; hundred < 1000; hundred++)
            assert_int_equal(moment_step((double)hundred / 100, (double)each),
                             (hundred * each + 99) / 100);
}

/* The batch changed after an epoch, but epochs have as many steps as before. */
static Trainer anchored(size_t each) {
    Trainer t = {.steps_per_epoch = each, .at.epoch_left = each};
    t.at.anchor = (Anchor){.step = each, .epoch = 1};
    return t;
}

static void a_changed_batch_leaves_moments_where_epochs_are_over(void **state) {
    (void)state;
    for (size_t each = 1; each < 200; each++) {
        Trainer t = anchored(each);
        for (size_t hundred = 0; hundred < 1000; hundred++)
            assert_int_equal(trainer_step_of(&t, (double)hundred / 100),
                             (hundred * each + 99) / 100);
    }
}

/* 0.4 of an epoch as 10 of 25 batches, then the rest as 30: the anchor's own numbers are
 * not exact. */
static void the_step_at_an_epoch_is_the_one_logged_with_it(void **state) {
    (void)state;
    Trainer t = {.steps_per_epoch = 50, .at.epoch_left = 30};
    t.at.anchor = (Anchor){.step = 10, .epoch = 10 / 25.0, .share = 10 / 25.0};
    for (size_t step = 10; step < 2000; step++)
        assert_int_equal(trainer_step_of(&t, trainer_epoch(&t, step)), step);
    assert_int_equal(trainer_step_of(&t, 0.28), 7);
    assert_int_equal(trainer_step_of(&t, 1), 40);
    assert_int_equal(trainer_step_of(&t, 1.1), 45);
}

static void the_length_of_a_run_is_found_by_any_of_its_rows(void **state) {
    (void)state;
    for (size_t each = 1; each < 1000; each += 9)
        for (size_t step = 1; step < 2000; step += 7) {
            char text[40];
            text_format(text, sizeof text, "%.9g", (double)step / (double)each);
            double epoch = strtod(text, NULL);
            for (size_t tenth = 1; tenth < 100; tenth += 3)
                assert_true(moment_step_logged((double)tenth / 10, (double)step, epoch) ==
                            (double)((tenth * each + 9) / 10));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_that_rounds_up_is_no_further_step),
        cmocka_unit_test(a_changed_batch_leaves_moments_where_epochs_are_over),
        cmocka_unit_test(the_step_at_an_epoch_is_the_one_logged_with_it),
        cmocka_unit_test(the_length_of_a_run_is_found_by_any_of_its_rows),
    };
    return cmocka_run_group_tests_name("epochs as steps", tests, NULL, NULL);
}
