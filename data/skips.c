#include "data/skips.h"

#include <stdlib.h>
#include <string.h>

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
