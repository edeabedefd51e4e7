/* Text as code points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/file/textbuffer.h"
#include "data/file/utf8.h"

static bool surrogate(uint32_t code) { return code >= 0xD800 && code <= 0xDFFF; }

static void every_code_point_is_read_as_it_was_written(void **state) {
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        if (surrogate(code)) continue;
        char bytes[UTF8_BYTES];
        uint32_t back = ~0u;
        size_t used = utf8_put(code, bytes);
        size_t expected = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        if (used != expected || utf8_next(bytes, used, &back) != used || back != code)
            fail_msg("U+%04X: %zu bytes, read as U+%04X", code, used, back);
        for (size_t cut = 0; cut < used; cut++)
            if (utf8_next(bytes, cut, &back)) fail_msg("U+%04X in %zu bytes", code, cut);
    }
}

static void known_letters_have_their_known_bytes(void **state) {
    (void)state;
    char bytes[UTF8_BYTES];
    assert_int_equal(utf8_put(0xE9, bytes), 2);
    assert_memory_equal(bytes, "\xC3\xA9", 2);
    assert_int_equal(utf8_put(0x20AC, bytes), 3);
    assert_memory_equal(bytes, "\xE2\x82\xAC", 3);
    assert_int_equal(utf8_put(0x1F600, bytes), 4);
    assert_memory_equal(bytes, "\xF0\x9F\x98\x80", 4);
}

/* All pairs of first two bytes, with bytes on both sides of each bound behind them. */
static void nothing_is_read_that_would_be_written_differently(void **state) {
    (void)state;
    static const unsigned char THIRD[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
    size_t accepted = 0;
    for (unsigned k = 0; k < 0x10000 * 36; k++) {
        char bytes[4] = {(char)(k >> 8), (char)k, (char)THIRD[(k >> 16) % 6],
                         (char)THIRD[(k >> 16) / 6]};
        char again[UTF8_BYTES];
        uint32_t code;
        size_t used = utf8_next(bytes, 4, &code);
        if (!used) continue;
        accepted++;
        if (surrogate(code) || code > 0x10FFFF || utf8_put(code, again) != used ||
            memcmp(again, bytes, used))
            fail_msg("%02X %02X ... read as U+%04X", (unsigned char)bytes[0],
                     (unsigned char)bytes[1], code);
    }
    /* As many as table 3-7 of Unicode lets through; 2 of the 6 later bytes
     * are continuations. */
    size_t three = (32 + 12 * 64 + 32 + 2 * 64) * 2 * 6,
           four = (48 + 3 * 64 + 16) * 2 * 2;
    assert_int_equal(accepted, (128 * 256 + 30 * 64) * 36 + three + four);
}

static void the_place_of_the_first_bad_byte_is_told(void **state) {
    (void)state;
    static const char *const BAD[] = {
        "\x80",         "\xC0\x80",         "\xC1\xBF",         "\xC3",
        "\xE0\x80\x80", "\xED\xA0\x80",     "\xED\xBF\xBF",     "\xE2\x82",
        "\xE2\x82z",    "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xFF",         "\xF0\x9F\x98",
    };
    for (size_t b = 0; b < COUNT(BAD); b++)
        for (size_t before = 0; before < 40; before++) {
            char text[100];
            size_t bad = 99, start = 2 * (before / 2);
            memset(text, 'a', sizeof text);
            for (size_t k = 0; k + 1 < before; k += 2)
                memcpy(text + k, k % 3 ? "\xC3\xA9" : "ab", 2);
            memcpy(text + start, BAD[b], strlen(BAD[b]));
            assert_false(utf8_valid(text, start + strlen(BAD[b]), &bad));
            assert_int_equal(bad, start);
            assert_false(utf8_valid(text, sizeof text, NULL));
            assert_true(utf8_valid(text, start, &bad));
        }
}

static void an_empty_text_and_a_text_of_nul_are_well_formed(void **state) {
    (void)state;
    uint32_t code = 7;
    assert_true(utf8_valid("", 0, NULL));
    assert_true(utf8_valid(NULL, 0, NULL));
    assert_true(utf8_valid("\0\0\0\0\0\0\0\0\0", 9, NULL));
    assert_int_equal(utf8_next("", 0, &code), 0);
    assert_int_equal(code, 7);
    assert_int_equal(utf8_next("\0", 1, &code), 1);
    assert_int_equal(code, 0);
}

static void letters_of_each_script_become_lower_case(void **state) {
    (void)state;
    static const uint32_t PAIRS[][2] = {
        {'A', 'a'},       {'Z', 'z'},           {'[', '['},       {'@', '@'},
        {0xC4, 0xE4},     {0xD7, 0xD7},         {0xDF, 0xDF},     {0x0100, 0x0101},
        {0x0101, 0x0101}, {0x0130, 0x0130},     {0x0178, 0xFF},   {0x01C5, 0x01C6},
        {0x1E9E, 0xDF},   {0x1EF8, 0x1EF9},     {0x0391, 0x03B1}, {0x03A3, 0x03C3},
        {0x0410, 0x0430}, {0x0401, 0x0451},     {0x0531, 0x0561}, {0xFF21, 0xFF41},
        {0x4E2D, 0x4E2D}, {0x10FFFF, 0x10FFFF},
    };
    for (size_t k = 0; k < COUNT(PAIRS); k++)
        assert_int_equal(utf8_lower(PAIRS[k][0]), PAIRS[k][1]);
}

/* The checksum is what test/golden/make_utf8_lower.py prints: Python's str.lower() of all
 * code points, FNV-1a over four bytes each. */
static void lower_case_is_pythons_for_all_code_points(void **state) {
    (void)state;
    uint64_t sum = 0xCBF29CE484222325u;
    for (uint32_t code = 0; code <= 0x10FFFF; code++)
        for (unsigned k = 0; k < 4; k++)
            sum = (sum ^ (utf8_lower(code) >> (8 * k) & 0xFF)) * 0x100000001B3u;
    if (sum != 0x19AAFD15CEC95DECu) fail_msg("0x%016llx", (unsigned long long)sum);
}

static void lower_case_of_lower_case_is_itself(void **state) {
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++)
        assert_int_equal(utf8_lower(utf8_lower(code)), utf8_lower(code));
}

