#include "tools/recipe/recipe.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "tools/program/nearest.h"
#include "tools/recipe/builtin.h"
#include "tools/recipe/inifile.h"
#include "tools/recipe/intervene.h"
#include "tools/recipe/keys.h"
#include "tools/recipe/stray.h"

/* ---- one key ---- */

static const char INTERVENE[] = "intervene.";

/* A name of [intervene] without the section; NULL: of another. */
static const char *name_in_intervene(const char *full) {
    size_t length = sizeof INTERVENE - 1;
    return strncmp(full, INTERVENE, length) ? NULL : full + length;
}

static Status unknown_key(const char *full, Err *err) {
    char hint[NEAREST_HINT];
    return err_set(err, FAIL_USAGE, "unknown key %.80s%s", full, key_hint(full, hint));
}

static Status give_value(Recipe *recipe, const Key *key, const char *value, Err *err) {
    Status status = key_parse(key, recipe, value, err);
    if (!status) keyset_add(recipe->given, key);
    return status;
}

/* A name of [intervene]; *row: the key that it is a part of. */
static Status give_change(Recipe *recipe, const char *name, const char *value,
                          const Key **row, Err *err) {
    size_t group = 0;
    *row = key_find_in("intervene", name);
    if (!*row && (intervene_find(name, &group) || intervene_is_old(name)))
        *row = intervene_changes_key(group);
    if (intervene_give(recipe, name, value, err)) return FAIL_USAGE;
    keyset_add(recipe->given, *row);
    return OK;
}

Recipe recipe_default(void) {
    Recipe recipe;
    memset(&recipe, 0, sizeof recipe);
    for (const Key *key = keys; key < keys + keys_count; key++) {
        Err err = ERR_NONE;
        CHECK(!key_parse(key, &recipe, key->standard, &err), "default: %s", err.text);
    }
    return recipe;
}

Status recipe_get(const Recipe *recipe, const char *key, char *value, size_t size,
                  Err *err) {
    const Key *found = key_find(key);
    const char *name = name_in_intervene(key);
    if (!found && name) return intervene_value(recipe, name, value, size, err);
    if (!found) return unknown_key(key, err);
    if (!key_is_stored(found))
        return err_set(err, FAIL_USAGE, "%s has no value in this version", key);
    char text[KEY_VALUE_MAX];
    key_print(found, recipe, text, sizeof text);
    if (strlen(text) >= size)
        return err_set(err, FAIL_USAGE,
                       "the value of %s takes %zu bytes with its final 0; size = %zu",
                       key, strlen(text) + 1, size);
    text_format(value, size, "%s", text);
    return OK;
}

/* ---- files ---- */

enum { CHANGED_MAX = 64 };

typedef struct Reading {
    Recipe *recipe;
    bool own;                       /* the file is the user's */
    size_t given[RECIPE_BITS * 64]; /* line of each key, 0: not yet */
    /* of [intervene]: keys that change, and in which lines */
    struct {
        const Key *key;
        size_t group, line;
    } changed[CHANGED_MAX];
    size_t changed_count;
} Reading;

static Status read_section(void *user, const char *section, Err *err) {
    (void)user;
    for (const char *const *name = key_sections; *name; name++)
        if (strcmp(section, *name) == 0) return OK;
    const char *near = nearest_word(section, key_sections);
    return err_set(err, FAIL_USAGE, "unknown section [%.60s]; %s%s%s", section,
                   near ? "did you mean [" : "`steady train --help-keys` lists them",
                   near ? near : "", near ? "]?" : "");
}

/* The keys that a line of [intervene] changes must not have been changed by another. */
static Status see_changes(Reading *r, size_t group, const Key *key, size_t line,
                          Err *err) {
    for (size_t i = 0; i < r->changed_count; i++)
        if (r->changed[i].key == key && r->changed[i].group == group)
            return err_set(err, FAIL_USAGE,
                           "%s.%s already changes at intervene.%s, in line %zu; keep "
                           "one of the two",
                           key->section, key->name, intervene_at_key(group)->name,
                           r->changed[i].line);
    if (r->changed_count == CHANGED_MAX)
        return err_set(err, FAIL_USAGE, "more than %d changes", CHANGED_MAX);
    r->changed[r->changed_count].key = key;
    r->changed[r->changed_count].group = group;
    r->changed[r->changed_count++].line = line;
    return OK;
}

static Status see_list(Reading *r, size_t group, const char *list, size_t line,
                       Err *err) {
    Change change;
    while (intervene_next(&list, &change))
        if (see_changes(r, group, change.key, line, err)) return err->status;
    return OK;
}

