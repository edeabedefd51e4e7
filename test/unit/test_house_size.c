/* The rules of docs/architecture.md for lengths: a file fits the head, a
 * function a screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tree.h"

enum { FILE_LINES = 500, FUNCTION_LINES = 60 };

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
    if (lines <= FILE_LINES) return;
    print_error("%s: %zu lines; at most %d\n", path, lines, FILE_LINES);
    ++*(size_t *)bad;
}

static void no_file_is_longer_than_500_lines(void **state) {
    (void)state;
    size_t bad = 0;
    tree_each(FOLDERS, check_file, &bad);
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
        cmocka_unit_test(no_file_is_longer_than_500_lines),
        cmocka_unit_test(no_function_is_longer_than_60_lines),
        cmocka_unit_test(functions_are_measured_from_signature_to_brace),
    };
    return cmocka_run_group_tests_name("house_size", cases, NULL, NULL);
}
