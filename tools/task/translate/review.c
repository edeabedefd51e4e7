#include "tools/task/translate/review.h"

#include <stdlib.h>
#include <string.h>

#include "engine/core/hash.h"

void review_clear(Review *r) {
    mem_free(r->bleu);
    for (size_t k = 0; k < COUNT(r->hash); k++) mem_free(r->hash[k]);
    *r = (Review){.count = 0};
}

void review_begin(Review *r, Split split, size_t count) {
    review_clear(r);
    r->split = split;
    r->count = count;
    if (!count) return;
    r->bleu = mem_zarray(count, sizeof *r->bleu);
    for (size_t k = 0; k < COUNT(r->hash); k++)
        r->hash[k] = mem_zarray(count, sizeof *r->hash[k]);
}

void review_see(Review *r, size_t item, double bleu, const char *output, size_t length,
                const char *reference, size_t reference_length) {
    CHECK(item < r->count, "sentence %zu of %zu", item, r->count);
    r->bleu[item] = bleu;
    r->hash[0][item] = hash_bytes(HASH_START, output, length);
    r->hash[1][item] = hash_bytes(HASH_START, reference, reference_length);
}

/* Halves of the hashes are whole numbers that sums of doubles keep; each item is another
 * rank's, the others have 0. */
void review_share(Review *r, Ranks *ranks) {
    enum { PARTS = 5 };
    r->whole = true;
    if (ranks_count(ranks) == 1 || !r->count) return;
    double *sum = mem_array(PARTS * r->count, sizeof *sum);
    for (size_t i = 0; i < r->count; i++) {
        double *part = sum + PARTS * i;
        part[0] = r->bleu[i];
        for (size_t k = 0; k < 2; k++) {
            part[1 + 2 * k] = (double)(r->hash[k][i] >> 32);
            part[2 + 2 * k] = (double)(r->hash[k][i] & UINT32_MAX);
        }
    }
    ranks_add(ranks, sum, PARTS * r->count);
    for (size_t i = 0; i < r->count; i++) {
        const double *part = sum + PARTS * i;
        r->bleu[i] = part[0];
        for (size_t k = 0; k < 2; k++)
            r->hash[k][i] = (uint64_t)part[1 + 2 * k] << 32 | (uint64_t)part[2 + 2 * k];
    }
    mem_free(sum);
}

size_t review_worst(const Review *r, size_t *items, size_t most) {
    size_t count = 0;
    for (size_t i = 0; i < r->count && most; i++) {
        size_t at = count;
        while (at && r->bleu[items[at - 1]] > r->bleu[i]) at--;
        if (at == most) continue;
        if (count < most) count++;
        memmove(items + at + 1, items + at, (count - 1 - at) * sizeof *items);
        items[at] = i;
    }
    return count;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void review_different(const Review *r, size_t different[2]) {
    uint64_t *sorted = mem_array(r->count + 1, sizeof *sorted);
    for (size_t k = 0; k < 2; k++) {
        if (r->count) memcpy(sorted, r->hash[k], r->count * sizeof *sorted);
        qsort(sorted, r->count, sizeof *sorted, by_value);
        different[k] = 0;
        for (size_t i = 0; i < r->count; i++)
            different[k] += !i || sorted[i] != sorted[i - 1];
    }
    mem_free(sorted);
}
