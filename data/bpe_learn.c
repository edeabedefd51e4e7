/* bpe_learn: the merges of a text's words (data/bpe.h).
 *
 * Each pair knows in which words it stands; a merge visits those words alone.  The most frequent
 * pair comes from a heap whose entries may be out of date: one whose count is no longer the
 * pair's is passed over. */
#include <stdlib.h>
#include <string.h>

#include "data/bpe_parts.h"

enum { FREQUENCY_LEAST = 2 };

typedef struct Word {
    uint32_t *symbols;
    size_t count, times;
} Word;

/* Words in which a pair has stood. */
typedef struct Places {
    uint32_t *words;
    size_t count, room;
} Places;

typedef struct Entry {
    size_t count, pair;
} Entry;

typedef struct Learner {
    Bpe *bpe;
    Word *words;
    size_t word_count;
    uint32_t *slab; /* memory of all words' symbols */
    PairMap pairs;
    Places *places; /* [places_room] by pair */
    size_t places_room;
    Entry *heap;
    size_t heap_count, heap_room;
} Learner;

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
    if (l->heap_count == l->heap_room) {
        l->heap_room = MAX(2 * l->heap_room, (size_t)1024);
        Entry *longer = mem_alloc(l->heap_room * sizeof *longer);
        if (l->heap_count) memcpy(longer, l->heap, l->heap_count * sizeof *longer);
        mem_free(l->heap);
        l->heap = longer;
    }
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

static void need_places(Learner *l) {
    if (l->pairs.count <= l->places_room) return;
    size_t room = MAX(2 * l->places_room, (size_t)1024);
    Places *longer = mem_zalloc(room * sizeof *longer);
    if (l->places_room) memcpy(longer, l->places, l->places_room * sizeof *longer);
    mem_free(l->places);
    l->places = longer;
    l->places_room = room;
}

static void add_place(Places *p, uint32_t word) {
    if (p->count && p->words[p->count - 1] == word) return;
    if (p->count == p->room) {
        p->room = MAX(2 * p->room, (size_t)4);
        uint32_t *longer = mem_alloc(p->room * sizeof *longer);
        if (p->count) memcpy(longer, p->words, p->count * sizeof *longer);
        mem_free(p->words);
        p->words = longer;
    }
    p->words[p->count++] = word;
}

static void count_pairs(Learner *l, uint32_t number) {
    const Word *w = &l->words[number];
    for (size_t i = 0; i + 1 < w->count; i++) {
        size_t pair = pairmap_add(&l->pairs, w->symbols[i], w->symbols[i + 1]);
        need_places(l);
        l->pairs.pairs[pair].count += w->times;
        add_place(&l->places[pair], number);
    }
}

static void uncount_pairs(Learner *l, const Word *w) {
    for (size_t i = 0; i + 1 < w->count; i++) {
        size_t pair = pairmap_find(&l->pairs, w->symbols[i], w->symbols[i + 1]);
        l->pairs.pairs[pair].count -= w->times;
    }
}

static void push_pairs(Learner *l, const Word *w) {
    for (size_t i = 0; i + 1 < w->count; i++)
        heap_push(l, pairmap_find(&l->pairs, w->symbols[i], w->symbols[i + 1]));
}

static void merge(Learner *l, size_t pair) {
    uint64_t key = l->pairs.pairs[pair].key;
    uint32_t a = (uint32_t)(key >> 32), b = (uint32_t)key;
    bpe_add_merge(l->bpe, a, b);
    uint32_t merged = l->bpe->merges.pairs[l->bpe->merges.count - 1].merged;
    Places places = l->places[pair];
    l->places[pair] = (Places){0};
    for (size_t i = 0; i < places.count; i++) {
        Word *w = &l->words[places.words[i]];
        uncount_pairs(l, w);
        push_pairs(l, w); /* counts have fallen: what the heap has is out of date */
        w->count = bpe_merge(w->symbols, w->count, a, b, merged);
        count_pairs(l, places.words[i]);
        push_pairs(l, w);
    }
    mem_free(places.words);
    l->pairs.pairs[pair].count = 0;
}

/* ---- the whole ---- */

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
        w->times = words->count_of[i];
        w->count = bpe_symbols(&l->bpe->symbols, text, length, w->symbols);
        used += w->count;
    }
    for (size_t i = 0; i < words->count; i++) count_pairs(l, (uint32_t)i);
    for (size_t i = 0; i < l->pairs.count; i++) heap_push(l, i);
}

static void release(Learner *l) {
    for (size_t i = 0; i < l->places_room; i++) mem_free(l->places[i].words);
    mem_free(l->places);
    mem_free(l->words);
    mem_free(l->slab);
    mem_free(l->heap);
    pairmap_free(&l->pairs);
}

Bpe *bpe_learn(const StringMap *words, size_t merges) {
    Learner l = {.bpe = mem_zalloc(sizeof(Bpe))};
    take_words(&l, words);
    while (l.bpe->merges.count < merges && l.heap_count) {
        Entry top = heap_pop(&l);
        if (l.pairs.pairs[top.pair].count == top.count) merge(&l, top.pair);
    }
    release(&l);
    return l.bpe;
}
