/* The reader of text files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/file/textfile.h"
#include "data/file/utf8.h"
#include "files.h"

enum { LINE_MOST = 1 << 24 };

static char *path_in(const char *root, const char *name) {
    static char path[1000];
    text_format(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void write_text(const char *root, const char *name, const char *text) {
    files_write(root, name, text, strlen(text));
}

static void expect_lines(const char *root, const char *name, size_t count,
                         const char *const *lines) {
    TextFile file;
    Err err = ERR_NONE;
    if (textfile_read(&file, path_in(root, name), &err)) fail_msg("%s", err.text);
    assert_int_equal(file.count, count);
    for (size_t i = 0; i < count; i++) {
        size_t length;
        const char *line = textfile_line(&file, i, &length);
        assert_int_equal(length, strlen(lines[i]));
        assert_memory_equal(line, lines[i], length);
    }
    textfile_free(&file);
}

static void refuse(const char *root, const char *name, const char *part) {
    TextFile file;
    Err err = ERR_NONE;
    assert_int_equal(textfile_read(&file, path_in(root, name), &err), FAIL_DATA);
    if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    assert_non_null(strstr(err.text, name));
}

static void lines_end_at_line_ends_of_either_kind(void **state) {
    static const char *const LINES[] = {"a b", "two\rhalves", "", " ", "the last"};
    write_text(*state, "t", "a b\ntwo\rhalves\r\n\n \nthe last");
    expect_lines(*state, "t", COUNT(LINES), LINES);
    write_text(*state, "t", "a b\ntwo\rhalves\r\n\n \nthe last\n");
    expect_lines(*state, "t", COUNT(LINES), LINES);
}

static void an_empty_file_has_no_line_and_a_line_end_has_one(void **state) {
    static const char *const LINES[] = {""};
    write_text(*state, "t", "");
    expect_lines(*state, "t", 0, LINES);
    write_text(*state, "t", "\n");
    expect_lines(*state, "t", 1, LINES);
}

static void a_byte_order_mark_is_skipped_at_the_start_alone(void **state) {
    static const char *const LINES[] = {"a", "\xEF\xBB\xBF"
                                             "b"};
    write_text(*state, "t",
               "\xEF\xBB\xBF"
               "a\n\xEF\xBB\xBF"
               "b\n");
    expect_lines(*state, "t", COUNT(LINES), LINES);
    write_text(*state, "t", "\xEF\xBB\xBF");
    expect_lines(*state, "t", 0, LINES);
}

static void gzip_is_read_and_found_under_the_plain_name(void **state) {
    static const char *const PACKED[] = {"packed"}, *const PLAIN[] = {"plain"};
    files_write_gz(*state, "t.gz", "packed\n", 7);
    expect_lines(*state, "t.gz", 1, PACKED);
    expect_lines(*state, "t", 1, PACKED);
    assert_true(textfile_exists(path_in(*state, "t")));
    write_text(*state, "t", "plain\n");
    expect_lines(*state, "t", 1, PLAIN);
    assert_false(textfile_exists(path_in(*state, "u")));
}

static void bytes_that_are_no_text_are_refused_with_their_line(void **state) {
    static const char *const BAD[] = {
        "a\nb\nc\377d\n",           /* no byte of UTF-8 */
        "a\nb\n\xC0\xAF\n",         /* overlong */
        "a\nb\n\xED\xA0\x80\n",     /* a surrogate */
        "a\nb\n\xF4\x90\x80\x80\n", /* above U+10FFFF */
        "a\nb\n\xE2\x82\n",         /* cut by the line's end */
        "a\nb\n\xE2\x82",           /* cut by the file's end */
        "a\nb\n\x80\n",             /* a continuation alone */
    };
    for (size_t i = 0; i < COUNT(BAD); i++) {
        write_text(*state, "t", BAD[i]);
        refuse(*state, "t", "t:3: ");
        refuse(*state, "t", "not UTF-8");
    }
}

