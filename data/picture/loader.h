/* loader: batches of images, made ready by a thread while the step runs.
 *
 * Batch n of a run is a function of (dataset, config, seed, n) alone: a resumed run
 * and a run with other thread counts see the same pixels.  It holds two or three
 * batches of memory.
 *
 *     Loader *loader = loader_start(set, &config, first_step, &err);
 *     while (!loader_next(loader, &batch, &err)) step(batch);
 *     loader_stop(loader);
 */
#ifndef STEADY_LOADER_H
#define STEADY_LOADER_H

#include "data/picture/dataset.h"
#include "data/place.h"
#include "data/skips.h"

typedef struct LoaderConfig {
    DataConfig data;
    size_t height, width; /* of the tensors that come out */
    size_t batch;         /* examples an optimizer step */
    /* make part `part` (from 0) of `parts` of each batch; 0, 0: all */
    size_t part, parts;
    uint64_t seed;
    /* training: what of the run is over; first > start.number */
    Place start;
    bool training;        /* shuffle, augment, mix; else in turn, last one short */
    size_t sample;        /* evaluation: so many items alone (data/spread.h); 0: all */
    double mixup, cutmix; /* alpha of the Beta distribution; 0: off */
    bool pairs;           /* two views of each example beside, Batch.view */
    size_t workers;       /* threads that make batches, one each; 0: 1 */
    bool (*interrupted)(void); /* asked while waiting, ten times a second; NULL: never */
} LoaderConfig;

typedef struct Loader Loader;

/* One batch.  Owned by the loader and valid until the next loader_next. */
typedef struct Batch {
    size_t count; /* B <= config.batch */
    /* these are examples first, first + 1, ... of a batch of `whole`; evaluation: without
     * those that this part leaves out */
    size_t first, whole;
    size_t channels, height, width;
    real *pixels;            /* [B, C, Y, X], normalised */
    real *view[2];           /* of a loader of pairs: two views, as `pixels`; else NULL */
    size_t *label;           /* [B] */
    size_t *mixed_label;     /* [B] the partner's label; = label where nothing is mixed */
    real *mix;               /* [B] share of `label` in the target; 1: nothing is mixed */
    size_t *item;            /* [B] index in the dataset */
    size_t skipped;          /* broken items met and left out since the loader started */
    const char *skip_reason; /* text of the latest of them; "" */
    double seconds;          /* that a thread took to make it */
    SkipList broken;         /* those met since the batch before, in their order */
} Batch;

/* Training: steps are numbered from 1, an epoch has floor(count / batch) whole
 * batches, and the sequence never ends.  Evaluation: batches 1 ... ceil(count /
 * batch).  `first` is the number of the first batch wanted.  NULL: err says why
 * (FAIL_USAGE: a split smaller than the batch, a wrong augment list, mean or std that
 * do not fit the channels).
 *
 * Epoch e (from 0) goes through rng_permutation(rng_make(seed, RNG_SHUFFLE, e)), or
 * through 0, 1, 2, ... without shuffle; with data.repeat = r each entry comes r times
 * in a row and the epoch ends after `count` samples, so it sees count / r images.
 * Mixing (timm's batch mode): one lambda ~ Beta(alpha, alpha) a batch, the partner of
 * slot s is slot B-1-s; where both are on, CutMix is taken with probability 1/2, and
 * its lambda is the area that stayed.
 *
 * Part k of n has slots [B k / n, B (k + 1) / n) of a batch of B: together the
 * parts hold each example once, and each holds the pixels that it would have if all
 * were made at once.  A partner that is in another part is made here too, for its
 * share in the mixture.
 *
 * With `pairs` each example is augmented twice, each time by numbers of its own.  In
 * training view[0] is `pixels`, what a loader without pairs would give.  In evaluation
 * `pixels` are as ever, and the views are functions of the item alone, whatever seed and
 * batch: scores of them can be compared.  Pairs are not mixed. */
Loader *loader_start(const Dataset *set, const LoaderConfig *config, size_t first,
                     Err *err);

/* The next batch, or (evaluation) count = 0 after the last one.  With on_error = stop
 * a broken item is FAIL_DATA with its file named.  With skip, a broken item's place
 * goes to the next good one of the epoch's order (training) or stays out (evaluation);
 * FAIL_DATA when no item is good (one of several parts may end without any: that
 * is for the caller to judge).  FAIL_INTERRUPTED: config.interrupted said so while
 * no batch was ready. */
Status loader_next(Loader *loader, const Batch **batch, Err *err);

/* Ends the threads (each finishes at most the picture at hand) and frees everything.
 * At any time; NULL is fine. */
void loader_stop(Loader *loader);

#endif
