/* hash: FNV-1a, 64 bits wide, of bytes one after the other.
 *
 *     uint64_t hash = hash_bytes(HASH_START, name, strlen(name));
 *     size_t slot = hash_folded(name, strlen(name)) & (slots - 1);
 *
 * It finds accidents, not forgeries. */
#ifndef STEADY_HASH_H
#define STEADY_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xCBF29CE484222325)
#define HASH_PRIME UINT64_C(0x100000001B3)

/* The hash continued over n bytes. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n) {
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < n; i++) hash = (hash ^ byte[i]) * HASH_PRIME;
    return hash;
}

/* The same of n bytes alone, for tables of 2^k slots: the upper bits count in the
 * lower. */
static inline uint64_t hash_folded(const void *bytes, size_t n) {
    uint64_t hash = hash_bytes(HASH_START, bytes, n);
    return hash ^ hash >> 32;
}

#endif