static Status read_change(Reading *r, const char *name, const char *value, size_t line,
                          Err *err) {
    const Key *row, *key;
    size_t group;
    if (give_change(r->recipe, name, value, &row, err)) return err->status;
    if (r->own) keyset_add(r->recipe->own, row);
    if ((key = intervene_find(name, &group)))
        return see_changes(r, group, key, line, err);
    for (group = 0; group < INTERVENE_GROUPS; group++)
        if (row == intervene_changes_key(group) && !strcmp(name, row->name))
            return see_list(r, group, value, line, err);
    return OK;
}

static Status read_value(void *user, const char *section, const char *name,
                         const char *value, size_t line, Err *err) {
    Reading *reading = user;
    const Key *key = key_find_in(section, name);
    bool intervenes = !strcmp(section, "intervene");
    if (!key && intervenes) return read_change(reading, name, value, line, err);
    if (!key) {
        char full[INIFILE_LINE_MAX + 64];
        text_format(full, sizeof full, "%s.%s", section, name);
        return unknown_key(full, err);
    }
    size_t *given = &reading->given[key - keys];
    if (*given)
        return err_set(err, FAIL_USAGE,
                       "%s.%s is already set in line %zu; keep one of the two", section,
                       name, *given);
    *given = line;
    if (reading->own) keyset_add(reading->recipe->own, key);
    if (intervenes) return read_change(reading, name, value, line, err);
    return give_value(reading->recipe, key, value, err);
}

static const IniCalls calls = {read_section, read_value};

/* "dir/my.ini" -> "my", cut to what fits. */
static void set_name(Recipe *recipe, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t length = strlen(base);
    if (length > 4 && strcmp(base + length - 4, ".ini") == 0) length -= 4;
    length = MIN(length, sizeof recipe->name - 1);
    text_format(recipe->name, sizeof recipe->name, "%.*s", (int)length, base);
}

static Status load_file(Recipe *recipe, const char *path, const char *root, bool own,
                        Err *err) {
    Recipe draft = *recipe;
    Reading reading = {.recipe = &draft, .own = own};
    Status status = inifile_load(path, root, &calls, &reading, err);
    if (status) return status;
    set_name(&draft, path);
    *recipe = draft;
    return OK;
}

Status recipe_load_file(Recipe *recipe, const char *path, const char *root, Err *err) {
    return load_file(recipe, path, root, false, err);
}

static Status read_text(Recipe *recipe, const char *label, const char *text, bool own,
                        Err *err) {
    Recipe draft = *recipe;
    Reading reading = {.recipe = &draft, .own = own};
    Status status = inifile_parse(label, text, strlen(text), &calls, &reading, err);
    if (status) return status;
    *recipe = draft;
    return OK;
}

Status recipe_read(Recipe *recipe, const char *label, const char *text, Err *err) {
    return read_text(recipe, label, text, true, err);
}

static Status load_builtin(Recipe *recipe, const char *name, const char *text, Err *err) {
    char label[100];
    text_format(label, sizeof label, "built-in recipe %s", name);
    Status status = read_text(recipe, label, text, false, err);
    if (status) return status;
    set_name(recipe, name);
    return OK;
}

static bool looks_like_file(const char *name) {
    size_t length = strlen(name);
    return strchr(name, '/') || (length > 4 && strcmp(name + length - 4, ".ini") == 0);
}

/* A file that the user names. */
static Status load_own(Recipe *recipe, const char *name, Err *err) {
    if (stray_check(name, err)) return FAIL_USAGE;
    Status status = load_file(recipe, name, NULL, true, err);
    return status ? stray_file(name, err) : OK;
}

Status recipe_load(Recipe *recipe, const char *name, Err *err) {
    if (looks_like_file(name)) return load_own(recipe, name, err);
    const char *text = recipe_builtin_text(name);
    if (text) return load_builtin(recipe, name, text, err);
    if (access(name, F_OK) == 0) return load_own(recipe, name, err);
    const char *same = recipe_builtin_same(name);
    if (same) return load_builtin(recipe, same, recipe_builtin_text(same), err);
    char hint[NEAREST_HINT];
    stray_hint(name, hint, sizeof hint);
    if (*hint)
        return err_set(err, FAIL_USAGE, "unknown recipe or file %.200s%s", name, hint);
    return err_set(err, FAIL_USAGE,
                   "unknown recipe or file %.200s%s `steady recipes` lists all", name,
                   recipe_builtin_hint(name, hint));
}

/* ---- words of the command line ---- */

