/* skips: which items of a split turned out to be broken, each counted once.
 *
 *     Skips skips = {0};
 *     skips_begin(&skips, set->count);
 *     if (skips_see(&skips, item)) ...             met for the first time
 *     char *text = skips_text(&skips);             "3 17 900", into a checkpoint (mem_free)
 *     skips_read(&skips, text);                    and out of it */
#ifndef STEADY_SKIPS_H
#define STEADY_SKIPS_H

#include "engine/core/base.h"

typedef struct Skips {
    bool *met;     /* [items]; NULL: nothing is counted */
    size_t items;
    size_t count; /* that are met */
} Skips;

void skips_begin(Skips *skips, size_t items); /* none is met */
void skips_end(Skips *skips);
bool skips_see(Skips *skips, size_t item); /* false: it was met before, or nothing is counted */

char *skips_text(const Skips *skips);
/* What is no number below `items` is passed over; NULL is "". */
void skips_read(Skips *skips, const char *text);

#endif
