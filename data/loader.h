/* loader: batches of images, made ready by a thread while the step runs.
 *
 * Batch n of a run is a function of (dataset, config, seed, n) alone: a resumed run and a run
 * with other thread counts see the same pixels.
 *
 *     Loader *loader = loader_start(set, &config, first_step, &err);
 *     while (!loader_next(loader, &batch, &err)) step(batch);
 *     loader_stop(loader);
 */
#ifndef STEADY_LOADER_H
#define STEADY_LOADER_H

#include "data/dataset.h"

typedef struct LoaderConfig {
    DataConfig data;
    size_t height, width;      /* of the tensors that come out */
    size_t batch;              /* examples an optimizer step */
    uint64_t seed;
    bool training;             /* shuffle, augment and mix; else in order, last batch short */
    double mixup, cutmix;      /* alpha of the Beta distribution; 0: off */
} LoaderConfig;

typedef struct Loader Loader;

/* One batch.  Owned by the loader and valid until the next loader_next. */
typedef struct Batch {
    size_t count;          /* B <= config.batch */
    size_t channels, height, width;
    real *pixels;          /* [B, C, Y, X], normalised */
    size_t *label;         /* [B] */
    size_t *mixed_label;   /* [B] the partner's label; = label where nothing is mixed */
    real *mix;             /* [B] share of `label` in the target; 1: nothing is mixed */
    size_t *item;          /* [B] index in the dataset */
    size_t skipped;        /* broken items left out since the loader started */
} Batch;

/* Training: steps are numbered from 1, an epoch has floor(count / batch)
 * whole batches, and the sequence never ends.  Evaluation: batches 1 ... ceil(count / batch).
 * `first` is the number of the first batch wanted.  NULL: err says why. */
Loader *loader_start(const Dataset *set, const LoaderConfig *config, size_t first, Err *err);

/* The next batch, or (evaluation) count = 0 after the last one.  With on_error = stop a broken
 * item is FAIL_DATA with its file named. */
Status loader_next(Loader *loader, const Batch **batch, Err *err);
void loader_stop(Loader *loader); /* NULL is fine */

#endif