/* Two ways to say one thing: a word for one takes the place of the file's other. */
static const struct {
    const char *key, *rival;
} rivals[] = {
    {"train.epochs", "train.steps"},
    {"train.steps", "train.epochs"},
    {"schedule.warmup_epochs", "schedule.warmup_steps"},
    {"schedule.warmup_steps", "schedule.warmup_epochs"},
};

static void clear_rival(Recipe *recipe, const Key *key) {
    for (size_t i = 0; i < COUNT(rivals); i++) {
        const Key *rival = key_find(rivals[i].rival);
        if (key_find(rivals[i].key) == key && !keyset_has(recipe->worded, rival))
            key_parse(rival, recipe, "0", NULL);
    }
}

static char *trim(char *text) {
    while (isspace((unsigned char)*text)) text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1])) text[--length] = 0;
    return text;
}

Status recipe_give(Recipe *recipe, const char *name, const char *value, Err *err) {
    const Key *key = key_find(name);
    const char *change = name_in_intervene(name);
    if (!key && !change) return unknown_key(name, err);
    Status status = change ? give_change(recipe, change, value, &key, err)
                           : give_value(recipe, key, value, err);
    if (status) return status;
    keyset_add(recipe->worded, key);
    keyset_add(recipe->own, key);
    if (strcmp(value, "0") != 0) clear_rival(recipe, key);
    return OK;
}

static Status set_word(Recipe *recipe, char *word, Err *err) {
    char *equals = strchr(word, '=');
    if (!equals)
        return err_set(err, FAIL_USAGE, "`%.80s` is not section.key=value", word);
    *equals = 0;
    return recipe_give(recipe, trim(word), trim(equals + 1), err);
}

Status recipe_set(Recipe *recipe, const char *word, Err *err) {
    char *copy = mem_strdup(word);
    Status status = set_word(recipe, copy, err);
    mem_free(copy);
    if (status && err) err_wrap(err, "command line");
    return status;
}

/* ---- writing ---- */

/* Nothing of a section that the task has no keys of. */
static void print_section(const Recipe *recipe, const char *section, FILE *out) {
    const char *gap = section == *key_sections ? "" : "\n";
    bool begun = !strcmp(section, "intervene");
    if (begun) fprintf(out, "%s[%s]\n", gap, section);
    if (begun) return intervene_print(recipe, out);
    for (const Key *key = keys; key < keys + keys_count; key++) {
        if (strcmp(key->section, section) != 0 || !key_applies(key, recipe)) continue;
        char value[KEY_VALUE_MAX];
        if (!begun) fprintf(out, "%s[%s]\n", gap, section);
        begun = true;
        key_print(key, recipe, value, sizeof value);
        fprintf(out, "%s =%s%s\n", key->name, *value ? " " : "", value);
    }
}

void recipe_print(const Recipe *recipe, FILE *out) {
    for (const char *const *section = key_sections; *section; section++)
        print_section(recipe, *section, out);
}

Status recipe_save(const Recipe *recipe, const char *path, const char *root, Err *err) {
    FILE *file = openfile_draft(path, root, err);
    if (!file) return err->status;
    recipe_print(recipe, file);
    bool failed = ferror(file) != 0;
    if ((fclose(file) != 0) | failed)
        return err_set(err, FAIL_RUN, "%.300s was not written: %s", path,
                       strerror(errno));
    return OK;
}

/* ---- built-in recipes ---- */

size_t recipe_builtin_count(void) { return recipes_builtin_count; }

const char *recipe_builtin_name(size_t i) {
    CHECK(i < recipes_builtin_count, "recipe %zu of %zu", i, recipes_builtin_count);
    return recipes_builtin[i].name;
}

const char *recipe_builtin_text(const char *name) {
    for (size_t i = 0; i < recipes_builtin_count; i++)
        if (strcmp(recipes_builtin[i].name, name) == 0) return recipes_builtin[i].text;
    return NULL;
}

const char *recipe_builtin_same(const char *name) {
    for (size_t i = 0; i < recipes_builtin_count; i++)
        if (nearest_same(name, recipes_builtin[i].name)) return recipes_builtin[i].name;
    return NULL;
}

const char *recipe_builtin_hint(const char *name, char hint[NEAREST_HINT]) {
    const char *best = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < recipes_builtin_count; i++) {
        size_t reach = nearest_reach(name, recipes_builtin[i].name);
        if (reach < least) least = reach, best = recipes_builtin[i].name;
    }
    if (!best) text_format(hint, NEAREST_HINT, ";");
    return best ? nearest_hint(best, hint) : hint;
}
