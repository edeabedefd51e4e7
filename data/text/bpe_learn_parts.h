/* bpe_learn_parts: what learning from words (data/text/bpe_learn.c) and from words with
 * white space in them (data/text/bpe_learn_spaces.c) share: counts of pairs
 * (data/text/bpe_learn_pairs.c). */
#ifndef STEADY_BPE_LEARN_PARTS_H
#define STEADY_BPE_LEARN_PARTS_H

#include "data/text/bpe_parts.h"

typedef struct Word {
    uint32_t *symbols;
    size_t count;
    int64_t times;
    bool spaces; /* there is white space in it, such as U+00A0 */
} Word;

typedef struct IndexList {
    uint32_t *items;
    size_t count, room;
} IndexList;

typedef struct Entry {
    int64_t count;
    size_t pair;
} Entry;

typedef struct Learner {
    Bpe *bpe;
    Word *words;
    size_t word_count;
    uint32_t *slab; /* memory of all words' symbols */
    PairMap pairs;
    IndexList *places; /* [places_count] by pair: words in which it has occurred */
    size_t places_count, places_room;
    PairMap held; /* (pair, word with white space): how often it occurs there */
    Entry *heap;
    size_t heap_count, heap_room;
    uint32_t merge;  /* number of the present one, from 1 */
    IndexList moved; /* pairs whose counts it has changed */
} Learner;

/* The pair's number; its count changes by `times` in word `number`, which is
 * one of its places. */
size_t pair_move(Learner *l, uint32_t a, uint32_t b, int64_t times, uint32_t number);

/* ---- words with white space ---- */

void spaces_count(Learner *l, uint32_t number);
/* Of the pair's places, those words where it occurs now: [places->count],
 * and nothing is held. */
bool *spaces_take(Learner *l, size_t pair, const IndexList *places);
void spaces_merge(Learner *l, uint32_t number, uint32_t a, uint32_t b, uint32_t merged);

#endif
