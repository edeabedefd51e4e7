/* What messages show of names and files, and sizes that no memory has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/facts.h"
#include "engine/core/text.h"

static void a_message_is_one_line_of_printable_text(void **state) {
    (void)state;
    static const char *const CASES[][2] = {
        {"plain", "plain"},
        {"caf\xC3\xA9 \xE2\x82\xAC", "caf\xC3\xA9 \xE2\x82\xAC"},
        {"a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd"},
        {"\033[31mred\177", "\\x1b[31mred\\x7f"},
        {"\xC2\x9B"
         "31m",
         "\\xc2\\x9b"
         "31m"}, /* CSI as one code point */
        {"\xFF\xC3", "\\xff\\xc3"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Err err = ERR_NONE;
        char wanted[100];
        assert_int_equal(err_set(&err, FAIL_DATA, "%s: bad", CASES[i][0]), FAIL_DATA);
        text_format(wanted, sizeof wanted, "%s: bad", CASES[i][1]);
        assert_string_equal(err.text, wanted);
        err_wrap(&err, "in %s", CASES[i][0]);
        text_format(wanted, sizeof wanted, "in %s: %s: bad", CASES[i][1], CASES[i][1]);
        assert_string_equal(err.text, wanted);
        assert_int_equal(err.status, FAIL_DATA);
        DataFacts facts = {0};
        facts_note(&facts, 1, "%s", CASES[i][0]);
        assert_string_equal(facts.note[0].text, CASES[i][1]);
        facts_free(&facts);
    }
}

static void a_message_that_is_too_long_ends_in_dots(void **state) {
    (void)state;
    char name[3000];
    memset(name, '\n', sizeof name);
    name[sizeof name - 1] = 0;
    Err err = ERR_NONE;
    err_set(&err, FAIL_RUN, "%s", name);
    size_t length = strlen(err.text);
    assert_true(length < sizeof err.text);
    assert_string_equal(err.text + length - 3, "...");
    assert_memory_equal(err.text, "\\x0a\\x0a", 8);
}

static void sizes_are_named_in_units_that_can_be_read(void **state) {
    (void)state;
    char text[32];
    mem_text(24e9, text, sizeof text);
    assert_string_equal(text, "24.0 GB");
    mem_text(2.2e16, text, sizeof text);
    assert_string_equal(text, "2.2e+16 bytes");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_message_is_one_line_of_printable_text),
        cmocka_unit_test(a_message_that_is_too_long_ends_in_dots),
        cmocka_unit_test(sizes_are_named_in_units_that_can_be_read),
    };
    return cmocka_run_group_tests_name("err", cases, NULL, NULL);
}
