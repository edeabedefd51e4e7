/* bpe_parts: what learning (data/text/bpe_learn.c) and applying (data/text/bpe.c)
 * share. */
#ifndef STEADY_BPE_PARTS_H
#define STEADY_BPE_PARTS_H

#include "data/text/bpe.h"

/* Two adjacent symbols. */
typedef struct Pair {
    uint64_t key; /* first << 32 | second */
    /* the symbol that they make (learning: the last merge that moved them) */
    uint32_t merged;
    int64_t count; /* learning alone; below 0: see data/text/bpe_learn_spaces.c */
} Pair;

typedef struct PairMap {
    Pair *pairs; /* [count], in the order of their coming */
    size_t count;
    uint32_t *slots; /* [slot_count] number + 1; 0: free */
    size_t slot_count;
} PairMap;

size_t pairmap_add(PairMap *map, uint32_t a, uint32_t b); /* its number, old or new */
size_t pairmap_find(const PairMap *map, uint32_t a, uint32_t b); /* SIZE_MAX: not there */
void pairmap_free(PairMap *map);

struct Bpe {
    StringMap symbols;
    PairMap merges; /* in the order in which they are made */
};

/* The symbols of a word, out [length]; returns how many. */
size_t bpe_symbols(StringMap *symbols, const char *word, size_t length, uint32_t *out);

/* All a b of a word become `merged`, from left to right; returns the new count. */
size_t bpe_merge(uint32_t *word, size_t count, uint32_t a, uint32_t b, uint32_t merged);

/* Returns the symbol that they become. */
uint32_t bpe_add_merge(Bpe *bpe, uint32_t a, uint32_t b);

#endif
