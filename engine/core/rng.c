#include "engine/core/rng.h"

#include <math.h>

/* Ten rounds of multiply, swap and xor; constants of the published generator. */
static void philox(uint32_t counter[4], uint32_t key0, uint32_t key1) {
    for (int round = 0; round < 10; round++) {
        uint64_t left = 0xD2511F53ull * counter[0];
        uint64_t right = 0xCD9E8D57ull * counter[2];
        uint32_t mixed[4] = {(uint32_t)(right >> 32) ^ counter[1] ^ key0, (uint32_t)right,
                             (uint32_t)(left >> 32) ^ counter[3] ^ key1, (uint32_t)left};
        for (int i = 0; i < 4; i++) counter[i] = mixed[i];
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

/* Seed and purpose are hashed to the key, the step to the upper half of the counter, so
 * that neighbouring seeds share nothing. */
Rng rng_make(uint64_t seed, uint64_t purpose, uint64_t step) {
    uint32_t block[4] = {(uint32_t)seed, (uint32_t)(seed >> 32), (uint32_t)purpose,
                         (uint32_t)(purpose >> 32)};
    philox(block, 0x53746561u, 0x64790000u);
    return (Rng){{block[0], block[1]},
                 {(uint32_t)step, (uint32_t)(step >> 32) ^ block[2]}};
}

void rng_words(Rng rng, uint64_t index, uint32_t words[4]) {
    words[0] = (uint32_t)index;
    words[1] = (uint32_t)(index >> 32);
    words[2] = rng.stream[0];
    words[3] = rng.stream[1];
    philox(words, rng.key[0], rng.key[1]);
}

double rng_uniform(Rng rng, uint64_t index) {
    uint32_t words[4];
    rng_words(rng, index, words);
    return words[0] * 0x1p-32;
}

double rng_normal(Rng rng, uint64_t index) {
    uint32_t words[4];
    rng_words(rng, index, words);
    double radius = sqrt(-2 * log((words[0] + 1.0) * 0x1p-32));
    return radius * cos(6.283185307179586 * (words[1] * 0x1p-32));
}

size_t rng_below(Rng rng, uint64_t index, size_t n) {
    CHECK(n > 0 && n <= UINT32_MAX, "rng_below: n = %zu", n);
    uint32_t words[4];
    rng_words(rng, index, words);
    uint64_t wide = ((uint64_t)words[1] << 32) | words[0];
    return (size_t)(((__uint128_t)wide * n) >> 64);
}

void rng_permutation(Rng rng, size_t *order, size_t n) {
    for (size_t i = 0; i < n; i++) order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t other = rng_below(rng, i, i), kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

double rng_next(RngCursor *cursor) { return rng_uniform(cursor->rng, cursor->next++); }

double rng_next_between(RngCursor *cursor, double low, double high) {
    return low + (high - low) * rng_next(cursor);
}

double rng_next_normal(RngCursor *cursor) {
    return rng_normal(cursor->rng, cursor->next++);
}

/* Gamma(a, 1) by Marsaglia and Tsang (2000); a < 1 through Gamma(a + 1) u^(1/a). */
static double next_gamma(RngCursor *cursor, double a) {
    if (a < 1) {
        double u = 1 - rng_next(cursor);
        return next_gamma(cursor, a + 1) * pow(u, 1 / a);
    }
    double d = a - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = rng_next_normal(cursor), v = 1 + c * x;
        if (v <= 0) continue;
        v = v * v * v;
        if (log(1 - rng_next(cursor)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

double rng_next_beta(RngCursor *cursor, double a, double b) {
    double x = next_gamma(cursor, a), y = next_gamma(cursor, b);
    return x + y > 0 ? x / (x + y) : 0.5;
}
