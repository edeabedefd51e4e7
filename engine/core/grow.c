#include "engine/core/grow.h"

#include <string.h>

#include "engine/core/base.h"

enum { BYTES_FIRST = 64 }; /* what the smallest allocation takes in any case */

void *grow_items(void *items, size_t count, size_t more, size_t *room, size_t item) {
    CHECK(count <= *room && more < SIZE_MAX / 4 - count, "%zu + %zu items, room for %zu",
          count, more, *room);
    if (count + more <= *room) return items;
    *room = MAX(MAX(count + more, 2 * *room), BYTES_FIRST / item);
    void *wider = mem_array(*room, item);
    if (count) memcpy(wider, items, count * item);
    mem_free(items);
    return wider;
}
