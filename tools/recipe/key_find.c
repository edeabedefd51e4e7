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

/* Is it the beginning of the key's name, such as model.temp?  Of one or two letters that
 * would say little. */
static bool begins_key(const char *text, const char *full) {
    const char *dot = strchr(full, '.');
    return dot && strlen(dot + 1) > 2 && !strncmp(text, full, strlen(full));
}

/* A right name in a wrong section costs one, and so does one that is cut short. */
static size_t key_distance(const Key *key, const char *full) {
    char text[64];
    full_name(key, text, sizeof text);
    const char *dot = strchr(full, '.');
    if (begins_key(text, full)) return 1;
    return MIN(nearest_distance(full, text),
               nearest_distance(dot ? dot + 1 : full, key->name) + 1);
}

const Key *key_nearest_of(const char *full, bool (*among)(const Key *key)) {
    const Key *best = keys;
    size_t least = SIZE_MAX;
    for (const Key *key = keys; key < keys + keys_count; key++) {
        size_t distance = among && !among(key) ? SIZE_MAX : key_distance(key, full);
        if (distance < least) least = distance, best = key;
    }
    return best;
}

const Key *key_nearest(const char *full) { return key_nearest_of(full, NULL); }

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
