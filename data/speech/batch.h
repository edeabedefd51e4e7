/* batch: batches of utterances by seconds of sound, made ready by a thread
 * while the step runs.
 *
 *     SpeechLoader *loader = speechloader_start(set, &config, first_step, &err);
 *     while (!speechloader_next(loader, &batch, &err)) step(batch);
 *     speechloader_stop(loader);
 *
 * Batch n is a function of (set, configuration, seed, n) alone.  By seconds:
 * utterances of similar length share a bucket; a step is `accumulate` buckets,
 * shortest first, each a micro-batch.  Without batch_seconds a step is `batch`
 * utterances as they come, or in an order of each epoch's own, and what fills no batch
 * at the end of an epoch is skipped. */
#ifndef STEADY_SPEECH_BATCH_H
#define STEADY_SPEECH_BATCH_H

#include "data/place.h"
#include "data/skips.h"
#include "data/speech/set.h"

typedef struct SpeechBatchConfig {
    /* of a step, padding counted; the bucket of one utterance may be longer; 0: batches
     * are counted */
    double batch_seconds;
    size_t batch;       /* utterances of a step, by seconds at most; 0: any number */
    size_t accumulate;  /* buckets of a step; 0: 1 */
    size_t part, parts; /* this rank's share; 0, 0: all */
    uint64_t seed;
    Place start; /* training: what is done; the rest of its epoch is batched anew */
    /* shuffle, mask, go on for ever; else every utterance once: by length, or, where
     * batches are counted, in the set's order but for what fills no batch at the end */
    bool training;
    size_t sample; /* evaluation: so many alone (data/spread.h); 0: all */
    bool shuffle;
    SpecAugment augment;       /* training; all 0: none; speeds are the set's */
    bool (*interrupted)(void); /* asked while waiting, ten times a second; NULL: never */
} SpeechBatchConfig;

/* One batch, valid until the next speechloader_next.  Rows lie one behind the
 * other, not padded. */
typedef struct SpeechBatch {
    size_t count; /* B utterances, this part's */
    /* utterances of the step as planned, all parts'; evaluation: of this batch */
    size_t whole;
    /* frames of the longest recording of the whole step, all parts', at speed 1: the same
     * for each part, which does not know the others' speeds.  With the set's speeds
     * `frames` may be a tenth more or less; no memory is laid out by it */
    size_t longest;
    size_t filters;
    const SpeechItem **item; /* [B] */
    size_t *number;          /* [B] index in the set */
    size_t *frames;          /* [B] rows of features */
    size_t *start;           /* [B] of its first number in `features` */
    size_t *speed;           /* [B] see speechset_features_at */
    size_t *place; /* [B] in the step, < whole; of a bucket one after the other */
    real *features;
    size_t buckets, *bucket_edge; /* [buckets + 1] utterances where buckets begin */
    double seconds;               /* of sound */
    /* recordings found broken since the start, and left out; training replaces them */
    size_t skipped;
    const char *skip_reason; /* text of the latest of them; "" */
    SkipList broken;         /* of this batch alone, in their order */
    size_t room_items, room_features;
} SpeechBatch;

/* Where micro-batch i of `parts` begins, so that each is of one bucket: at the buckets
 * where there are as many, at pieces of them of about equal frames where there are fewer.
 * parts: at least MIN(buckets, count). */
size_t speechbatch_edge(const SpeechBatch *batch, size_t i, size_t parts);

/* The longest of utterances [from, to), in frames; 0: there are none. */
size_t speechbatch_longest(const SpeechBatch *batch, size_t from, size_t to);

/* Utterances [from, to) padded behind with 0: to [to - from, length, filters]. */
void speechbatch_pad(const SpeechBatch *batch, size_t from, size_t to, size_t length,
                     real *padded);

typedef struct SpeechLoader SpeechLoader;

/* The set is borrowed; `first` is the number of the first batch wanted, from 1.
 * Training: utterances are sorted by length and cut into buckets once; in each epoch
 * those within a tenth of each other's length change places, and buckets come in another
 * order.  An epoch is floor(buckets / accumulate) steps, counted floor(utterances /
 * batch).  Evaluation: part k of n takes every n-th bucket.
 * NULL: FAIL_USAGE, fewer buckets than accumulate; FAIL_RUN. */
SpeechLoader *speechloader_start(SpeechSet *set, const SpeechBatchConfig *config,
                                 size_t first, Err *err);

/* Batches that are left of the epoch of config.start. */
size_t speechloader_left(const SpeechLoader *loader);
size_t
speechloader_steps(const SpeechLoader *loader); /* of an epoch; evaluation: batches */
/* Utterances that fill no step at an epoch's end (shuffled by seconds: of the first
 * epoch). */
size_t speechloader_rest(const SpeechLoader *loader);
double
speechloader_padding(const SpeechLoader *loader); /* share of the first epoch's frames */

/* The next batch; evaluation: count = 0 after the last.  A recording that turns out to be
 * damaged is FAIL_DATA, or with data.on_error = skip is left out, its place empty;
 * FAIL_DATA when a training batch of one rank loses all.  FAIL_INTERRUPTED:
 * config.interrupted said so. */
Status speechloader_next(SpeechLoader *loader, const SpeechBatch **batch, Err *err);

void speechloader_stop(SpeechLoader *loader); /* at any time; NULL is fine */

#endif
