/* review: what the translations of a split came to besides their BLEU - which are the
 * worst, for a report, and how many of them differ, for the grade.
 *
 *     review_begin(&review, split, count);
 *     for each sentence of this rank: review_see(&review, item, bleu, output, ...);
 *     review_share(&review, ranks);                  now it is the whole split's
 *     size_t worst[4], n = review_worst(&review, worst, 4);
 *     review_different(&review, counts)              [0] of the outputs, [1] of references
 *     review_clear(&review);
 *
 * review_worst and review_different hold on every rank. */
#ifndef STEADY_TRANSLATE_REVIEW_H
#define STEADY_TRANSLATE_REVIEW_H

#include <stdint.h>

#include "data/config.h"
#include "engine/dist/ranks.h"

typedef struct Review {
    Split split;
    size_t count;      /* sentences of the split; 0: they were not translated */
    double *bleu;      /* [count] of each by itself (bleu_sentence) */
    uint64_t *hash[2]; /* [count] of outputs, of references */
    bool whole;        /* of all ranks */
} Review;

/* Forgets what was seen before. */
void review_begin(Review *review, Split split, size_t count);
void review_see(Review *review, size_t item, double bleu, const char *output,
                size_t length, const char *reference, size_t reference_length);
void review_share(Review *review, Ranks *ranks);

/* The items with the lowest BLEU, the lowest first, of equal ones the first; at most
 * `most`.  Returns how many. */
size_t review_worst(const Review *review, size_t *items, size_t most);
/* How many different outputs, and different references, there were. */
void review_different(const Review *review, size_t different[2]);
void review_clear(Review *review);

#endif
