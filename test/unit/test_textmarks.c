/* Files that are no text, and what is odd in those that are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/file/textmarks.h"
#include "files.h"

static void refuse(const char *root, const void *bytes, size_t n, const char *part) {
    char path[1000];
    TextFile file;
    Err err = ERR_NONE;
    text_format(path, sizeof path, "%s/t", root);
    files_write(root, "t", bytes, n);
    assert_int_equal(textfile_read(&file, path, &err), FAIL_DATA);
    assert_non_null(strstr(err.text, path));
    if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
}

static void files_that_are_no_utf_8_are_named_as_what_they_are(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        const char *part;
    } CASES[] = {
        {"\xFF\xFE"
         "a\0\n\0",
         6, "t is UTF-16, not UTF-8; convert it: iconv -f UTF-16LE"},
        {"\xFE\xFF\0a\0\n", 6, "iconv -f UTF-16BE"},
        {"a\0b\0 \0c\0\n\0", 10, "iconv -f UTF-16LE"},
        {"\0a\0b\0 \0c\0\n", 10, "iconv -f UTF-16BE"},
        {"\xFF\xFE\0\0a\0\0\0", 8, "iconv -f UTF-32LE"},
        {"\0\0\xFE\xFF\0\0\0a", 8, "iconv -f UTF-32BE"},
        {"BZh91AY&SY\0\xFF", 12, "a bzip2 file"},
        {"\xFD"
         "7zXZ\0\0\x04",
         8, "an xz file"},
        {"\x28\xB5\x2F\xFD\x04", 5, "a zstd file"},
        {"PK\x03\x04\x14\0\0", 7, "a zip file"},
        {"%PDF-1.5\n%\xD0\xD4\n", 12, "a PDF document"},
        {"\x89PNG\r\n\x1a\n", 8, "a PNG picture"},
        {"\xFF\xD8\xFF\xE0", 4, "a JPEG picture"},
        {"RIFF\x24\0\0\0WAVE", 12, "a RIFF file (WAV"},
        {"text\n\xE4\n", 7, "t:2: byte 1 of the line (0xe4) is not UTF-8"},
        {"te\0xt\n", 6, "t:1: byte 3 of the line is NUL"},
        {"a\0", 2, "t:1: byte 2 of the line is NUL"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++)
        refuse(*state, CASES[i].bytes, CASES[i].size, CASES[i].part);
}

static void texts_that_begin_like_other_files_are_texts(void **state) {
    static const char *const TEXTS[] = {"BZh is no word\n", "%PDF-1.5\n", "PK\x03\x04\n",
                                        "a\n", ""};
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        char path[1000];
        TextFile file;
        text_format(path, sizeof path, "%s/t", (char *)*state);
        files_write(*state, "t", TEXTS[i], strlen(TEXTS[i]));
        assert_int_equal(textfile_read(&file, path, NULL), OK);
        textfile_free(&file);
    }
}

static void expect_notes(const char *root, const char *text, size_t count,
                         const char *const *parts, const size_t *counts) {
    char path[1000];
    TextFile file;
    DataFacts facts = {0};
    text_format(path, sizeof path, "%s/t", root);
    files_write(root, "t", text, strlen(text));
    assert_int_equal(textfile_read(&file, path, NULL), OK);
    textmarks_note(&file, &facts);
    if (facts.notes != count) fail_msg("%zu notes of %s", facts.notes, text);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(strstr(facts.note[i].text, path));
        if (!strstr(facts.note[i].text, parts[i]) || facts.note[i].count != counts[i])
            fail_msg("%zu: %s", facts.note[i].count, facts.note[i].text);
    }
    facts_free(&facts);
    textfile_free(&file);
}

#define NOTES(text, count, parts, ...)                                                   \
    expect_notes(*state, text, count, (const char *const[])parts,                        \
                 (const size_t[]){__VA_ARGS__})
#define PARTS(...)                                                                       \
    { __VA_ARGS__ }

static void what_is_odd_in_a_text_is_counted_with_its_first_line(void **state) {
    expect_notes(*state, "a\nb c\n\n", 0, NULL, NULL);
    /* a mark at the start is none inside */
    expect_notes(*state,
                 "\xEF\xBB\xBF"
                 "a\n",
                 0, NULL, NULL);
    NOTES("a\nb\r\nc\r\nd\n", 1,
          PARTS("t: line ends \\r\\n: 2 (first: line 2); the \\r is removed"), 2);
    NOTES("a\rb\rc\r", 1, PARTS("carriage returns (\\r) without \\n: 3 (first: line 1)"),
          3);
    NOTES("x\n\ny\rz\r\n", 2,
          PARTS("line ends \\r\\n: 1", "carriage returns (\\r) without \\n: 1"), 1, 1);
    NOTES("x\nab\n\xEF\xBB\xBF"
          "c \xEF\xBB\xBF",
          1, PARTS("byte order marks (U+FEFF) inside the text: 2 (first: line 3)"), 2);
    NOTES("a\n\xEF\xBF\xBD\n", 1, PARTS("replacement characters (U+FFFD)"), 1);
    NOTES("a\n\n\xC2\x85\xE2\x80\xA8 \xE2\x80\xA9 \xC2\xA0\xE2\x82\xAC", 1,
          PARTS("characters U+0085, U+2028 or U+2029: 3 (first: line 3); they do not end "
                "a line"),
          3);
}

static void the_first_line_is_found_in_long_texts(void **state) {
    enum { LINES = 3000 };
    for (size_t at = 0; at < LINES; at += 271) {
        TextBuffer text = {0};
        char part[60];
        for (size_t i = 0; i < LINES; i++)
            text_append(&text, i >= at ? "x\ry\n" : "xyz\n", 4);
        text_format(part, sizeof part, "(first: line %zu)", at + 1);
        expect_notes(*state, text.text, 1, (const char *const[]){part},
                     (const size_t[]){LINES - at});
        text_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(files_that_are_no_utf_8_are_named_as_what_they_are),
        FOLDER_TEST(texts_that_begin_like_other_files_are_texts),
        FOLDER_TEST(what_is_odd_in_a_text_is_counted_with_its_first_line),
        FOLDER_TEST(the_first_line_is_found_in_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
