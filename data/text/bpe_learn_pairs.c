/* bpe_learn_pairs: how often each pair stands in the words, and in which
 * (data/text/bpe_learn.c). */
#include "data/text/bpe_learn_parts.h"
#include "engine/core/grow.h"

static void need_places(Learner *l) {
    if (l->places_count >= l->pairs.count) return;
    GROW(l->places, l->places_count, l->places_room, l->pairs.count - l->places_count);
    while (l->places_count < l->pairs.count)
        l->places[l->places_count++] = (IndexList){0};
}

static void list_add(IndexList *list, uint32_t item) {
    GROW(list->items, list->count, list->room, 1);
    list->items[list->count++] = item;
}

/* Each pair goes to the heap once a merge, with its count after it. */
static void note_moved(Learner *l, size_t pair) {
    if (l->pairs.pairs[pair].merged == l->merge) return;
    l->pairs.pairs[pair].merged = l->merge;
    list_add(&l->moved, (uint32_t)pair);
}

size_t pair_move(Learner *l, uint32_t a, uint32_t b, int64_t times, uint32_t number) {
    size_t pair = pairmap_add(&l->pairs, a, b);
    need_places(l);
    l->pairs.pairs[pair].count += times;
    note_moved(l, pair);
    IndexList *places = &l->places[pair];
    if (times > 0 && (!places->count || places->items[places->count - 1] != number))
        list_add(places, number);
    return pair;
}