static void nul_bytes_are_refused_with_their_line(void **state) {
    files_write(*state, "t", "a\nb\0c\n", 6);
    refuse(*state, "t", "t:2: byte 2 of the line is NUL");
    files_write(*state, "t", "a\n\0", 3);
    refuse(*state, "t", "t:2: byte 1 of the line is NUL");
}

static void a_missing_file_and_a_folder_are_named(void **state) {
    refuse(*state, "nothing", "cannot be opened");
    files_folder(*state, "folder");
    refuse(*state, "folder", "not a regular file");
}

static void a_gzip_file_cut_anywhere_is_named(void **state) {
    static char text[4000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 37 ? (char)('a' + i * i % 23) : '\n';
    files_write_gz(*state, "t.gz", text, sizeof text);
    size_t n;
    mem_free(files_read(*state, "t.gz", &n));
    while (n-- > 0) {
        files_cut(*state, "t.gz", n);
        refuse(*state, "t.gz", "truncated");
    }
}

static void a_line_may_have_16_MiB_and_no_more(void **state) {
    char *text = mem_alloc(LINE_MOST + 3);
    memset(text, 'x', LINE_MOST + 3);
    text[0] = text[LINE_MOST + 1] = '\n';
    files_write(*state, "t", text, LINE_MOST + 2);
    TextFile file;
    assert_int_equal(textfile_read(&file, path_in(*state, "t"), NULL), OK);
    assert_int_equal(file.count, 2);
    textfile_free(&file);
    text[LINE_MOST + 1] = 'x';
    files_write(*state, "t", text, LINE_MOST + 3);
    refuse(*state, "t", "t:2: a line of 16777218 bytes");
    mem_free(text);
}

/* What is accepted keeps its promise. */
static void walk(const char *path) {
    TextFile file;
    Err err = ERR_NONE;
    Status status = textfile_read(&file, path, &err);
    if (status) {
        assert_int_equal(status, FAIL_DATA);
        assert_non_null(strstr(err.text, path));
        return;
    }
    for (size_t i = 0; i < file.count; i++) {
        size_t length;
        const char *line = textfile_line(&file, i, &length);
        assert_true(utf8_valid(line, length, NULL));
        assert_null(memchr(line, 0, length));
        assert_null(memchr(line, '\n', length));
    }
    textfile_free(&file);
}

static void damaged_files_are_read_or_refused(void **state) {
    static const char TEXT[] =
        "Ein Mann schläft.\n\xE2\x82\xAC 5\r\n\n😀\nund so weiter\n";
    files_write_gz(*state, "good", TEXT, sizeof TEXT - 1);
    size_t sizes[] = {sizeof TEXT - 1, 0}, n;
    uint8_t *packed = files_read(*state, "good", &sizes[1]);
    const uint8_t *good[] = {(const uint8_t *)TEXT, packed};
    for (unsigned trial = 0; trial < 1000; trial++) {
        uint8_t *bad = files_damage(good[trial % 2], sizes[trial % 2], trial, &n);
        files_write(*state, "t", bad, n);
        mem_free(bad);
        walk(path_in(*state, "t"));
    }
    mem_free(packed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(lines_end_at_line_ends_of_either_kind),
        FOLDER_TEST(an_empty_file_has_no_line_and_a_line_end_has_one),
        FOLDER_TEST(a_byte_order_mark_is_skipped_at_the_start_alone),
        FOLDER_TEST(gzip_is_read_and_found_under_the_plain_name),
        FOLDER_TEST(bytes_that_are_no_text_are_refused_with_their_line),
        FOLDER_TEST(nul_bytes_are_refused_with_their_line),
        FOLDER_TEST(a_missing_file_and_a_folder_are_named),
        FOLDER_TEST(a_gzip_file_cut_anywhere_is_named),
        FOLDER_TEST(a_line_may_have_16_MiB_and_no_more),
        FOLDER_TEST(damaged_files_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
