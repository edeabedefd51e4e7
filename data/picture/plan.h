/* plan: which item of a dataset is at which position of an epoch; see loader.h. */
#ifndef STEADY_PLAN_H
#define STEADY_PLAN_H

#include "data/place.h"

typedef struct Plan {
    size_t items;       /* in the dataset */
    size_t sample;      /* evaluation: so many of them alone (data/spread.h); 0: all */
    size_t batch;       /* examples a batch */
    size_t part, parts; /* of each batch: see loader.h; at least 1 part */
    size_t repeat;      /* times that an item comes in a row */
    bool training;      /* whole batches without end; else the last one short */
    bool shuffle;
    uint64_t seed;
    Place start;   /* training: what is over */
    size_t *order; /* of epoch `epoch`, when it is shuffled */
    size_t epoch;
} Plan;

void plan_begin(Plan *plan);
void plan_end(Plan *plan);

/* Batches of an epoch, and examples of batch n (from 1; 0: after the end). */
size_t plan_batches(const Plan *plan);
/* Batches that are left of the epoch of plan->start. */
size_t plan_left(const Plan *plan);
size_t plan_count(const Plan *plan, size_t n);

/* Our part of batch n: slots [*begin, return value). */
size_t plan_part(const Plan *plan, size_t n, size_t *begin);

/* Item of slot s of batch n.  skip > 0: the skip-th next one of the epoch's order,
 * which goes round at its end; skip < items meets each item once. */
size_t plan_item(Plan *plan, size_t n, size_t slot, size_t skip);

#endif
