/* maker: makes batch n of a run, a function of (dataset, config, seed, n) alone; see
 * loader.h.  One thread at a time; each of a loader's threads has its own. */
#ifndef STEADY_MAKER_H
#define STEADY_MAKER_H

#include <stdatomic.h>

#include "data/picture/loader.h"

typedef struct Maker Maker;

/* NULL: FAIL_USAGE, see loader_start. */
Maker *maker_new(const Dataset *set, const LoaderConfig *config, Err *err);
void maker_free(Maker *maker);

/* FAIL_USAGE: data.mean or data.std that do not fit pictures of so many channels. */
Status maker_check_levels(const DataConfig *data, size_t channels, Err *err);

/* Number of the last batch; SIZE_MAX in training. */
size_t maker_last(const Maker *maker);

/* Examples that a batch has memory for: those of the largest part, and behind them one
 * for partners of another part. */
size_t batch_room(const LoaderConfig *config);
/* Pictures that it has memory for of each of them. */
size_t batch_views(const LoaderConfig *config);
/* Memory of one batch. */
void batch_begin(Batch *batch, const Dataset *set, const LoaderConfig *config);
void batch_end(Batch *batch);
/* Fills the batch.  batch->skipped counts this batch's broken items, and err then
 * holds the text of the last of them even where the result is OK.  A *stop that
 * becomes true ends it after the picture at hand with FAIL_INTERRUPTED. */
Status maker_fill(Maker *maker, size_t n, Batch *batch, const atomic_bool *stop,
                  Err *err);

#endif
