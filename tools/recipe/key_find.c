/* key_find: keys by name, and sets of keys (tools/recipe/keys.h). */
#include <string.h>

#include "tools/program/nearest.h"
#include "tools/recipe/keys.h"

static void full_name(const Key *key, char *text, size_t size) {
    text_format(text, size, "%s.%s", key->section, key->name);
}

const Key *key_find_in(const char *section, const char *name) {
    for (const Key *key = keys; key < keys + keys_count; key++)
        if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

const Key *key_find(const char *full) {
    const char *dot = strchr(full, '.');
    char section[32];
    if (!dot || (size_t)(dot - full) >= sizeof section) return NULL;
    text_format(section, sizeof section, "%.*s", (int)(dot - full), full);
    return key_find_in(section, dot + 1);
}

/* ---- near ones ---- */

const Key *key_by_alias(const char *name) {
    const char *full = key_of_alias(name);
    return full ? key_find(full) : NULL;
}

static bool is_section(const char *name) {
    for (const char *const *section = key_sections; *section; section++)
        if (!strcmp(*section, name)) return true;
    return false;
}

/* A right name in a wrong section costs one; where there is no dot, a slip of the whole
 * may be the dot.  SIZE_MAX: not near. */
static size_t key_reach(const Key *key, const char *full) {
    char text[64], section[32];
    const char *dot = strchr(full, '.');
    full_name(key, text, sizeof text);
    size_t name = nearest_reach(dot ? dot + 1 : full, key->name);
    if (!dot) return MIN(name, nearest_reach(full, text));
    if (name == SIZE_MAX) return name;
    size_t length = MIN((size_t)(dot - full), sizeof section - 1);
    text_format(section, sizeof section, "%.*s", (int)length, full);
    size_t slips = nearest_distance(section, key->section);
    return name + MIN(slips, is_section(section) ? 1 : slips);
}

const Key *key_near(const char *full, bool (*among)(const Key *key)) {
    const char *dot = strchr(full, '.');
    const Key *best = key_by_alias(dot ? dot + 1 : full);
    if (best && (!among || among(best))) return best;
    best = NULL;
    size_t least = SIZE_MAX;
    for (const Key *key = keys; key < keys + keys_count; key++) {
        size_t reach = among && !among(key) ? SIZE_MAX : key_reach(key, full);
        if (reach < least) least = reach, best = key;
    }
    return best;
}

const char *key_hint(const char *full, char hint[NEAREST_HINT]) {
    char text[64];
    const Key *near = key_near(full, NULL);
    if (near) {
        full_name(near, text, sizeof text);
        return nearest_hint(text, hint);
    }
    text_format(text, sizeof text, "%.*s", (int)MIN(strcspn(full, "."), (size_t)60),
                full);
    bool section = is_section(text);
    text_format(hint, NEAREST_HINT, "; `steady train --help-keys%s%s` lists %s%s%s",
                section ? " " : "", section ? text : "", section ? "those of [" : "all",
                section ? text : "", section ? "]" : "");
    return hint;
}

bool key_is_stored(const Key *key) { return key->tasks; }

bool key_applies(const Key *key, const Recipe *recipe) {
    return task_is(recipe->task, key->tasks);
}

/* ---- sets ---- */

void keyset_add(uint64_t *set, const Key *key) {
    size_t i = (size_t)(key - keys);
    set[i / 64] |= UINT64_C(1) << i % 64;
}

void keyset_remove(uint64_t *set, const Key *key) {
    size_t i = (size_t)(key - keys);
    set[i / 64] &= ~(UINT64_C(1) << i % 64);
}

bool keyset_has(const uint64_t *set, const Key *key) {
    size_t i = (size_t)(key - keys);
    return set[i / 64] >> i % 64 & 1;
}
