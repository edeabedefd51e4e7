/* When training asks for more threads that make its batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/task/supply.h"

/* Training that takes `step` seconds a batch, of batches that take a thread `made`: so
 * many batches, or up to the first line. */
static size_t run(Supply *supply, double step, double made, size_t batches, char *text) {
    double now = 0;
    size_t threads = supply->threads;
    *text = 0;
    for (size_t i = 0; i < batches && !*text; i++) {
        double each = made / (double)supply->threads,
               waited = each > step ? each - step : 0;
        now += step + waited;
        threads = supply_see(supply, now, waited, made, text);
    }
    return threads;
}

static void nothing_is_said_where_batches_are_ready(void **state) {
    (void)state;
    char text[SUPPLY_TEXT];
    Supply supply = supply_begin(0, 8);
    assert_int_equal(run(&supply, 0.1, 0.09, 10000, text), 1);
    assert_string_equal(text, "");
}

static void threads_are_added_until_they_suffice(void **state) {
    (void)state;
    char text[SUPPLY_TEXT];
    Supply supply = supply_begin(0, 8);
    assert_int_equal(run(&supply, 0.1, 0.32, 1000, text), 4);
    assert_non_null(strstr(text, "69 % of the time; from now on 4 threads"));
    assert_int_equal(run(&supply, 0.1, 0.32, 1000, text), 4);
    assert_string_equal(text, "");
}

static void what_the_recipe_gives_stays_and_what_would_do_is_said_once(void **state) {
    (void)state;
    char text[SUPPLY_TEXT];
    Supply supply = supply_begin(2, 8);
    assert_int_equal(run(&supply, 0.1, 0.32, 1000, text), 2);
    assert_non_null(strstr(text, "to avoid this: data.threads=4"));
    assert_int_equal(run(&supply, 0.1, 0.32, 1000, text), 2);
    assert_string_equal(text, "");
}

static void processors_are_the_limit(void **state) {
    (void)state;
    char text[SUPPLY_TEXT];
    Supply supply = supply_begin(0, 2);
    assert_int_equal(run(&supply, 0.1, 0.32, 1000, text), 2);
    assert_int_equal(run(&supply, 0.1, 0.32, 1000, text), 2);
    assert_non_null(
        strstr(text, "it would take 4 threads, but there are 2; if processors"));
    supply = supply_begin(0, 1);
    assert_int_equal(run(&supply, 0.1, 0.2, 1000, text), 1);
    assert_non_null(strstr(text, "there are 1; if processors"));
}

/* The ring is empty at first: its first batches are waited for whatever comes. */
static void a_slow_start_is_no_reason(void **state) {
    (void)state;
    char text[SUPPLY_TEXT];
    Supply supply = supply_begin(0, 8);
    double now = 0;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(supply_see(&supply, now += 20, 20, 20, text), 1);
        assert_string_equal(text, "");
    }
    assert_int_equal(run(&supply, 0.1, 0.05, 1000, text), 1);
    assert_string_equal(text, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_where_batches_are_ready),
        cmocka_unit_test(threads_are_added_until_they_suffice),
        cmocka_unit_test(what_the_recipe_gives_stays_and_what_would_do_is_said_once),
        cmocka_unit_test(processors_are_the_limit),
        cmocka_unit_test(a_slow_start_is_no_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
