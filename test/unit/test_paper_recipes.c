/* Recipes after the paper against the paper's values (test/golden/paper_recipes.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/recipe/keys.h"

enum { LINE = 400, SECTIONS = 100, LINES = 500 };

/* ---- the table ---- */

typedef struct Wanted {
    const Key *key;
    char value[LINE]; /* "" in the section of what is free */
    size_t section, line;
} Wanted;

typedef struct Table {
    char patterns[SECTIONS][LINE];
    size_t sections;
    Wanted wanted[LINES];
    size_t count;
} Table;

static const char FREE[] = "-";

static void trim(char *text) {
    size_t length = strlen(text), from = strspn(text, " ");
    while (length && isspace((unsigned char)text[length - 1])) text[--length] = 0;
    if (from < length) memmove(text, text + from, length - from + 1);
}

static void read_line(Table *table, char *line, size_t number) {
    trim(line);
    char *end = strchr(line, ']'), *equals = strchr(line, '=');
    if (!*line || *line == '#') return;
    if (*line == '[') {
        assert_non_null(end);
        *end = 0;
        assert_true(table->sections < SECTIONS);
        text_format(table->patterns[table->sections++], LINE, "%s", line + 1);
        return;
    }
    assert_true(table->count < LINES && table->sections);
    Wanted *w = &table->wanted[table->count++];
    if (equals) *equals = 0;
    trim(line);
    w->key = key_find(line);
    if (!w->key) fail_msg("line %zu: no key %s", number, line);
    if (equals) text_format(w->value, LINE, "%s", equals + 1);
    trim(w->value);
    w->section = table->sections - 1;
    w->line = number;
}

static Table *read_table(void) {
    FILE *file = fopen("test/golden/paper_recipes.txt", "r");
    assert_non_null(file);
    Table *table = calloc(1, sizeof *table);
    char line[LINE];
    for (size_t number = 1; fgets(line, sizeof line, file); number++)
        read_line(table, line, number);
    fclose(file);
    return table;
}

static bool matches(const char *patterns, const char *name) {
    char copy[LINE], *rest = copy;
    bool match = false;
    text_format(copy, sizeof copy, "%s", patterns);
    for (char *pattern; (pattern = strsep(&rest, " "));) {
        if (*pattern == '!' && !fnmatch(pattern + 1, name, 0)) return false;
        match |= !fnmatch(pattern, name, 0);
    }
    return match;
}

/* ---- values ---- */

/* "4096 * 8 / 2", from the left; *end behind it. */
static double product(const char *text, const char **end) {
    char *rest;
    double value = strtod(text, &rest);
    for (;;) {
        const char *sign = rest + strspn(rest, " ");
        if (*sign != '*' && *sign != '/') break;
        double next = strtod(sign + 1, &rest);
        value = *sign == '*' ? value * next : value / next;
    }
    *end = rest + strspn(rest, " ");
    return value;
}

static bool same_numbers(const char *wanted, const char *is) {
    for (;;) {
        double a = product(wanted, &wanted), b = product(is, &is);
        if (!(fabs(a - b) <= 1e-9 * fabs(a)) || *wanted != *is) return false;
        if (!*wanted) return true;
        wanted++, is++;
    }
}

static bool same(const Key *key, const char *wanted, const char *is) {
    bool text = key->type == KEY_TEXT || key->type == KEY_CHOICE || key->type == KEY_FLAG;
    return !strcmp(wanted, is) ||
           (!text && isdigit((unsigned char)*wanted) && isdigit((unsigned char)*is) &&
            same_numbers(wanted, is));
}

static Recipe load(const char *name) {
    Recipe recipe = recipe_default();
    Err err = ERR_NONE;
    if (recipe_load(&recipe, name, &err)) fail_msg("%s", err.text);
    return recipe;
}

