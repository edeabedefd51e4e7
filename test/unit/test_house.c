/* The rules of docs/architecture.md for folders: who may include whom. */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/base.h"
#include "tree.h"

enum { TEXT_SIZE = 600 };

/* Below the tasks, and above everything that they share. */
#define ENGINE "engine/*"
#define DATA "data", "data/*"
#define RUN "tools/run", "tools/recipe", "tools/program", "models", DATA, ENGINE
#define ALL "tools", "tools/*", "models", DATA, ENGINE

/* Folder -> the other folders that its files may include; patterns as the shell has them.
 * The first that fits holds; a folder that none fits is an error. */
/* clang-format off */
static const struct Rule {
    const char *folder, *allowed[12];
} RULES[] = {
    {"engine/core",     {NULL}},
    {"engine/kern",     {"engine/core"}},
    {"engine/op",       {"engine/dist", "engine/kern", "engine/core"}},
    {"engine/reparam",  {"engine/op", "engine/kern", "engine/core"}},
    {"engine/optim",    {"engine/op", "engine/kern", "engine/core"}},
    {"engine/dist",     {"engine/core"}},
    {"models",          {ENGINE}},
    {"data",            {"engine/core", "engine/kern"}},
    {"data/file",       {"data", "engine/core"}},
    {"data/picture",    {"data", "data/file", "engine/core", "engine/kern"}},
    {"data/text",       {"data", "data/file", "engine/core"}},
    {"data/speech",     {"data", "data/file", "engine/core", "engine/kern"}},
    {"tools/program",   {"data", "data/file", ENGINE}},
    {"tools/chart",     {"data", "data/file", "data/picture", "engine/core"}},
    {"tools/recipe",    {"tools/program", "models", DATA, ENGINE}},
    {"tools/run",       {"tools/recipe", "tools/program", "models", DATA, ENGINE}},
    {"tools/figure",    {"tools/chart", "tools/run", "tools/recipe", "tools/program", DATA,
                         ENGINE}},
    {"tools/watch",     {"tools/run", "tools/recipe", "tools/program", DATA, ENGINE}},
    {"tools/task",      {RUN}},
    {"tools/task/*",    {"tools/task", RUN}},
    {"tools/train",     {"tools/probe", "tools/task", RUN}},
    {"tools/sweep",     {"tools/figure", "tools/chart", "tools/run", "tools/recipe",
                         "tools/program", DATA, ENGINE}},
    {"tools/probe",     {"tools/task", "tools/figure", "tools/chart", RUN}},
    {"tools/bench",     {"tools/chart", "tools/task", RUN}},
    {"tools/command",   {ALL}},
    {"tools/library",   {"include", ALL}},
    {"tools",           {ALL}},
    {"include",         {NULL}},
    {"examples",        {"include"}},
};
/* clang-format on */

static const struct Rule *rule_of(const char *folder) {
    for (size_t i = 0; i < COUNT(RULES); i++)
        if (!fnmatch(RULES[i].folder, folder, 0)) return &RULES[i];
    return NULL;
}

static bool may_include(const char *folder, const char *header) {
    char other[TEXT_SIZE];
    tree_folder(strcmp(header, "steady.h") ? header : "include/steady.h", other,
                sizeof other);
    const struct Rule *rule = rule_of(folder);
    bool allowed = !strcmp(folder, other);
    for (size_t i = 0; rule->allowed[i]; i++)
        allowed |= !fnmatch(rule->allowed[i], other, 0);
    return allowed;
}

static void check_file(void *bad, const char *path) {
    char folder[TEXT_SIZE], line[TEXT_SIZE], header[TEXT_SIZE];
    tree_folder(path, folder, sizeof folder);
    if (!rule_of(folder)) {
        print_error("%s: no rule for this folder; add it to RULES\n", path);
        ++*(size_t *)bad;
        return;
    }
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, " # include \"%599[^\"]\"", header) != 1) continue;
        if (may_include(folder, header)) continue;
        print_error("%s includes %s\n", path, header);
        ++*(size_t *)bad;
    }
    fclose(file);
}

static void no_include_points_upward_or_sideways(void **state) {
    (void)state;
    size_t bad = 0;
    tree_each((const char *[]){"engine", "models", "data", "tools", "include", "examples",
                               NULL},
              check_file, &bad);
    assert_int_equal(bad, 0);
}

static void rules_hold_for_the_folder_alone(void **state) {
    (void)state;
    assert_true(may_include("engine/op", "engine/kern/rows.h"));
    assert_true(may_include("tools/task/pictures", "tools/task/task.h"));
    assert_true(may_include("examples", "steady.h"));
    assert_false(may_include("examples", "engine/core/base.h"));
    assert_false(may_include("engine/kern", "engine/op/op.h"));
    assert_false(may_include("data", "data/file/bytes.h"));
    assert_false(may_include("tools/run", "tools/task/task.h"));
    assert_false(may_include("tools/task", "tools/commands.h"));
    assert_false(may_include("tools/task", "tools/task/pictures/pictures.h"));
    assert_false(may_include("tools/task/pictures", "tools/task/texts/texts.h"));
    assert_null(rule_of("tools/misc"));
    assert_null(rule_of("data/picture/more"));
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(no_include_points_upward_or_sideways),
        cmocka_unit_test(rules_hold_for_the_folder_alone),
    };
    return cmocka_run_group_tests_name("house", cases, NULL, NULL);
}
