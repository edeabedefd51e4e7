/* The rules of docs/architecture.md that object files show: no circle among files, no
 * variables that outlive a call, and a library that neither ends the process nor prints
 * nor reads the environment. */
#include <errno.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/core/base.h"
#include "engine/kern/level.h"
#include "tree.h"

enum { TEXT_SIZE = 600, FILES_MOST = 1000, SYMBOLS_MOST = 60000 };

/* Variables that must outlive a call, with the file: what a signal's handler writes, and
 * what belongs to a thread because what reads it is too deep for an argument. */
static const char *const VARIABLES[][2] = {
    {"tools/program/stop", "answer"},
    {"tools/program/stop", "asked"},
    {"tools/program/stop", "farewell"},
    {"tools/program/stop", "patient_until"},
    {"tools/watch/terminal_curses", "asked"},
    {"tools/watch/terminal_curses", "before"},
    {"tools/watch/terminal_curses", "restore"},
    {"engine/core/trap", "innermost"},
    {"tools/program/say", "listening"},
    {"engine/kern/level", "in_use"}, /* which processor this is, found before main */
};

/* What the library calls only where CHECK and lack of memory end (ENDS). */
static const char *const PROGRAMS_OWN[] = {
    "exit",          "_exit",  "quick_exit", "abort",        "getenv",
    "secure_getenv", "stdout", "stderr",     "printf",       "puts",
    "putchar",       "perror", "vprintf",    "__printf_chk",
};
static const char *const ENDS[] = {"engine/core/base", "engine/core/memory"};
static const char *const LIBRARY[] = {"engine/*", "models/*", "data/*",
                                      "tools/library/*"};

typedef struct Symbol {
    char *name;
    size_t file;
    bool variable;
} Symbol;

/* What nm says of the objects, a file being "data/file/bytes". */
typedef struct Objects {
    char build[TEXT_SIZE]; /* "build" of build/test/unit/test_house_objects */
    char *files[FILES_MOST];
    Symbol *defined, *used; /* by name; `used` are of other files or libraries */
    size_t file_count, defined_count, used_count;
} Objects;

static void add_file(void *context, const char *path) {
    Objects *o = context;
    char object[2 * TEXT_SIZE];
    size_t stem = strlen(path) - 2;
    if (strcmp(path + stem, ".c")) return;
    assert_true(o->file_count < FILES_MOST);
    o->files[o->file_count] = strndup(path, stem);
    snprintf(object, sizeof object, "%s/float/%s.o", o->build, o->files[o->file_count]);
    if (access(object, R_OK)) /* there once for each level (engine/kern/level.h)? */
        snprintf(object, sizeof object, "%s/float/%s.%s.o", o->build,
                 o->files[o->file_count], level_name(0));
    if (access(object, R_OK)) fail_msg("%s: no such file; build it with make", object);
    o->file_count++;
}

static size_t file_of(const Objects *o, const char *stem) {
    for (size_t i = 0; i < o->file_count; i++)
        if (!strcmp(o->files[i], stem)) return i;
    return SIZE_MAX;
}

static char *trimmed(char *text) {
    while (*text == ' ') text++;
    size_t length = strcspn(text, " \n");
    text[length] = 0;
    return text;
}

/* Constants that hold addresses are in .data.rel.ro, written once by the loader. */
static bool is_variable(const char *section) {
    static const char *const SECTIONS[] = {".data", ".bss", ".tdata", ".tbss"};
    if (!strncmp(section, ".data.rel.ro", 12)) return false;
    for (size_t i = 0; i < COUNT(SECTIONS); i++)
        if (!strncmp(section, SECTIONS[i], strlen(SECTIONS[i]))) return true;
    return false;
}

/* "build/float/data/ring.o:ring_open |value| T |type|size|line|.text"; the object of a
 * level is engine/kern/tile.avx2.o. */
static void add_symbol(Objects *o, char *line) {
    char *fields[7] = {NULL};
    for (size_t i = 0; i < COUNT(fields) && line; i++) fields[i] = strsep(&line, "|");
    char *name = fields[0] ? strchr(fields[0], ':') : NULL;
    if (!fields[6] || !name) return;
    *name++ = 0;
    char *stem = fields[0] + strlen(o->build) + strlen("/float/");
    stem[strcspn(stem, ".")] = 0;
    char *kind = trimmed(fields[2]), *section = trimmed(fields[6]);
    Symbol symbol = {trimmed(name), file_of(o, stem), false};
    if (symbol.file == SIZE_MAX) return; /* of a source that is gone */
    symbol.variable = is_variable(section);
    bool defined = strchr("TDBRVWC", *kind), used = *kind == 'U';
    if (!defined && !used && !symbol.variable) return;
    assert_true(MAX(o->defined_count, o->used_count) < SYMBOLS_MOST);
    symbol.name = strdup(symbol.name);
    *(used ? &o->used[o->used_count++] : &o->defined[o->defined_count++]) = symbol;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const Symbol *)a)->name, ((const Symbol *)b)->name);
}