/* The codes for which Python 3.11 says chr(code).isspace(). */
static void white_space_is_pythons(void **state) {
    (void)state;
    static const uint32_t SPACES[] = {
        0x9,    0xA,    0xB,    0xC,    0xD,    0x1C,   0x1D,   0x1E,   0x1F,   0x20,
        0x85,   0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
        0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
    };
    size_t found = 0;
    for (uint32_t code = 0; code <= 0x10FFFF; code++)
        if (utf8_is_space(code)) {
            assert_true(found < COUNT(SPACES));
            assert_int_equal(code, SPACES[found++]);
        }
    assert_int_equal(found, COUNT(SPACES));
}

static void words_are_what_stands_between_white_space(void **state) {
    (void)state;
    static const char TEXT[] =
        " \t one\xC2\xA0two\xE3\x80\x80\x80\xFF \xE2\x82\xAC\xC3  ";
    static const char *const WORDS[] = {"one", "two", "\x80\xFF", "\xE2\x82\xAC\xC3"};
    size_t found = 0, at = 0;
    for (size_t length; utf8_word(TEXT, sizeof TEXT - 1, &at, &length); found++) {
        assert_true(found < COUNT(WORDS));
        assert_int_equal(length, strlen(WORDS[found]));
        assert_memory_equal(TEXT + at - length, WORDS[found], length);
    }
    assert_int_equal(found, COUNT(WORDS));
    assert_int_equal(at, sizeof TEXT - 1);
    at = 0;
    assert_false(utf8_word("", 0, &at, &(size_t){0}));
    assert_false(utf8_word("  ", 2, &at, &(size_t){0}));
}

static void a_buffer_holds_all_that_was_appended(void **state) {
    (void)state;
    TextBuffer buffer = {0};
    char expected[6000];
    size_t length = 0;
    for (unsigned k = 0; k < 1000; k++) {
        memcpy(expected + length, "a\0b", k % 4);
        text_append(&buffer, "a\0b", k % 4);
        length += k % 4;
        expected[length++] = (char)k;
        text_append_byte(&buffer, (char)k);
        length += utf8_put(0xE0 + k, expected + length);
        text_append_code(&buffer, 0xE0 + k);
        assert_int_equal(buffer.length, length);
        assert_int_equal(buffer.text[length], 0);
    }
    assert_memory_equal(buffer.text, expected, length);
    text_clear(&buffer);
    assert_string_equal(buffer.text, "");
    assert_true(buffer.capacity > length);
    text_free(&buffer);
    assert_null(buffer.text);
    text_clear(&buffer);
    assert_string_equal(buffer.text, "");
    text_free(&buffer);
}

static void text_for_a_message_is_cut_and_shown(void **state) {
    (void)state;
    static const struct {
        const char *text, *shown;
        size_t size;
    } CASES[] = {{"", "", 8},
                 {"abc", "abc", 8},
                 {"abcdefg", "abcdefg", 8},
                 {"abcdefgh", "abcd...", 8},
                 {"\x1B[2Jx\n", "\\x1b[2Jx\\x0a", 20},
                 {"\xC2\x9B"
                  "0\x7F\xFF",
                  "\\xc2\\x9b0\\x7f\\xff", 20},
                 {"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", "\xE6\x97\xA5...", 9},
                 {"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
                  "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 10},
                 {"\x01\x02\x03", "\\x01...", 8}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char shown[64];
        memset(shown, 'Z', sizeof shown);
        utf8_show(CASES[i].text, strlen(CASES[i].text), shown, CASES[i].size);
        assert_string_equal(shown, CASES[i].shown);
        assert_int_equal(shown[CASES[i].size], 'Z');
    }
}

static void a_format_is_appended_whole(void **state) {
    (void)state;
    TextBuffer text = {0};
    char many[3000];
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = 0;
    text_append_format(&text, "%s", "");
    assert_string_equal(text.text, "");
    text_append_format(&text, "%d of ", 7);
    text_append_format(&text, "%s.", many);
    assert_int_equal(text.length, 5 + sizeof many);
    assert_int_equal(strlen(text.text), text.length);
    assert_true(!strncmp(text.text, "7 of xx", 7) && text.text[text.length - 1] == '.');
    text_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_for_a_message_is_cut_and_shown),
        cmocka_unit_test(every_code_point_is_read_as_it_was_written),
        cmocka_unit_test(known_letters_have_their_known_bytes),
        cmocka_unit_test(nothing_is_read_that_would_be_written_differently),
        cmocka_unit_test(the_place_of_the_first_bad_byte_is_told),
        cmocka_unit_test(an_empty_text_and_a_text_of_nul_are_well_formed),
        cmocka_unit_test(letters_of_each_script_become_lower_case),
        cmocka_unit_test(lower_case_is_pythons_for_all_code_points),
        cmocka_unit_test(lower_case_of_lower_case_is_itself),
        cmocka_unit_test(white_space_is_pythons),
        cmocka_unit_test(words_are_what_stands_between_white_space),
        cmocka_unit_test(a_buffer_holds_all_that_was_appended),
        cmocka_unit_test(a_format_is_appended_whole),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
