#include "engine/core/text.h"

#include <string.h>

/* What a first byte promises: how many bytes in all, and the range of the second,
 * which is what excludes overlong forms, surrogates and codes above U+10FFFF
 * (Unicode 15, table 3-7). */
typedef struct Lead {
    unsigned bytes, low, high;
} Lead;

static Lead lead_of(unsigned char first) {
    if (first < 0x80) return (Lead){1, 0, 0};
    if (first < 0xC2) return (Lead){0, 0, 0};
    if (first < 0xE0) return (Lead){2, 0x80, 0xBF};
    if (first < 0xF0)
        return (Lead){3, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF};
    if (first < 0xF5)
        return (Lead){4, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF};
    return (Lead){0, 0, 0};
}

size_t utf8_next(const char *text, size_t length, uint32_t *code) {
    const unsigned char *byte = (const unsigned char *)text;
    if (!length) return 0;
    Lead lead = lead_of(byte[0]);
    if (!lead.bytes || lead.bytes > length) return 0;
    uint32_t value = lead.bytes == 1 ? byte[0] : byte[0] & (0x7Fu >> lead.bytes);
    for (unsigned k = 1; k < lead.bytes; k++) {
        if (byte[k] < (k == 1 ? lead.low : 0x80) || byte[k] > (k == 1 ? lead.high : 0xBF))
            return 0;
        value = value << 6 | (byte[k] & 0x3Fu);
    }
    *code = value;
    return lead.bytes;
}

void utf8_show(const char *text, size_t length, char *out, size_t size) {
    /* of a code point as shown; "..." and NUL */
    enum { LONGEST = 8, END = sizeof "..." };
    CHECK(size >= LONGEST, "a message of %zu bytes", size);
    size_t kept = 0, cut = 0; /* where "..." still fits */
    for (size_t at = 0, used; at < length; at += used) {
        uint32_t code = 0;
        char one[LONGEST + 1];
        used = utf8_next(text + at, length - at, &code);
        bool plain = used && code >= 0x20 && (code < 0x7F || code > 0x9F);
        if (!used) used = 1;
        size_t n = plain ? used : 0;
        memcpy(one, text + at, n);
        for (size_t i = 0; !plain && i < used; i++, n += 4) {
            static const char HEX[] = "0123456789abcdef";
            unsigned char byte = (unsigned char)text[at + i];
            memcpy(one + n, (char[]){'\\', 'x', HEX[byte >> 4], HEX[byte & 15]}, 4);
        }
        if (kept + END <= size) cut = kept;
        if (kept + n + 1 > size) {
            memcpy(out + cut, "...", END);
            return;
        }
        memcpy(out + kept, one, n);
        kept += n;
    }
    out[kept] = 0;
}
