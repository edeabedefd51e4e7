/* skips: which items of a split turned out to be broken, each counted once.
 *
 *     Skips skips = {0};
 *     skips_begin(&skips, set->count);
 *     if (skips_see(&skips, item)) ...             met for the first time
 *     char *text = skips_text(&skips);             "3 17 900", into a checkpoint (mem_free)
 *     skips_read(&skips, text);                    and out of it
 *
 * A SkipList is what the maker of a batch met, with the reasons; skips_see_all counts
 * it. */
#ifndef STEADY_SKIPS_H
#define STEADY_SKIPS_H

#include "engine/core/base.h"

typedef struct Skips {
    bool *met; /* [items]; NULL: nothing is counted */
    size_t items;
    size_t count; /* that are met */
} Skips;

void skips_begin(Skips *skips, size_t items); /* none is met */
void skips_end(Skips *skips);
/* false: it was met before, or nothing is counted */
bool skips_see(Skips *skips, size_t item);

char *skips_text(const Skips *skips);
/* What is no number below `items` is passed over; NULL is "". */
void skips_read(Skips *skips, const char *text);

/* A broken item that was left out, and why. */
typedef struct Skip {
    size_t item;
    char *text;
} Skip;

typedef struct SkipList {
    Skip *skip; /* [count] */
    size_t count, room;
} SkipList;

/* A list notes no more of them than this. */
enum { SKIPS_MOST = 4096 };

void skiplist_add(SkipList *list, size_t item, const char *text);
void skiplist_cut(SkipList *list, size_t kept);   /* back to the first `kept` */
void skiplist_move(SkipList *from, SkipList *to); /* behind those of `to` */
void skiplist_free(SkipList *list);

/* How many of the list are met for the first time; *first: the first of them. */
size_t skips_see_all(Skips *skips, const SkipList *list, const Skip **first);

/* Are the latest `fresh` named to the user?  The first twenty are, and then those that
 * pass another hundred. */
bool skips_are_named(const Skips *skips, size_t fresh);

#endif
