#include "data/picture/plan.h"

#include "data/spread.h"
#include "engine/core/rng.h"

void plan_begin(Plan *plan) {
    plan->shuffle = plan->shuffle && plan->training;
    plan->repeat = plan->training && plan->repeat ? plan->repeat : 1;
    plan->parts = MAX(plan->parts, (size_t)1);
    CHECK(plan->part < plan->parts, "part %zu of %zu", plan->part, plan->parts);
    plan->epoch = SIZE_MAX;
    if (plan->shuffle) plan->order = mem_array(plan->items, sizeof *plan->order);
}

void plan_end(Plan *plan) {
    mem_free(plan->order);
    plan->order = NULL;
}

static size_t examples_of(const Plan *plan) {
    return plan->sample && !plan->training ? plan->sample : plan->items;
}

size_t plan_batches(const Plan *plan) {
    size_t examples = examples_of(plan), left = examples % plan->batch;
    return examples / plan->batch + (!plan->training && left);
}

size_t plan_left(const Plan *plan) {
    return (plan->items - MIN(place_given(&plan->start), plan->items)) / plan->batch;
}

size_t plan_count(const Plan *plan, size_t n) {
    size_t examples = examples_of(plan), first = (n - 1) * plan->batch;
    if (plan->training || n * plan->batch <= examples) return plan->batch;
    return first < examples ? examples - first : 0;
}

size_t plan_part(const Plan *plan, size_t n, size_t *begin) {
    size_t whole = plan_count(plan, n);
    *begin = whole * plan->part / plan->parts;
    return whole * (plan->part + 1) / plan->parts;
}

static void shuffle_epoch(Plan *plan, size_t epoch) {
    if (plan->epoch == epoch) return;
    rng_permutation(rng_make(plan->seed, RNG_SHUFFLE, epoch), plan->order, plan->items);
    plan->epoch = epoch;
}

size_t plan_item(Plan *plan, size_t n, size_t slot, size_t skip) {
    PlaceIn at = {false, 0, n - 1};
    if (plan->training)
        at = place_find(&plan->start, plan_left(plan), plan_batches(plan), n);
    size_t place =
        (at.first ? place_given(&plan->start) : 0) + at.index * plan->batch + slot;
    size_t entry = (place / plan->repeat + skip) % plan->items;
    if (!plan->training) return spread_item(entry, examples_of(plan), plan->items);
    if (!plan->shuffle) return entry;
    shuffle_epoch(plan, at.epoch);
    return plan->order[entry];
}
