/* synthetic: how much the program makes of its own texts (data/text/sources.h). */
#include "data/text/sources.h"

enum { HELD_OUT_SHARE = 5, HELD_OUT_MOST = 1000 };

/* What a line takes at least: its letters, where it begins, its tokens. */
static const double LINE_BYTES = 80;

size_t texts_synthetic_count(const DataConfig *c, Split split) {
    size_t count = c->synthetic_count;
    if (split != SPLIT_TRAIN)
        count = MAX(MIN(count / HELD_OUT_SHARE, (size_t)HELD_OUT_MOST), (size_t)1);
    mem_expect(LINE_BYTES * (double)count, "data.synthetic_count");
    return count;
}
