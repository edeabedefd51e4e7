#include "data/speech/plan.h"

#include <stdlib.h>
#include <string.h>

#include "data/spread.h"
#include "engine/core/rng.h"

#define LIKE 1.1 /* lengths of a class differ by a tenth at most */

static size_t bucket_size(const SpeechPlan *p, size_t bucket) {
    return p->bucket_start[bucket + 1] - p->bucket_start[bucket];
}

/* ---- order ---- */

typedef struct Length {
    size_t frames, number;
} Length;

static int by_length(const void *a, const void *b) {
    const Length *x = a, *y = b;
    if (x->frames != y->frames) return x->frames < y->frames ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* The utterances of the plan as they stand: the pool's, or the set's. */
static size_t *natural_order(const SpeechPlan *p, const size_t *pool) {
    size_t *order = mem_alloc(MAX(p->count, (size_t)1) * sizeof *order);
    for (size_t i = 0; i < p->count; i++) order[i] = pool ? pool[i] : i;
    return order;
}

static void sort_items(const SpeechSet *set, size_t *items, size_t count) {
    Length *lengths = mem_alloc(MAX(count, (size_t)1) * sizeof *lengths);
    for (size_t i = 0; i < count; i++)
        lengths[i] = (Length){set->item[items[i]].frames, items[i]};
    qsort(lengths, count, sizeof *lengths, by_length);
    for (size_t i = 0; i < count; i++) items[i] = lengths[i].number;
    mem_free(lengths);
}

static size_t frames_at(const SpeechPlan *p, size_t place) {
    return p->set->item[p->sorted[place]].frames;
}

static void make_classes(SpeechPlan *p) {
    size_t count = p->count;
    p->class_start = mem_alloc((count + 1) * sizeof *p->class_start);
    for (size_t i = 0; i < count; i++) {
        bool like = i && p->config.training && p->config.shuffle &&
                    (double)frames_at(p, i) <=
                        LIKE * (double)frames_at(p, p->class_start[p->classes - 1]);
        if (!like) p->class_start[p->classes++] = i;
    }
    p->class_start[p->classes] = count;
}

/* Utterances of a class change places, so a bucket counts the class's
 * longest for all of them. */
static void make_buckets(SpeechPlan *p) {
    enum { FRAMES_PER_SECOND = 100 };
    size_t count = p->count, accumulate = p->config.accumulate;
    size_t most =
        p->config.batch ? MAX(p->config.batch / accumulate, (size_t)1) : SIZE_MAX;
    double frames = FRAMES_PER_SECOND * p->config.batch_seconds / (double)accumulate;
    p->bucket_start = mem_alloc((count + 1) * sizeof *p->bucket_start);
    for (size_t i = 0, class = 0, size = 0; i < count; i++, size++) {
        while (p->class_start[class + 1] <= i) class ++;
        size_t longest = frames_at(p, p->class_start[class + 1] - 1);
        if (!i || size == most || (double)((size + 1) * longest) > frames) {
            p->bucket_start[p->buckets++] = i;
            size = 0;
        }
    }
    p->bucket_start[p->buckets] = count;
}

/* Counted batches: one class of all utterances, buckets of the same number. */
static void make_counted(SpeechPlan *p) {
    size_t count = p->count, size = p->config.batch / p->config.accumulate;
    p->class_start = mem_alloc(2 * sizeof *p->class_start);
    p->class_start[0] = 0;
    p->class_start[1] = count;
    p->classes = 1;
    p->buckets = count / size;
    p->bucket_start = mem_alloc((p->buckets + 1) * sizeof *p->bucket_start);
    for (size_t b = 0; b <= p->buckets; b++) p->bucket_start[b] = b * size;
}

static void need_epoch(SpeechPlan *p, size_t epoch);

static void measure_padding(SpeechPlan *p) {
    size_t frames = 0, slots = 0;
    need_epoch(p, 0);
    for (size_t k = 0; k < p->buckets; k++) {
        size_t from = p->bucket_start[k], to = p->bucket_start[k + 1], longest = 0;
        for (size_t i = from; i < to; i++) {
            size_t own = p->set->item[p->order[i]].frames;
            longest = MAX(longest, own);
            frames += own;
        }
        slots += (to - from) * longest;
    }
    p->padding = slots ? 1 - (double)frames / (double)slots : 0;
}

static void count_rest(SpeechPlan *p) {
    size_t taken = 0;
    for (size_t b = 0; b < p->steps * p->config.accumulate; b++)
        taken += bucket_size(p, p->bucket_order[b]);
    p->rest = p->config.training ? p->count - taken : 0;
}

static bool is_counted(const SpeechBatchConfig *c) { return c->batch_seconds == 0; }

/* Over the whole set, or, where `pool` is given, over `count` utterances of it. */
static void plan_over(SpeechPlan *p, const SpeechSet *set,
                      const SpeechBatchConfig *config, const size_t *pool, size_t count) {
    *p = (SpeechPlan){.set = set, .config = *config, .epoch = SIZE_MAX};
    SpeechBatchConfig *c = &p->config;
    p->count = pool ? count : set->count;
    c->accumulate = c->training ? MAX(c->accumulate, (size_t)1) : 1;
    c->parts = MAX(c->parts, (size_t)1);
    bool counted = is_counted(c);
    CHECK(counted ? c->batch >= c->accumulate : c->batch_seconds > 0,
          "%g s, batches of %zu in %zu parts", c->batch_seconds, c->batch, c->accumulate);
    p->sorted = natural_order(p, pool);
    if (pool && counted) c->shuffle = false; /* it stands in the epoch's order */
    if (counted) {
        make_counted(p);
    } else {
        sort_items(set, p->sorted, p->count);
        make_classes(p);
        make_buckets(p);
    }
    p->order = mem_alloc(MAX(p->count, (size_t)1) * sizeof *p->order);
    p->bucket_order = mem_alloc(MAX(p->buckets, (size_t)1) * sizeof *p->bucket_order);
    measure_padding(p);
    p->steps = c->training ? p->buckets / c->accumulate
                           : p->buckets / c->parts + (c->part < p->buckets % c->parts);
    count_rest(p);
}

/* The utterances of an epoch that its first `batches` batches leave, in new memory. */
static size_t *items_behind(SpeechPlan *p, size_t epoch, size_t batches, size_t *count) {
    size_t *items = mem_alloc(MAX(p->count, (size_t)1) * sizeof *items), filled = 0;
    need_epoch(p, epoch);
    for (size_t b = batches * p->config.accumulate; b < p->buckets; b++)
        for (size_t i = 0, k = p->bucket_order[b]; i < bucket_size(p, k); i++)
            items[filled++] = p->order[p->bucket_start[k] + i];
    for (size_t i = p->bucket_start[p->buckets]; i < p->count; i++)
        items[filled++] = p->order[i];
    *count = filled;
    return items;
}

/* What the place's parts leave of its epoch. */
static void make_left(SpeechPlan *p) {
    const Place *place = &p->config.start;
    size_t *pool = NULL, count = 0;
    p->left_steps = p->steps;
    if (!p->config.training || !place->parts) return;
    for (size_t i = 0; i <= place->parts; i++) {
        SpeechBatchConfig config = p->config;
        SpeechPlan *before = mem_zalloc(sizeof *before);
        if (i < place->parts) {
            config.batch = place->part[i].load > 0 ? 0 : place->part[i].batch;
            config.batch_seconds = place->part[i].load;
            config.accumulate = place->part[i].accumulate;
        }
        plan_over(before, p->set, &config, pool, count);
        mem_free(pool);
        pool = NULL;
        if (i == place->parts) {
            p->left = before;
            p->left_steps = before->steps;
            return;
        }
        pool = items_behind(before, place->epoch, place->part[i].batches, &count);
        speechplan_close(before);
        mem_free(before);
    }
}

Status speechplan_open(SpeechPlan *p, const SpeechSet *set,
                       const SpeechBatchConfig *config, Err *err) {
    CHECK(set->count, "a set of %zu utterances", set->count);
    size_t sample = config->training ? 0 : MIN(config->sample, set->count);
    size_t *pool = sample ? mem_array(sample, sizeof *pool) : NULL;
    for (size_t k = 0; k < sample; k++) pool[k] = spread_item(k, sample, set->count);
    plan_over(p, set, config, pool, sample);
    mem_free(pool);
    const SpeechBatchConfig *c = &p->config;
    make_left(p);
    if (p->steps || !c->training) return OK;
    if (is_counted(c))
        err_set(err, FAIL_USAGE, "train.batch = %zu is more than the %zu utterances",
                c->batch, set->count);
    else
        err_set(err, FAIL_USAGE,
                "the %zu utterances fill %zu buckets, fewer than train.accumulate = %zu",
                set->count, p->buckets, c->accumulate);
    speechplan_close(p);
    return FAIL_USAGE;
}

void speechplan_close(SpeechPlan *p) {
    if (p->left) speechplan_close(p->left);
    mem_free(p->left);
    mem_free(p->sorted);
    mem_free(p->class_start);
    mem_free(p->bucket_start);
    mem_free(p->order);
    mem_free(p->bucket_order);
    *p = (SpeechPlan){0};
}

/* ---- an epoch ---- */

static void shuffle_class(SpeechPlan *p, size_t class, size_t epoch) {
    size_t first = p->class_start[class], count = p->class_start[class + 1] - first;
    size_t *places = mem_alloc(count * sizeof *places);
    rng_permutation(rng_make(p->config.seed, RNG_SHUFFLE + 1 + class, epoch), places,
                    count);
    for (size_t k = 0; k < count; k++) p->order[first + k] = p->sorted[first + places[k]];
    mem_free(places);
}

static void need_epoch(SpeechPlan *p, size_t epoch) {
    if (p->epoch == epoch) return;
    p->epoch = epoch;
    bool shuffled = p->config.training && p->config.shuffle;
    memcpy(p->order, p->sorted, p->count * sizeof *p->order);
    for (size_t b = 0; b < p->buckets; b++) p->bucket_order[b] = b;
    if (!shuffled) return;
    for (size_t k = 0; k < p->classes; k++) shuffle_class(p, k, epoch);
    if (p->config.batch_seconds > 0)
        rng_permutation(rng_make(p->config.seed, RNG_SHUFFLE, epoch), p->bucket_order,
                        p->buckets);
}

/* ---- a batch ---- */

void speechplan_need(SpeechBatch *b, size_t items, size_t features) {
    if (items > b->room_items) {
        MEM_DROP(b->number);
        MEM_DROP(b->item);
        b->room_items = items;
        b->number = mem_alloc(5 * items * sizeof *b->number);
        b->item = mem_alloc(items * sizeof *b->item);
    }
    b->frames = b->number + b->room_items;
    b->start = b->number + 2 * b->room_items;
    b->place = b->number + 3 * b->room_items;
    b->speed = b->number + 4 * b->room_items;
    if (features <= b->room_features) return;
    MEM_DROP(b->features);
    b->room_features = features;
    b->features = mem_alloc(features * sizeof *b->features);
}

static int by_number(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* This part's piece of a bucket that begins at place `at` of the step.  What is left over
 * goes to the parts in turn, from one bucket to the next. */
static void take_piece(const SpeechPlan *p, size_t bucket, size_t at, size_t part,
                       size_t parts, SpeechBatch *b) {
    size_t size = bucket_size(p, bucket), turn = (part + parts - at % parts) % parts;
    size_t from = turn * (size / parts) + MIN(turn, size % parts);
    size_t to = from + size / parts + (turn < size % parts);
    for (size_t i = 0; i < size; i++) {
        size_t number = p->order[p->bucket_start[bucket] + i];
        b->longest = MAX(b->longest, p->set->item[number].frames);
        if (i < from || i >= to) continue;
        b->place[b->count] = at + i;
        b->number[b->count++] = number;
    }
}

static void take_buckets(const SpeechPlan *p, const size_t *buckets, size_t count,
                         size_t part, size_t parts, SpeechBatch *b) {
    size_t at = 0;
    b->count = b->whole = b->longest = 0;
    for (size_t k = 0; k < count; k++) b->whole += bucket_size(p, buckets[k]);
    speechplan_need(b, b->whole, 0);
    for (size_t k = 0; k < count; k++) {
        b->bucket_edge[k] = b->count;
        take_piece(p, buckets[k], at, part, parts, b);
        at += bucket_size(p, buckets[k]);
    }
    b->bucket_edge[count] = b->count;
    b->buckets = count;
}

static void pick_evaluated(SpeechPlan *p, size_t n, SpeechBatch *b) {
    const SpeechBatchConfig *c = &p->config;
    if (n > p->steps) return;
    need_epoch(p, 0);
    size_t bucket = (n - 1) * c->parts + c->part;
    take_buckets(p, &bucket, 1, 0, 1, b);
}

static void pick_trained(SpeechPlan *p, PlaceIn at, SpeechBatch *b) {
    const SpeechBatchConfig *c = &p->config;
    need_epoch(p, at.epoch);
    size_t *mine = mem_alloc(c->accumulate * sizeof *mine);
    memcpy(mine, p->bucket_order + at.index * c->accumulate,
           c->accumulate * sizeof *mine);
    qsort(mine, c->accumulate, sizeof *mine, by_number);
    take_buckets(p, mine, c->accumulate, c->part, c->parts, b);
    mem_free(mine);
}

void speechplan_pick(SpeechPlan *p, size_t n, SpeechBatch *b) {
    const SpeechBatchConfig *c = &p->config;
    CHECK(n > c->start.number, "batch %zu: %zu are over", n, c->start.number);
    MEM_DROP(b->bucket_edge);
    b->bucket_edge = mem_alloc((c->accumulate + 1) * sizeof *b->bucket_edge);
    b->count = b->whole = 0;
    if (!c->training) {
        pick_evaluated(p, n, b);
        return;
    }
    PlaceIn at = place_find(&c->start, p->left_steps, p->steps, n);
    pick_trained(at.first && p->left ? p->left : p, at, b);
}
