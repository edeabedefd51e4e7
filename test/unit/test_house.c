/* The rules of docs/architecture.md: who may include whom, and who may end the process. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/base.h"

/* folder -> prefixes of what its files may include, besides the system's headers */
static const struct Rule {
    const char *folder;
    const char *allowed[6];
} RULES[] = {
    {"engine/core", {"engine/core/"}},
    {"engine/kern", {"engine/kern/", "engine/core/"}},
    {"engine/op", {"engine/op/", "engine/kern/", "engine/core/"}},
    {"engine/reparam", {"engine/reparam/", "engine/op/", "engine/kern/", "engine/core/"}},
    {"engine/optim", {"engine/optim/", "engine/op/", "engine/kern/", "engine/core/"}},
    {"engine/dist", {"engine/dist/", "engine/core/"}},
    {"models", {"models/", "engine/"}},
    {"data", {"data/", "engine/core/", "engine/kern/"}},
};

static bool may_include(const struct Rule *rule, const char *header) {
    for (size_t i = 0; rule->allowed[i]; i++)
        if (!strncmp(header, rule->allowed[i], strlen(rule->allowed[i]))) return true;
    return false;
}

typedef void VisitLine(const struct Rule *rule, const char *path, const char *line);

static size_t each_line(VisitLine *visit) {
    size_t files = 0;
    for (size_t r = 0; r < COUNT(RULES); r++) {
        DIR *folder = opendir(RULES[r].folder);
        if (!folder) continue;
        for (struct dirent *e; (e = readdir(folder));) {
            const char *dot = strrchr(e->d_name, '.');
            if (!dot || (strcmp(dot, ".c") && strcmp(dot, ".h"))) continue;
            char path[600], line[400];
            snprintf(path, sizeof path, "%s/%s", RULES[r].folder, e->d_name);
            FILE *file = fopen(path, "r");
            assert_non_null(file);
            while (fgets(line, sizeof line, file)) visit(&RULES[r], path, line);
            fclose(file);
            files++;
        }
        closedir(folder);
    }
    return files;
}

static void check_include(const struct Rule *rule, const char *path, const char *line) {
    char header[400];
    if (sscanf(line, " # include \"%399[^\"]\"", header) != 1) return;
    if (!may_include(rule, header)) fail_msg("%s includes %s", path, header);
}

static void no_include_points_upward_or_sideways(void **state) {
    (void)state;
    if (each_line(check_include) < 40) fail_msg("run this test from the top folder");
}

static void check_calls(const struct Rule *rule, const char *path, const char *line) {
    (void)rule;
    static const char *const ENDS[] = {" exit(", " _exit(", " abort(", "getenv("};
    if (!strcmp(path, "engine/core/base.c")) return;
    for (size_t i = 0; i < COUNT(ENDS); i++)
        if (strstr(line, ENDS[i])) fail_msg("%s: %s", path, line);
}

static void the_library_neither_exits_nor_reads_the_environment(void **state) {
    (void)state;
    each_line(check_calls);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(no_include_points_upward_or_sideways),
        cmocka_unit_test(the_library_neither_exits_nor_reads_the_environment),
    };
    return cmocka_run_group_tests_name("house", cases, NULL, NULL);
}