static bool is_of_the_paper(const char *name) {
    static const char *const STARTS[] = {"vit-", "wmt17-", "wikitext103-", "librispeech"};
    for (size_t i = 0; i < COUNT(STARTS); i++)
        if (!strncmp(name, STARTS[i], strlen(STARTS[i]))) return true;
    return false;
}

/* ---- tests ---- */

static void each_recipe_has_the_papers_values(void **state) {
    (void)state;
    Table *table = read_table();
    size_t checked = 0, wrong = 0;
    for (size_t i = 0; i < recipe_builtin_count(); i++) {
        const char *name = recipe_builtin_name(i);
        Recipe recipe = load(name);
        for (size_t k = 0; k < table->count; k++) {
            const Wanted *w = &table->wanted[k];
            char value[KEY_VALUE_MAX];
            if (!*w->value || !matches(table->patterns[w->section], name)) continue;
            key_print(w->key, &recipe, value, sizeof value);
            checked++;
            if (same(w->key, w->value, value)) continue;
            print_error("%s: %s.%s is %s, the paper has %s (line %zu)\n", name,
                        w->key->section, w->key->name, value, w->value, w->line);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    assert_true(checked > 1500);
    free(table);
}

/* No key of a recipe is without a value of the paper, but for those that are free. */
static void every_key_of_a_recipe_is_in_the_table(void **state) {
    (void)state;
    Table *table = read_table();
    size_t missing = 0;
    for (size_t i = 0; i < recipe_builtin_count(); i++) {
        const char *name = recipe_builtin_name(i);
        if (!is_of_the_paper(name)) continue;
        Recipe recipe = load(name);
        for (const Key *key = keys; key < keys + keys_count; key++) {
            bool known = !keyset_has(recipe.given, key);
            for (size_t k = 0; k < table->count && !known; k++) {
                const char *patterns = table->patterns[table->wanted[k].section];
                known = table->wanted[k].key == key &&
                        (!strcmp(patterns, FREE) || matches(patterns, name));
            }
            if (known) continue;
            print_error("%s: %s.%s\n", name, key->section, key->name);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
    free(table);
}

static void every_pattern_has_a_recipe(void **state) {
    (void)state;
    Table *table = read_table();
    for (size_t s = 0; s < table->sections; s++) {
        char copy[LINE], *rest = copy;
        text_format(copy, sizeof copy, "%s", table->patterns[s]);
        for (char *pattern; (pattern = strsep(&rest, " "));) {
            bool found = !strcmp(pattern, FREE);
            for (size_t i = 0; i < recipe_builtin_count() && !found; i++)
                found = !fnmatch(pattern + (*pattern == '!'), recipe_builtin_name(i), 0);
            if (!found) fail_msg("no recipe is %s", pattern);
        }
    }
    free(table);
}

static size_t count_names(const char *pattern) {
    size_t count = 0;
    for (size_t i = 0; i < recipe_builtin_count(); i++)
        count += !fnmatch(pattern, recipe_builtin_name(i), 0);
    return count;
}

static void the_papers_experiments_are_there(void **state) {
    (void)state;
    assert_int_equal(count_names("vit-*"), 10);          /* Tables 1, 13, 14 */
    assert_int_equal(count_names("wmt17-*"), 4 * 3 * 2); /* Table 10 */
    assert_int_equal(count_names("wikitext103-*"), 3);   /* Table 12 */
    assert_int_equal(count_names("librispeech100-*") - count_names("*-72l-*"),
                     8 * 2);                              /* Tables 7, 8 */
    assert_int_equal(count_names("*-72l-*"), 4);          /* Figure 14 */
    assert_int_equal(count_names("librispeech960-*"), 8); /* Table 9 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_recipe_has_the_papers_values),
        cmocka_unit_test(every_key_of_a_recipe_is_in_the_table),
        cmocka_unit_test(every_pattern_has_a_recipe),
        cmocka_unit_test(the_papers_experiments_are_there),
    };
    return cmocka_run_group_tests_name("recipes of the paper", tests, NULL, NULL);
}
