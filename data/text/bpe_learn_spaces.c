/* bpe_learn_spaces: learning from words with white space in them, such as
 * "10 km" with U+00A0.
 *
 * subword-nmt replaces a pair by a regular expression for which a symbol ends at white
 * space, also at that within it: the pair "a b" is replaced in the symbols "<U+00A0>a b",
 * too, which become one, while its counts follow equal symbols alone (replace_pair and
 * update_pair_statistics of learn_bpe.py, version 0.3.8).  So that codes are equal, these
 * words are counted and merged as there; all others are counted anew, which is the same
 * for them (data/text/bpe_learn.c). */
#include <string.h>

#include "data/file/utf8.h"
#include "data/text/bpe_learn_parts.h"

static void move(Learner *l, uint32_t number, const uint32_t *at, int sign) {
    size_t pair = pair_move(l, at[0], at[1], sign * l->words[number].times, number);
    size_t held = pairmap_add(&l->held, (uint32_t)pair, number);
    l->held.pairs[held].count += sign;
}

void spaces_count(Learner *l, uint32_t number) {
    const Word *w = &l->words[number];
    for (size_t i = 0; i + 1 < w->count; i++) move(l, number, w->symbols + i, 1);
}

bool *spaces_take(Learner *l, size_t pair, const IndexList *places) {
    bool *there = mem_zalloc(MAX(places->count, (size_t)1) * sizeof *there);
    for (size_t i = 0; i < places->count; i++) {
        size_t held = pairmap_find(&l->held, (uint32_t)pair, places->items[i]);
        if (held == SIZE_MAX) continue;
        there[i] = l->held.pairs[held].count > 0;
        l->held.pairs[held].count = 0;
    }
    return there;
}

/* ---- replacing ---- */

static bool space_before(const char *text, size_t at) {
    uint32_t code;
    if (!at) return true;
    size_t begin = at - 1;
    while (begin && ((unsigned char)text[begin] & 0xC0) == 0x80) begin--;
    return utf8_next(text + begin, at - begin, &code) && utf8_is_space(code);
}

static bool space_behind(const char *text, size_t length) {
    uint32_t code;
    return !length || (utf8_next(text, length, &code) && utf8_is_space(code));
}

/* Does symbol x end with `part`?  *at is where. */
static bool ends_with(const StringMap *s, uint32_t x, uint32_t part, size_t *at) {
    size_t m, n;
    const char *text = stringmap_text(s, x, &m), *end = stringmap_text(s, part, &n);
    if (n > m || memcmp(text + m - n, end, n)) return false;
    *at = m - n;
    return space_before(text, *at);
}

/* Does it begin with `part`, *end bytes long? */
static bool begins_with(const StringMap *s, uint32_t x, uint32_t part, size_t *end) {
    size_t m;
    const char *text = stringmap_text(s, x, &m), *begin = stringmap_text(s, part, end);
    return *end <= m && !memcmp(text, begin, *end) && space_behind(text + *end, m - *end);
}

/* Returns the new count; `used` bytes of the present symbol belong to the match
 * before. */
static size_t replace(StringMap *symbols, uint32_t *word, size_t count, uint32_t a,
                      uint32_t b) {
    size_t kept = 0, used = 0, at, end;
    for (size_t i = 0; i < count; i++) {
        uint32_t present = word[i];
        bool joins = used > 0;
        bool match = i + 1 < count && ends_with(symbols, present, a, &at) && at >= used &&
                     begins_with(symbols, word[i + 1], b, &end);
        if (joins)
            word[kept - 1] = (uint32_t)stringmap_join(symbols, word[kept - 1], present);
        else word[kept++] = present;
        used = match ? end : 0;
    }
    return kept;
}

/* ---- counting ---- */

static void leave(Learner *l, uint32_t number, const uint32_t *old, size_t count,
                  uint32_t a, uint32_t b) {
    for (size_t i = 0; i + 1 < count; i++) {
        if (old[i] != a || old[i + 1] != b) continue;
        if (i) move(l, number, old + i - 1, -1);
        bool next_too = i + 3 < count && old[i + 2] == a && old[i + 3] == b;
        if (i + 2 < count && !next_too) move(l, number, old + i + 1, -1);
        i++;
    }
}

static void enter(Learner *l, uint32_t number, const uint32_t *word, size_t count,
                  uint32_t merged) {
    for (size_t i = 0; i < count; i++) {
        if (word[i] != merged) continue;
        if (i) move(l, number, word + i - 1, 1);
        if (i + 1 < count && word[i + 1] != merged) move(l, number, word + i, 1);
    }
}

void spaces_merge(Learner *l, uint32_t number, uint32_t a, uint32_t b, uint32_t merged) {
    Word *w = &l->words[number];
    size_t count = w->count;
    uint32_t *old = mem_alloc(count * sizeof *old);
    memcpy(old, w->symbols, count * sizeof *old);
    w->count = replace(&l->bpe->symbols, w->symbols, count, a, b);
    leave(l, number, old, count, a, b);
    enter(l, number, w->symbols, w->count, merged);
    mem_free(old);
}
