#include "data/file/textmarks.h"

#include <string.h>

/* ---- what it is ---- */

#define UTF16(order) "UTF-16, not UTF-8; convert it: iconv -f UTF-16" order " -t UTF-8"
#define UTF32(order) "UTF-32, not UTF-8; convert it: iconv -f UTF-32" order " -t UTF-8"
#define PACKED(name, program) name "; unpack it first (" program "), or pack it with gzip"

#define PICTURE(name)                                                                    \
    "a " name " picture, not a text (data.source = folder reads pictures)"

static const struct {
    const char *begin; /* first bytes */
    size_t size;
    const char *kind;
} KINDS[] = {{"\xFF\xFE\0\0", 4, UTF32("LE")},
             {"\0\0\xFE\xFF", 4, UTF32("BE")},
             {"\xFF\xFE", 2, UTF16("LE")},
             {"\xFE\xFF", 2, UTF16("BE")},
             {"BZh", 3, PACKED("a bzip2 file", "bunzip2")},
             {"\xFD"
              "7zXZ\0",
              6, PACKED("an xz file", "unxz")},
             {"\x28\xB5\x2F\xFD", 4, PACKED("a zstd file", "unzstd")},
             {"PK\x03\x04", 4,
              "a zip file (or a document of an office program); take the text out of it"},
             {"%PDF-", 5, "a PDF document; take the text out of it (pdftotext)"},
             {"\x89PNG", 4, PICTURE("PNG")},
             {"\xFF\xD8\xFF", 3, PICTURE("JPEG")},
             {"RIFF", 4, "a RIFF file (WAV, WebP, AVI), not a text"},
             {"fLaC", 4, "a FLAC recording, not a text"},
             {"OggS", 4, "an Ogg file, not a text"},
             {"\x1F\x8B", 2,
              "gzip; unpack it first (gunzip -c; files are unpacked once)"}};

/* Latin letters in UTF-16 have a zero in every other byte. */
static const char *kind_of_zeros(const char *bytes, size_t size) {
    enum { LOOKED_AT = 1024, LEAST = 4 };
    size_t zeros[2] = {0, 0}, n = MIN(size, (size_t)LOOKED_AT) / 2;
    for (size_t i = 0; i < 2 * n; i++) zeros[i % 2] += !bytes[i];
    if (2 * n < LEAST) return NULL;
    if (2 * zeros[1] > n && 8 * zeros[0] < n) return UTF16("LE");
    if (2 * zeros[0] > n && 8 * zeros[1] < n) return UTF16("BE");
    return NULL;
}

const char *textmarks_kind(const char *bytes, size_t size) {
    for (size_t i = 0; i < COUNT(KINDS); i++)
        if (size >= KINDS[i].size && !memcmp(bytes, KINDS[i].begin, KINDS[i].size))
            return KINDS[i].kind;
    return kind_of_zeros(bytes, size);
}

/* ---- what is odd ---- */

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
        [LINE_END_CRLF] = {"line ends \\r\\n", "the \\r is left out"},
        [LONE_CR] = {"carriage returns (\\r) without \\n",
                     "they end no line; if they are line ends of an old Mac text: tr "
                     "'\\r' '\\n'"},
        [MARK_INSIDE] = {"byte order marks (U+FEFF) inside the text",
                         "they stay and are parts of words"},
        [REPLACEMENT] = {"replacement characters (U+FFFD)",
                         "an earlier conversion failed there"},
        [OTHER_LINE_END] = {"characters U+0085, U+2028 or U+2029", "they end no line"}};
    Seen seen[MARKS] = {{0, 0}};
    look(file, seen);
    for (size_t m = 0; m < MARKS; m++)
        if (seen[m].count)
            facts_note(facts, seen[m].count, "%s: %s: %zu (first: line %zu); %s",
                       file->path, TEXTS[m].what, seen[m].count,
                       line_of(file, seen[m].first), TEXTS[m].then);
}
