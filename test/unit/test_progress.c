/* What a run says of its way: which steps have a line in a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tools/program/progress.h"

static void lines_of_a_log_are_20_to_50_of_round_steps(void **state) {
    (void)state;
    for (size_t steps = 20; steps <= 20000; steps++) {
        size_t lines = steps / progress_beat(steps);
        assert_in_range(lines, 20, 50);
    }
    assert_int_equal(progress_beat(400), 20);
    assert_int_equal(progress_beat(399), 10);
}

static void a_short_run_has_all_steps_and_a_long_one_each_thousandth(void **state) {
    (void)state;
    for (size_t steps = 0; steps < 20; steps++) assert_int_equal(progress_beat(steps), 1);
    assert_int_equal(progress_beat(1000000), 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_a_log_are_20_to_50_of_round_steps),
        cmocka_unit_test(a_short_run_has_all_steps_and_a_long_one_each_thousandth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
