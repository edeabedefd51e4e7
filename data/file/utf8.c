#include "data/file/utf8.h"

#include <string.h>

#include "data/file/utf8_lower_parts.h"

/* Length of the ASCII that the text begins with, rounded down to words of 8 bytes. */
static size_t skip_ascii(const char *text, size_t length) {
    size_t at = 0;
    for (uint64_t word; at + sizeof word <= length; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        if (word & 0x8080808080808080u) break;
    }
    return at;
}

bool utf8_valid(const char *text, size_t length, size_t *bad) {
    for (size_t at = 0; at < length;) {
        at += skip_ascii(text + at, length - at);
        /* What stopped the words of ASCII: go on for a word's length before trying
         * again. */
        for (size_t stop = MIN(length, at + sizeof(uint64_t)); at < stop;) {
            uint32_t code;
            size_t used = utf8_next(text + at, length - at, &code);
            if (!used) {
                if (bad) *bad = at;
                return false;
            }
            at += used;
        }
    }
    return true;
}

size_t utf8_put(uint32_t code, char out[UTF8_BYTES]) {
    CHECK(code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF), "code point U+%04X",
          code);
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t k = bytes - 1; k > 0; k--, code >>= 6)
        out[k] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(0xF00u >> bytes | code);
    return bytes;
}

uint32_t utf8_lower(uint32_t code) {
    if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + 32 : code;
    size_t low = 0, high = COUNT(LOWER_ROWS); /* the first row whose last is >= code */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (LOWER_ROWS[middle].last < code) low = middle + 1;
        else high = middle;
    }
    if (low == COUNT(LOWER_ROWS)) return code;
    const struct LowerRow *row = &LOWER_ROWS[low];
    if (code < row->first || (code - row->first) % row->step) return code;
    return (uint32_t)((int32_t)code + row->shift);
}

bool utf8_is_space(uint32_t code) {
    if (code <= 0x20) return code == 0x20 || (code >= 9 && code <= 13) || code >= 0x1C;
    if (code < 0x85) return false;
    return code == 0x85 || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
           code == 0x202F || code == 0x205F || code == 0x3000;
}

/* Bytes of the white space that the text begins with: 0 where it begins with none. */
static size_t space_bytes(const char *text, size_t length) {
    uint32_t code;
    size_t used = utf8_next(text, length, &code);
    return used && utf8_is_space(code) ? used : 0;
}

bool utf8_word(const char *text, size_t length, size_t *at, size_t *word) {
    size_t begin = *at, used;
    while ((used = space_bytes(text + begin, length - begin))) begin += used;
    /* The bytes inside a code point begin no other, so that single steps do no harm. */
    size_t end = begin;
    while (end < length && !space_bytes(text + end, length - end)) end++;
    *at = end;
    *word = end - begin;
    return end > begin;
}
