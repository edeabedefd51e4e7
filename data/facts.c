#include "data/facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/core/grow.h"
#include "engine/core/hash.h"
#include "engine/core/text.h"

void facts_note(DataFacts *facts, size_t count, const char *format, ...) {
    if (!count) return;
    char text[800];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length >= (int)sizeof text) memcpy(text + sizeof text - 4, "...", 4);
    GROW(facts->note, facts->notes, facts->room, 1);
    char shown[sizeof text];
    utf8_show(text, strlen(text), shown, sizeof shown);
    facts->note[facts->notes++] = (DataNote){count, mem_strdup(shown)};
}

bool facts_limit(DataFacts *facts, const char *key, size_t limit, size_t count,
                 const char *what) {
    if (!limit || limit < count) return limit != 0;
    if (facts && limit > count)
        facts_note(facts, 1, "%s = %zu has no effect: there are only %zu %s", key, limit,
                   count, what);
    return false;
}

uint64_t facts_hash(uint64_t hash, const void *bytes, size_t n) {
    hash = hash_bytes(hash ? hash : HASH_START, bytes, n);
    return hash ? hash : 1;
}

uint64_t facts_hash_number(uint64_t hash, uint64_t number) {
    uint8_t bytes[8];
    for (size_t i = 0; i < 8; i++) bytes[i] = (uint8_t)(number >> 8 * i);
    return facts_hash(hash, bytes, sizeof bytes);
}

uint64_t facts_digest(const void *bytes, size_t n) {
    const uint8_t *byte = bytes;
    uint64_t hash = HASH_START ^ n;
    for (; n >= 8; n -= 8, byte += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8; k++) word |= (uint64_t)byte[k] << 8 * k;
        hash = (hash ^ word) * HASH_PRIME;
        hash ^= hash >> 32;
    }
    hash = hash_bytes(hash, byte, n);
    return hash ^ hash >> 32;
}

void facts_free(DataFacts *facts) {
    for (size_t i = 0; i < facts->notes; i++) mem_free(facts->note[i].text);
    mem_free(facts->note);
    *facts = (DataFacts){0};
}
