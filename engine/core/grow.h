/* grow: lists that double when they are full.
 *
 *     GROW(list->ids, list->count, list->room, 1);
 *     list->ids[list->count++] = id;
 *
 * Starts from NULL, with a room of 0; freed by mem_free.  Not for: what has its final
 * length from the start (mem_array). */
#ifndef STEADY_GROW_H
#define STEADY_GROW_H

#include <stddef.h>

/* Makes room for `more` items behind the first `count`, which keep their
 * values; the others have none.  `items` and the size_t `room` (of items) are
 * variables, which it sets. */
#define GROW(items, count, room, more)                                                   \
    ((items) = grow_items((items), (count), (more), &(room), sizeof *(items)))

/* What GROW calls: the list, perhaps in another place. */
void *grow_items(void *items, size_t count, size_t more, size_t *room, size_t item);

#endif
