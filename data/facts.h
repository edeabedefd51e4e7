/* facts: what a reader knows of one split besides its items: how many there are, which
 * they are (a hash), and what was left out, changed or guessed.
 *
 *     facts_note(&set->facts, n, "%zu pictures in folders below a class are not used (first: %s)",
 *                n, name);
 *     set->facts.count = set->count;
 *     set->facts.hash = facts_hash(set->facts.hash, name, strlen(name) + 1);     item by item
 *
 * The trainer prints each note once, keeps all of it in RUN/data.json
 * (tools/run/datafacts.h) and compares it when the run is resumed.  Not for: what happens
 * during training (an event row of train.jsonl), and faults that end the opening
 * (Err). */
#ifndef STEADY_FACTS_H
#define STEADY_FACTS_H

#include "engine/core/base.h"

typedef struct DataNote {
    size_t count; /* of what the sentence is about; for machines */
    char *text;   /* one sentence without its full stop; names the file or the key */
} DataNote;

typedef struct DataFacts {
    size_t count;  /* items of the split */
    uint64_t hash; /* of the items in their order; 0: not known */
    DataNote *note;
    size_t notes, room;
} DataFacts;

/* Adds a note; longer texts end in "...".  Nothing when count is 0, so that
 * callers need not ask. */
void facts_note(DataFacts *facts, size_t count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Does a limit (0: none), the value of `key`, leave some of `count` items out?  One above
 * it is noted; `what` names the items ("pairs").  facts NULL: nothing is noted. */
bool facts_limit(DataFacts *facts, const char *key, size_t limit, size_t count,
                 const char *what);

/* The hash continued over n bytes (64-bit FNV-1a; 0 starts it): the same items in another
 * order, or cut at other places when lengths or final zeros are hashed too, give another
 * number.  It finds accidents, not forgeries. */
uint64_t facts_hash(uint64_t hash, const void *bytes, size_t n);
uint64_t facts_hash_number(uint64_t hash, uint64_t number); /* eight bytes, least first */

/* A hash of n bytes of one item, eight at a time: for many large ones, pictures say. */
uint64_t facts_digest(const void *bytes, size_t n);

void facts_free(DataFacts *facts); /* what it holds */

#endif
