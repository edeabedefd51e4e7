/* bpe_learn: the merges of a text's words (data/text/bpe.h).
 *
 * Each pair knows in which words it stands; a merge visits those words alone.  The most
 * frequent pair comes from a heap whose entries may be out of date: one whose count is no
 * longer the pair's is passed over. */
#include <stdlib.h>

#include "data/file/utf8.h"
#include "data/text/bpe_learn_parts.h"
#include "engine/core/grow.h"

enum { FREQUENCY_LEAST = 2 };

/* ---- the heap: largest count first, of equals the largest strings ---- */

static bool before(const Learner *l, Entry a, Entry b) {
    if (a.count != b.count) return a.count > b.count;
    uint64_t x = l->pairs.pairs[a.pair].key, y = l->pairs.pairs[b.pair].key;
    const StringMap *s = &l->bpe->symbols;
    int order = stringmap_compare(s, x >> 32, y >> 32);
    if (!order) order = stringmap_compare(s, (uint32_t)x, (uint32_t)y);
    return order > 0;
}

static void heap_push(Learner *l, size_t pair) {
    Entry entry = {l->pairs.pairs[pair].count, pair};
    if (entry.count < FREQUENCY_LEAST) return;
    GROW(l->heap, l->heap_count, l->heap_room, 1);
    size_t i = l->heap_count++;
    for (; i && before(l, entry, l->heap[(i - 1) / 2]); i = (i - 1) / 2)
        l->heap[i] = l->heap[(i - 1) / 2];
    l->heap[i] = entry;
}

static Entry heap_pop(Learner *l) {
    Entry top = l->heap[0], last = l->heap[--l->heap_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < l->heap_count; i = child) {
        if (child + 1 < l->heap_count && before(l, l->heap[child + 1], l->heap[child]))
            child++;
        if (!before(l, l->heap[child], last)) break;
        l->heap[i] = l->heap[child];
    }
    l->heap[i] = last;
    return top;
}

/* ---- pairs of a word ---- */

static void count_pairs(Learner *l, uint32_t number, bool less) {
    const Word *w = &l->words[number];
    int64_t times = less ? -w->times : w->times;
    for (size_t i = 0; i + 1 < w->count; i++)
        pair_move(l, w->symbols[i], w->symbols[i + 1], times, number);
}

static void merge(Learner *l, size_t pair) {
    uint64_t key = l->pairs.pairs[pair].key;
    uint32_t a = (uint32_t)(key >> 32), b = (uint32_t)key;
    uint32_t merged = bpe_add_merge(l->bpe, a, b);
    IndexList places = l->places[pair];
    l->places[pair] = (IndexList){0};
    l->merge++;
    l->moved.count = 0;
    bool *there = spaces_take(l, pair, &places);
    for (size_t i = 0; i < places.count; i++) {
        Word *w = &l->words[places.items[i]];
        if (w->spaces) {
            if (there[i]) spaces_merge(l, places.items[i], a, b, merged);
            continue;
        }
        count_pairs(l, places.items[i], true);
        w->count = bpe_merge(w->symbols, w->count, a, b, merged);
        count_pairs(l, places.items[i], false);
    }
    mem_free(there);
    mem_free(places.items);
    l->pairs.pairs[pair].count = 0;
    for (size_t i = 0; i < l->moved.count; i++) heap_push(l, l->moved.items[i]);
}

/* ---- the whole ---- */

static bool has_space(const char *word, size_t length) {
    size_t at = 0, first;
    return utf8_word(word, length, &at, &first) ? first < length : length > 0;
}

static void take_words(Learner *l, const StringMap *words) {
    size_t used = 0;
    l->slab = mem_alloc(MAX(words->text.length, (size_t)1) * sizeof *l->slab);
    l->words = mem_alloc(MAX(words->count, (size_t)1) * sizeof *l->words);
    l->word_count = words->count;
    for (size_t i = 0; i < words->count; i++) {
        size_t length;
        const char *text = stringmap_text(words, i, &length);
        Word *w = &l->words[i];
        w->symbols = l->slab + used;
        w->times = (int64_t)words->count_of[i];
        w->spaces = has_space(text, length);
        w->count = bpe_symbols(&l->bpe->symbols, text, length, w->symbols);
        used += w->count;
    }
    for (size_t i = 0; i < words->count; i++)
        if (l->words[i].spaces) spaces_count(l, (uint32_t)i);
        else count_pairs(l, (uint32_t)i, false);
    for (size_t i = 0; i < l->pairs.count; i++) heap_push(l, i);
}

static void release(Learner *l) {
    for (size_t i = 0; i < l->places_count; i++) mem_free(l->places[i].items);
    mem_free(l->places);
    mem_free(l->words);
    mem_free(l->slab);
    mem_free(l->heap);
    mem_free(l->moved.items);
    pairmap_free(&l->pairs);
    pairmap_free(&l->held);
}

Bpe *bpe_learn(const StringMap *words, size_t merges) {
    Learner l = {.bpe = mem_zalloc(sizeof(Bpe))};
    take_words(&l, words);
    while (l.merge < merges && l.heap_count) {
        Entry top = heap_pop(&l);
        if (l.pairs.pairs[top.pair].count == top.count) merge(&l, top.pair);
    }
    release(&l);
    return l.bpe;
}
