/* The rules of docs/architecture.md for lengths: a file fits the head, a
 * function a screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tree.h"

enum { FILE_LINES = 500, EXAMPLE_LINES = 80, FUNCTION_LINES = 60, COLUMNS = 90 };

static const char *const FOLDERS[] = {"engine",  "models",   "data", "tools",
                                      "include", "examples", "test", NULL};

static size_t lines_of(const char *path) {
    size_t lines = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF;) lines += c == '\n';
    fclose(file);
    return lines;
}

static void check_file(void *bad, const char *path) {
    size_t lines = lines_of(path);
    size_t most = strncmp(path, "examples/", 9) ? FILE_LINES : EXAMPLE_LINES;
    if (lines <= most) return;
    print_error("%s: %zu lines; at most %zu\n", path, lines, most);
    ++*(size_t *)bad;
}

static void no_file_is_longer_than_500_lines_and_no_example_than_80(void **state) {
    (void)state;
    size_t bad = 0;
    tree_each(FOLDERS, check_file, &bad);
    assert_int_equal(bad, 0);
}

/* Is the line the prose of a comment on lines of its own?  What stands further in is a
 * formula, a table or code. */
static bool is_prose(const char *line) {
    line += strspn(line, " ");
    if (*line == '/') line++;
    return !strncmp(line, "* ", 2) && line[2] != ' ' && !strchr("*-", line[2]);
}

static size_t columns_of(const char *line) {
    size_t columns = 0;
    for (; *line && *line != '\n'; line++) columns += (*line & 0xC0) != 0x80; /* UTF-8 */
    return columns;
}

static void check_comments(void *bad, const char *path) {
    char line[2000];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (size_t number = 1; fgets(line, sizeof line, file); number++) {
        if (!is_prose(line) || columns_of(line) <= COLUMNS) continue;
        print_error("%s:%zu: a comment of %zu columns; at most %d\n", path, number,
                    columns_of(line), COLUMNS);
        ++*(size_t *)bad;
    }
    fclose(file);
}

static void prose_of_comments_stays_within_90_columns(void **state) {
    (void)state;
    size_t bad = 0;
    assert_true(is_prose("    /* a */") && is_prose(" * a") && !is_prose(" *   a"));
    assert_int_equal(columns_of("\xC3\xA4\n"), 1);
    tree_each(FOLDERS, check_comments, &bad);
    assert_int_equal(bad, 0);
}

typedef struct Look {
    const char *path;
    size_t functions, bad;
} Look;

static void check_function(void *context, const char *head, size_t lines) {
    Look *look = context;
    look->functions++;
    if (lines <= FUNCTION_LINES) return;
    print_error("%s: %zu lines, at most %d: %s\n", look->path, lines, FUNCTION_LINES,
                head);
    look->bad++;
}

static void check_functions(void *context, const char *path) {
    Look *look = context;
    look->path = path;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    tree_functions(file, check_function, look);
    fclose(file);
}

static void no_function_is_longer_than_60_lines(void **state) {
    (void)state;
    Look look = {0};
    tree_each(FOLDERS, check_functions, &look);
    assert_int_equal(look.bad, 0);
    assert_true(look.functions > 2000); /* else they are not seen */
}

typedef struct Seen {
    char text[400];
} Seen;

static void note(void *context, const char *head, size_t lines) {
    Seen *seen = context;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof seen->text - used, "%zu %s|", lines, head);
}

static void functions_are_measured_from_signature_to_brace(void **state) {
    (void)state;
    char text[] = "/* int no(void) {\n }\n */\n"
                  "#define TWICE(x) \\\n    ((x) + (x))\n"
                  "static const int table[] = {\n    1,\n    2,\n};\n\n"
                  "typedef struct A {\n    int b;\n} A;\n"
                  "int prototype(int a,\n              int b);\n\n"
                  "static int two(int a,\n               int b) {\n"
                  "    if (a) {\n        return b;\n    }\n    return a;\n}\n"
                  "int one(void) { return 1; }\n";
    FILE *file = fmemopen(text, strlen(text), "r");
    assert_non_null(file);
    Seen seen = {""};
    tree_functions(file, note, &seen);
    fclose(file);
    assert_string_equal(seen.text, "2 #define TWICE(x) \\|7 static int two(int a,|"
                                   "1 int one(void) { return 1; }|");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(no_file_is_longer_than_500_lines_and_no_example_than_80),
        cmocka_unit_test(prose_of_comments_stays_within_90_columns),
        cmocka_unit_test(no_function_is_longer_than_60_lines),
        cmocka_unit_test(functions_are_measured_from_signature_to_brace),
    };
    return cmocka_run_group_tests_name("house_size", cases, NULL, NULL);
}
