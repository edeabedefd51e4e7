#include "data/file/stringmap.h"

#include <string.h>

#include "engine/core/grow.h"
#include "engine/core/hash.h"

enum { SLOTS_FIRST = 64 };

const char *stringmap_text(const StringMap *map, size_t i, size_t *length) {
    *length = map->start[i + 1] - map->start[i];
    return map->text.text + map->start[i];
}

/* The slot that holds the string, or the free one where it belongs. */
static size_t slot_of(const StringMap *map, const char *text, size_t length) {
    size_t mask = map->slot_count - 1, slot = hash_folded(text, length) & mask, own;
    for (; map->slots[slot]; slot = (slot + 1) & mask) {
        const char *other = stringmap_text(map, map->slots[slot] - 1, &own);
        if (own == length && !memcmp(other, text, length)) break;
    }
    return slot;
}

static void grow_slots(StringMap *map) {
    map->slot_count = map->slot_count ? 2 * map->slot_count : SLOTS_FIRST;
    MEM_DROP(map->slots);
    map->slots = mem_zalloc(map->slot_count * sizeof *map->slots);
    for (size_t i = 0; i < map->count; i++) {
        size_t length;
        const char *text = stringmap_text(map, i, &length);
        map->slots[slot_of(map, text, length)] = (uint32_t)i + 1;
    }
}

size_t stringmap_add(StringMap *map, const char *text, size_t length) {
    if (2 * (map->count + 1) > map->slot_count) grow_slots(map);
    size_t slot = slot_of(map, text, length);
    if (map->slots[slot]) return map->slots[slot] - 1;
    size_t room = map->capacity;
    GROW(map->count_of, map->count, room, 2);
    GROW(map->start, map->count ? map->count + 1 : 0, map->capacity, map->count ? 1 : 2);
    map->count_of[map->count] = 0;
    if (!map->count) map->start[0] = 0;
    text_append(&map->text, text, length);
    map->start[map->count + 1] = map->text.length;
    map->slots[slot] = (uint32_t)++map->count;
    return map->count - 1;
}

size_t stringmap_join(StringMap *map, size_t a, size_t b) {
    TextBuffer text = {0};
    size_t m, n;
    const char *first = stringmap_text(map, a, &m), *second = stringmap_text(map, b, &n);
    text_append(&text, first, m);
    text_append(&text, second, n);
    size_t joined = stringmap_add(map, text.text, text.length);
    text_free(&text);
    return joined;
}

size_t stringmap_count(StringMap *map, const char *text, size_t length, size_t times) {
    size_t i = stringmap_add(map, text, length);
    map->count_of[i] += times;
    return i;
}

size_t stringmap_find(const StringMap *map, const char *text, size_t length) {
    if (!map->slot_count) return SIZE_MAX;
    uint32_t number = map->slots[slot_of(map, text, length)];
    return number ? number - 1 : SIZE_MAX;
}

int stringmap_compare(const StringMap *map, size_t a, size_t b) {
    size_t m, n;
    const char *x = stringmap_text(map, a, &m), *y = stringmap_text(map, b, &n);
    int order = memcmp(x, y, MIN(m, n));
    return order ? order : m < n ? -1 : m > n;
}

void stringmap_free(StringMap *map) {
    mem_free(map->count_of);
    mem_free(map->start);
    mem_free(map->slots);
    text_free(&map->text);
    *map = (StringMap){0};
}
