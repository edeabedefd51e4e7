/* given: examples that a program has in memory, in place of the files of data.source: the
 * library's user gives them (include/steady.h).  All is borrowed. */
#ifndef STEADY_GIVEN_H
#define STEADY_GIVEN_H

#include "engine/core/base.h"

/* Pictures are read as those of `folder` are, texts as those of `text`, pairs as those of
 * `parallel`. */
typedef struct GivenData {
    size_t channels, height, width, classes;
    /* by Split; NULL: there is no such split */
    struct {
        const uint8_t *pixels; /* [count, height, width, channels] */
        const uint32_t *label; /* [count] each < classes; NULL: 0 for all */
        size_t count;
    } pictures[3];
    /* by Split, then by side: the text or the source, the target */
    struct {
        const char *bytes;
        size_t length;
    } text[3][2];
} GivenData;

#endif
