#include "data/file/textkind.h"

#include <string.h>

#define UTF16(order)                                                                     \
    "UTF-16, not UTF-8; convert it: iconv -f UTF-16" order " -t UTF-8 FILE >NEW"
#define UTF32(order)                                                                     \
    "UTF-32, not UTF-8; convert it: iconv -f UTF-32" order " -t UTF-8 FILE >NEW"
#define PACKED(name, program) name "; unpack it first (" program "), or pack it with gzip"

#define PICTURE(name)                                                                    \
    "a " name " picture, not a text (for pictures: data.source = folder)"

static const struct {
    const char *begin; /* first bytes */
    size_t size;
    const char *kind;
} KINDS[] = {
    {"\xFF\xFE\0\0", 4, UTF32("LE")},
    {"\0\0\xFE\xFF", 4, UTF32("BE")},
    {"\xFF\xFE", 2, UTF16("LE")},
    {"\xFE\xFF", 2, UTF16("BE")},
    {"BZh", 3, PACKED("a bzip2 file", "bunzip2")},
    {"\xFD"
     "7zXZ\0",
     6, PACKED("an xz file", "unxz")},
    {"\x28\xB5\x2F\xFD", 4, PACKED("a zstd file", "unzstd")},
    {"PK\x03\x04", 4, "a zip file (or an office document); extract the text from it"},
    {"%PDF-", 5, "a PDF document; extract the text from it (pdftotext)"},
    {"\x89PNG", 4, PICTURE("PNG")},
    {"\xFF\xD8\xFF", 3, PICTURE("JPEG")},
    {"RIFF", 4, "a RIFF file (WAV, WebP, AVI), not a text"},
    {"fLaC", 4, "a FLAC recording, not a text"},
    {"OggS", 4, "an Ogg file, not a text"},
    {"\x1F\x8B", 2, "gzip; unpack it first (gunzip -c; files are unpacked once)"}};

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

const char *textkind_of(const char *bytes, size_t size) {
    for (size_t i = 0; i < COUNT(KINDS); i++)
        if (size >= KINDS[i].size && !memcmp(bytes, KINDS[i].begin, KINDS[i].size))
            return KINDS[i].kind;
    return kind_of_zeros(bytes, size);
}
