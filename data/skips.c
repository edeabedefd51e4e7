#include "data/skips.h"

#include <stdlib.h>
#include <string.h>

#include "engine/core/grow.h"

void skips_begin(Skips *skips, size_t items) {
    skips_end(skips);
    *skips = (Skips){.met = mem_zalloc(MAX(items, (size_t)1)), .items = items};
}

void skips_end(Skips *skips) {
    mem_free(skips->met);
    *skips = (Skips){0};
}

bool skips_see(Skips *skips, size_t item) {
    if (item >= skips->items || skips->met[item]) return false;
    skips->met[item] = true;
    skips->count++;
    return true;
}

char *skips_text(const Skips *skips) {
    enum { DIGITS = 21 };
    size_t room = skips->count * DIGITS + 1, used = 0;
    char *text = mem_zalloc(room);
    for (size_t i = 0; i < skips->items; i++) {
        if (!skips->met[i]) continue;
        text_format(text + used, room - used, "%s%zu", used ? " " : "", i);
        used += strlen(text + used);
    }
    return text;
}

void skips_read(Skips *skips, const char *text) {
    if (!skips->met) return;
    memset(skips->met, 0, skips->items);
    skips->count = 0;
    while (text && *text) {
        char *end;
        unsigned long long item = strtoull(text, &end, 10);
        if (end == text) return;
        if (item < skips->items) skips_see(skips, (size_t)item);
        text = *end == ' ' ? end + 1 : end;
    }
}

/* ---- lists ---- */

void skiplist_add(SkipList *list, size_t item, const char *text) {
    if (list->count == SKIPS_MOST) return;
    GROW(list->skip, list->count, list->room, 1);
    list->skip[list->count++] = (Skip){item, mem_strdup(text)};
}

void skiplist_cut(SkipList *list, size_t kept) {
    while (list->count > kept) mem_free(list->skip[--list->count].text);
}

void skiplist_move(SkipList *from, SkipList *to) {
    for (size_t k = 0; k < from->count; k++)
        skiplist_add(to, from->skip[k].item, from->skip[k].text);
    skiplist_cut(from, 0);
}

void skiplist_free(SkipList *list) {
    skiplist_cut(list, 0);
    mem_free(list->skip);
    *list = (SkipList){0};
}

size_t skips_see_all(Skips *skips, const SkipList *list, const Skip **first) {
    size_t fresh = 0;
    for (size_t k = 0; k < list->count; k++)
        if (skips_see(skips, list->skip[k].item) && !fresh++) *first = &list->skip[k];
    return fresh;
}

bool skips_are_named(const Skips *skips, size_t fresh) {
    enum { NAMED_MOST = 20, NAMED_EVERY = 100 };
    size_t before = skips->count - MIN(fresh, skips->count);
    return before < NAMED_MOST || before / NAMED_EVERY < skips->count / NAMED_EVERY;
}
