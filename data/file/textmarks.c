#include "data/file/textmarks.h"

#include <string.h>

typedef enum {
    LINE_END_CRLF,
    LONE_CR,
    MARK_INSIDE,
    REPLACEMENT,
    OTHER_LINE_END,
    MARKS
} Mark;

typedef struct Seen {
    size_t count, first; /* byte */
} Seen;

static Mark mark_at(const char *at, size_t left) {
    static const struct {
        const char *bytes;
        size_t size;
        Mark mark;
    } SEQUENCES[] = {{"\r\n", 2, LINE_END_CRLF},
                     {"\r", 1, LONE_CR},
                     {"\xEF\xBB\xBF", 3, MARK_INSIDE},
                     {"\xEF\xBF\xBD", 3, REPLACEMENT},
                     {"\xC2\x85", 2, OTHER_LINE_END},
                     {"\xE2\x80\xA8", 3, OTHER_LINE_END},
                     {"\xE2\x80\xA9", 3, OTHER_LINE_END}};
    for (size_t i = 0; i < COUNT(SEQUENCES); i++)
        if (left >= SEQUENCES[i].size &&
            !memcmp(at, SEQUENCES[i].bytes, SEQUENCES[i].size))
            return SEQUENCES[i].mark;
    return MARKS;
}

static void look(const TextFile *file, Seen seen[MARKS]) {
    static const bool BEGINS[256] = {
        ['\r'] = true, [0xEF] = true, [0xC2] = true, [0xE2] = true};
    for (size_t i = 0; i < file->size; i++) {
        if (!BEGINS[(unsigned char)file->bytes[i]]) continue;
        Mark mark = mark_at(file->bytes + i, file->size - i);
        if (mark != MARKS && !seen[mark].count++) seen[mark].first = i;
    }
}

static size_t line_of(const TextFile *file, size_t byte) {
    size_t low = 0, high = file->count; /* the last that begins at or before it */
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (file->start[middle] <= byte) low = middle;
        else high = middle;
    }
    return low + 1;
}

void textmarks_note(const TextFile *file, DataFacts *facts) {
    static const struct {
        const char *what, *then;
    } TEXTS[MARKS] = {
        [LINE_END_CRLF] = {"line ends \\r\\n", "the \\r is removed"},
        [LONE_CR] = {"carriage returns (\\r) without \\n",
                     "they do not end a line; to convert an old Mac text: tr '\\r' '\\n"
                     "'"},
        [MARK_INSIDE] = {"byte order marks (U+FEFF) inside the text",
                         "they are kept as parts of words"},
        [REPLACEMENT] = {"replacement characters (U+FFFD)",
                         "an earlier conversion failed there"},
        [OTHER_LINE_END] = {"characters U+0085, U+2028 or U+2029",
                            "they do not end a line"}};
    Seen seen[MARKS] = {{0, 0}};
    look(file, seen);
    for (size_t m = 0; m < MARKS; m++)
        if (seen[m].count)
            facts_note(facts, seen[m].count, "%s: %s: %zu (first: line %zu); %s",
                       file->path, TEXTS[m].what, seen[m].count,
                       line_of(file, seen[m].first), TEXTS[m].then);
}