static int read_objects(void **state) {
    Objects *o = *state = mem_zalloc(sizeof *o);
    char command[4 * TEXT_SIZE], line[4096];
    const char *here = strstr(program_invocation_name, "/test/");
    assert_non_null(here);
    snprintf(o->build, sizeof o->build, "%.*s", (int)(here - program_invocation_name),
             program_invocation_name);
    tree_each((const char *[]){"engine", "models", "data", "tools", NULL}, add_file, o);
    o->defined = mem_array(SYMBOLS_MOST, sizeof *o->defined);
    o->used = mem_array(SYMBOLS_MOST, sizeof *o->used);
    /* What the archives hold: an older build may have left other objects there. */
    snprintf(command, sizeof command,
             "nm -A -f sysv %s/float/tools/main.o "
             "$(cat %s/libtools.a.objects %s/libsteady.a.objects)",
             o->build, o->build, o->build);
    FILE *nm = popen(command, "r");
    assert_non_null(nm);
    while (fgets(line, sizeof line, nm)) add_symbol(o, line);
    assert_int_equal(pclose(nm), 0);
    qsort(o->defined, o->defined_count, sizeof *o->defined, by_name);
    return 0;
}

static int free_objects(void **state) {
    Objects *o = *state;
    for (size_t i = 0; i < o->file_count; i++) free(o->files[i]);
    for (size_t i = 0; i < o->defined_count; i++) free(o->defined[i].name);
    for (size_t i = 0; i < o->used_count; i++) free(o->used[i].name);
    mem_free(o->defined);
    mem_free(o->used);
    mem_free(o);
    return 0;
}

/* ---- circles ---- */

/* needs[i][j]: the symbol for which file i needs file j, or NULL. */
static void find_needs(const Objects *o, const char **needs) {
    for (size_t i = 0; i < o->used_count; i++) {
        const Symbol *use = &o->used[i];
        const Symbol *there =
            bsearch(use, o->defined, o->defined_count, sizeof *use, by_name);
        if (there && there->file != use->file)
            needs[use->file * o->file_count + there->file] = there->name;
    }
}

static void no_circle_among_files(void **state) {
    const Objects *o = *state;
    size_t n = o->file_count, bad = 0;
    const char **needs = mem_zarray(n * n, sizeof *needs);
    bool *reach = mem_zarray(n * n, sizeof *reach);
    find_needs(o, needs);
    for (size_t i = 0; i < n * n; i++) reach[i] = needs[i] != NULL;
    for (size_t k = 0; k < n; k++) /* Warshall */
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; reach[i * n + k] && j < n; j++)
                reach[i * n + j] |= reach[k * n + j];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            if (!needs[i * n + j] || !reach[j * n + i]) continue;
            print_error("circle: %s.c needs %s of %s.c\n", o->files[i], needs[i * n + j],
                        o->files[j]);
            bad++;
        }
    mem_free(reach);
    mem_free(needs);
    assert_int_equal(bad, 0);
}

/* ---- variables and calls ---- */

/* GCC calls a static variable of a function name.0; names that begin with none of C's
 * letters are what sanitizers and coverage add. */
static bool is_named(const Objects *o, const Symbol *symbol) {
    if (!((*symbol->name | 32) >= 'a' && (*symbol->name | 32) <= 'z')) return true;
    size_t length = strcspn(symbol->name, ".");
    for (size_t i = 0; i < COUNT(VARIABLES); i++)
        if (!strcmp(VARIABLES[i][0], o->files[symbol->file]) &&
            strlen(VARIABLES[i][1]) == length &&
            !strncmp(VARIABLES[i][1], symbol->name, length))
            return true;
    return false;
}

static void no_variable_outlives_a_call(void **state) {
    const Objects *o = *state;
    size_t bad = 0;
    for (size_t i = 0; i < o->defined_count; i++) {
        if (!o->defined[i].variable || is_named(o, &o->defined[i])) continue;
        print_error("%s.c: %s\n", o->files[o->defined[i].file], o->defined[i].name);
        bad++;
    }
    assert_int_equal(bad, 0);
}

static bool is_library(const char *file) {
    for (size_t i = 0; i < COUNT(ENDS); i++)
        if (!strcmp(ENDS[i], file)) return false;
    for (size_t i = 0; i < COUNT(LIBRARY); i++)
        if (!fnmatch(LIBRARY[i], file, 0)) return true;
    return false;
}

static void the_library_neither_exits_nor_prints_nor_reads_the_environment(void **state) {
    const Objects *o = *state;
    size_t bad = 0;
    for (size_t i = 0; i < o->used_count; i++)
        for (size_t k = 0; k < COUNT(PROGRAMS_OWN); k++) {
            const char *file = o->files[o->used[i].file];
            if (strcmp(o->used[i].name, PROGRAMS_OWN[k]) || !is_library(file)) continue;
            print_error("%s.c uses %s\n", file, PROGRAMS_OWN[k]);
            bad++;
        }
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(no_circle_among_files),
        cmocka_unit_test(no_variable_outlives_a_call),
        cmocka_unit_test(the_library_neither_exits_nor_prints_nor_reads_the_environment),
    };
    return cmocka_run_group_tests_name("house_objects", cases, read_objects,
                                       free_objects);
}
