/* bpe_learn_pairs: how often each pair stands in the words, and in which (data/text/bpe_learn.c). */
#include <string.h>

#include "data/text/bpe_learn_parts.h"

static void need_places(Learner *l) {
    if (l->pairs.count <= l->places_room) return;
    size_t room = MAX(2 * l->places_room, (size_t)1024);
    IndexList *longer = mem_zalloc(room * sizeof *longer);
    if (l->places_room) memcpy(longer, l->places, l->places_room * sizeof *longer);
    mem_free(l->places);
    l->places = longer;
    l->places_room = room;
}

static void list_add(IndexList *list, uint32_t item) {
    if (list->count == list->room) {
        list->room = MAX(2 * list->room, (size_t)4);
        uint32_t *longer = mem_alloc(list->room * sizeof *longer);
        if (list->count) memcpy(longer, list->items, list->count * sizeof *longer);
        mem_free(list->items);
        list->items = longer;
    }
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
