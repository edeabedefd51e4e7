#include "data/text/batch.h"

#include <stdlib.h>
#include <string.h>

#include "data/spread.h"
#include "engine/core/rng.h"

/* ---- memory ---- */

static void need(uint32_t **list, size_t *room, size_t count) {
    if (count <= *room && *list) return;
    MEM_DROP(*list);
    *room = MAX(count, (size_t)64);
    *list = mem_alloc(*room * sizeof **list);
}

static void need_batch(TextBatch *b, size_t count, size_t source, size_t target) {
    if (count > b->room_items || !b->item) {
        MEM_DROP(b->item);
        b->room_items = MAX(count, (size_t)64);
        b->item = mem_alloc(3 * b->room_items * sizeof *b->item);
        b->source_count = b->item + b->room_items;
        b->target_count = b->item + 2 * b->room_items;
    }
    need(&b->source, &b->room_source, count * source);
    if (count * target > b->room_target || !b->input) {
        MEM_DROP(b->input);
        b->room_target = MAX(count * target, (size_t)64);
        b->input = mem_alloc(2 * b->room_target * sizeof *b->input);
        b->target = b->input + b->room_target;
    }
    b->count = count;
    b->source_length = source;
    b->length = target;
    b->buckets = 0;
}

void textbatch_free(TextBatch *b) {
    mem_free(b->item);
    mem_free(b->source);
    mem_free(b->input);
    mem_free(b->bucket_edge);
    *b = (TextBatch){0};
}

/* ---- rows ---- */

static void copy_padded(uint32_t *to, const uint32_t *from, size_t count, size_t length) {
    memcpy(to, from, count * sizeof *to);
    for (size_t i = count; i < length; i++) to[i] = ID_PAD;
}

void textbatch_cut(const TextBatch *b, size_t from, size_t to, TextBatch *piece) {
    size_t source = 0, target = 0;
    for (size_t i = from; i < to; i++) {
        source = MAX(source, b->source_count[i]);
        target = MAX(target, b->target_count[i]);
    }
    need_batch(piece, to - from, source, target);
    piece->first = b->first + from;
    piece->whole = b->whole;
    piece->targets = b->targets;
    for (size_t i = from, k = 0; i < to; i++, k++) {
        piece->item[k] = b->item[i];
        piece->source_count[k] = b->source_count[i];
        piece->target_count[k] = b->target_count[i];
        copy_padded(piece->source + k * source, b->source + i * b->source_length,
                    b->source_count[i], source);
        copy_padded(piece->input + k * target, b->input + i * b->length,
                    b->target_count[i], target);
        copy_padded(piece->target + k * target, b->target + i * b->length,
                    b->target_count[i], target);
    }
}

size_t textbatch_edge(const TextBatch *b, size_t i, size_t parts) {
    size_t tokens = 0, sum = 0, at = 0;
    if (parts == b->buckets) return b->bucket_edge[i];
    for (size_t k = 0; k < b->count; k++)
        tokens += b->source_count[k] + b->target_count[k];
    for (; at < b->count && sum * parts < tokens * i; at++)
        sum += b->source_count[at] + b->target_count[at];
    return i == parts ? b->count : at;
}

/* Blocks of a stream. */
static void fill_blocks(const TextSet *set, const size_t *items, size_t count,
                        size_t context, TextBatch *b) {
    need_batch(b, count, 0, context);
    for (size_t k = 0; k < count; k++) {
        const uint32_t *ids = set->stream + items[k] * context;
        b->item[k] = items[k];
        b->source_count[k] = 0;
        b->target_count[k] = context;
        memcpy(b->input + k * context, ids, context * sizeof *ids);
        memcpy(b->target + k * context, ids + 1, context * sizeof *ids);
    }
}

static void fill_pairs(const TextSet *set, const size_t *items, size_t count,
                       TextBatch *b) {
    size_t source = 0, target = 0, m, n;
    for (size_t k = 0; k < count; k++) {
        textset_source(set, items[k], &m);
        textset_target(set, items[k], &n);
        source = MAX(source, m), target = MAX(target, n);
    }
    need_batch(b, count, source, target);
    for (size_t k = 0; k < count; k++) {
        const uint32_t *x = textset_source(set, items[k], &m);
        const uint32_t *y = textset_target(set, items[k], &n);
        b->item[k] = items[k];
        b->source_count[k] = m, b->target_count[k] = n;
        copy_padded(b->source + k * source, x, m, source);
        copy_padded(b->target + k * target, y, n, target);
        copy_padded(b->input + k * target + 1, y, n - 1, target - 1);
        b->input[k * target] = ID_EOS;
    }
}

/* ---- order ---- */

typedef struct Length {
    uint32_t target, source;
    size_t order, item; /* order: of equals */
} Length;

static int by_length(const void *a, const void *b) {
    const Length *x = a, *y = b;
    if (x->target != y->target) return x->target < y->target ? -1 : 1;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* items become ordered by length; equals stay as they are. */
static void sort_items(const TextSet *set, size_t *items, size_t count) {
    Length *lengths = mem_alloc(MAX(count, (size_t)1) * sizeof *lengths);
    for (size_t i = 0; i < count; i++) {
        size_t m, n;
        textset_source(set, items[i], &m);
        textset_target(set, items[i], &n);
        lengths[i] = (Length){(uint32_t)n, (uint32_t)m, i, items[i]};
    }
    qsort(lengths, count, sizeof *lengths, by_length);
    for (size_t i = 0; i < count; i++) items[i] = lengths[i].item;
    mem_free(lengths);
}

static size_t slots_of(const TextSet *set, size_t item) {
    size_t m, n;
    textset_source(set, item, &m);
    textset_target(set, item, &n);
    return MAX(m, n);
}

/* The end of the bucket that begins at items[at]: n max(length) <= tokens, n a multiple
 * of 8 where there are more than 8, and one at least. */
static size_t bucket_end(const TextSet *set, const size_t *items, size_t count, size_t at,
                         size_t tokens) {
    enum { MULTIPLE = 8 };
    size_t end = at, longest = 0;
    while (end < count) {
        longest = MAX(longest, slots_of(set, items[end]));
        if (end > at && (end - at + 1) * longest > tokens) break;
        end++;
    }
    size_t n = end - at;
    return end < count && n > MULTIPLE ? at + n / MULTIPLE * MULTIPLE : end;
}

/* ---- plans ---- */

struct TextPlan {
    const TextSet *set;
    TextPlanConfig config;
    size_t *pool; /* [items] the rest of an epoch, in its order; NULL: the whole set */
    size_t items, steps;
    Place place;                  /* what is over */
    TextPlan *rest;               /* of the place's epoch; NULL: all of it */
    size_t epoch;                 /* whose order is held; SIZE_MAX: none */
    size_t *order;                /* [items] */
    size_t *bucket, bucket_count; /* [bucket_count + 1] where buckets begin in order */
    size_t *bucket_order;         /* [bucket_count] of the epoch */
};

static void make_permutation(const TextPlan *p, uint64_t stream, size_t *order,
                             size_t count) {
    if (p->config.shuffle)
        rng_permutation(rng_make(p->config.seed, RNG_SHUFFLE, stream), order, count);
    else
        for (size_t i = 0; i < count; i++) order[i] = i;
}

/* Of the items: the pool's own, or a permutation. */
static void make_order(TextPlan *p, uint64_t stream) {
    if (p->pool) memcpy(p->order, p->pool, p->items * sizeof *p->order);
    else make_permutation(p, stream, p->order, p->items);
}

/* Buckets are the same in each epoch; their order is not. */
static void make_buckets(TextPlan *p) {
    size_t tokens = MAX(p->config.batch_tokens / p->config.accumulate, (size_t)1);
    p->bucket = mem_alloc((p->items + 1) * sizeof *p->bucket);
    make_order(p, UINT64_MAX);
    sort_items(p->set, p->order, p->items);
    p->bucket[0] = 0;
    while (p->bucket[p->bucket_count] < p->items) {
        size_t end =
            bucket_end(p->set, p->order, p->items, p->bucket[p->bucket_count], tokens);
        p->bucket[++p->bucket_count] = end;
    }
    p->bucket_order = mem_alloc(p->bucket_count * sizeof *p->bucket_order);
}

/* Blocks or pairs. */
static size_t items_of(const TextSet *set, size_t context) {
    if (set->pairs) return set->count;
    return set->stream_count > 1 ? (set->stream_count - 1) / context : 0;
}

/* Over the whole set, or, where `pool` is given (taken over), over `count` items of
 * it. */
static TextPlan *plan_over(const TextSet *set, const TextPlanConfig *config, size_t *pool,
                           size_t count) {
    TextPlan *p = mem_zalloc(sizeof *p);
    *p = (TextPlan){.set = set, .config = *config, .pool = pool, .epoch = SIZE_MAX};
    TextPlanConfig *c = &p->config;
    c->accumulate = MAX(c->accumulate, (size_t)1);
    c->parts = MAX(c->parts, (size_t)1);
    p->items = pool ? count : items_of(set, c->context);
    p->order = mem_alloc(MAX(p->items, (size_t)1) * sizeof *p->order);
    if (set->pairs && c->batch_tokens && p->items) make_buckets(p);
    p->steps = p->bucket_count ? p->bucket_count / c->accumulate : p->items / c->batch;
    return p;
}

/* The items of a sample, in new memory; NULL: of all. */
static size_t *spread(const TextSet *set, const TextPlanConfig *config, size_t sample) {
    size_t items = items_of(set, config->context);
    size_t *pool = sample ? mem_array(sample, sizeof *pool) : NULL;
    for (size_t k = 0; k < sample; k++) pool[k] = spread_item(k, sample, items);
    return pool;
}

TextPlan *textplan_new(const TextSet *set, const TextPlanConfig *config, Err *err) {
    size_t sample = MIN(config->sample, items_of(set, config->context));
    TextPlan *p = plan_over(set, config, spread(set, config, sample), sample);
    const TextPlanConfig *c = &p->config;
    if (p->steps) return p;
    if (p->bucket_count)
        err_set(err, FAIL_USAGE,
                "the %zu pairs fill %zu buckets, fewer than train.accumulate = %zu",
                p->items, p->bucket_count, c->accumulate);
    else if (set->pairs)
        err_set(err, FAIL_USAGE, "train.batch = %zu is more than the %zu training pairs",
                c->batch, p->items);
    else
        err_set(err, FAIL_USAGE,
                "train.batch = %zu is more than the %zu blocks of the training text "
                "(%zu tokens; a block is model.context = %zu tokens and the next one); "
                "use a longer text, or a smaller batch or context",
                c->batch, p->items, set->stream_count, c->context);
    textplan_free(p);
    return NULL;
}

void textplan_free(TextPlan *p) {
    if (!p) return;
    textplan_free(p->rest);
    mem_free(p->pool);
    mem_free(p->order);
    mem_free(p->bucket);
    mem_free(p->bucket_order);
    mem_free(p);
}

size_t textplan_items(const TextPlan *p) { return p->items; }

size_t textplan_steps(const TextPlan *p) { return p->steps; }

size_t textplan_buckets(const TextPlan *p) { return p->bucket_count; }

static void need_epoch(TextPlan *p, size_t epoch) {
    if (p->epoch == epoch) return;
    p->epoch = epoch;
    if (p->bucket_count) make_permutation(p, epoch, p->bucket_order, p->bucket_count);
    else make_order(p, epoch);
}

/* The items of an epoch that its first `batches` batches leave, in new memory. */
static size_t *items_behind(TextPlan *p, size_t epoch, size_t batches, size_t *count) {
    size_t *items = mem_alloc(MAX(p->items, (size_t)1) * sizeof *items), filled = 0;
    need_epoch(p, epoch);
    size_t from = MIN(batches * p->config.batch, p->items);
    for (size_t k = from; k < p->items && !p->bucket_count; k++)
        items[filled++] = p->order[k];
    for (size_t b = batches * p->config.accumulate; b < p->bucket_count; b++)
        for (size_t k = p->bucket[p->bucket_order[b]];
             k < p->bucket[p->bucket_order[b] + 1]; k++)
            items[filled++] = p->order[k];
    *count = filled;
    return items;
}

size_t textplan_go_on(TextPlan *p, const Place *place) {
    textplan_free(p->rest);
    p->rest = NULL;
    p->place = *place;
    size_t *pool = NULL, count = 0;
    for (size_t i = 0; i < place->parts; i++) {
        const PlacePart *part = &place->part[i];
        TextPlanConfig config = p->config;
        config.batch = MAX(part->batch, (size_t)1);
        config.batch_tokens = (size_t)part->load;
        config.accumulate = part->accumulate;
        TextPlan *before = plan_over(p->set, &config, pool, count);
        pool = items_behind(before, place->epoch, part->batches, &count);
        textplan_free(before);
    }
    if (place->parts) p->rest = plan_over(p->set, &p->config, pool, count);
    return p->rest ? p->rest->steps : p->steps;
}

/* The plan that batch n is of, with the batch's epoch and index. */
static TextPlan *plan_of(TextPlan *p, size_t n, PlaceIn *at) {
    *at = place_find(&p->place, p->rest ? p->rest->steps : p->steps, p->steps, n);
    return at->first && p->rest ? p->rest : p;
}

/* The items of a batch, in new memory. */
static size_t *step_items(TextPlan *p, PlaceIn at, size_t *count) {
    size_t step = at.index;
    need_epoch(p, at.epoch);
    const size_t *buckets = p->bucket_order + step * p->config.accumulate;
    *count = p->bucket_count ? 0 : p->config.batch;
    for (size_t i = 0; p->bucket_count && i < p->config.accumulate; i++)
        *count += p->bucket[buckets[i] + 1] - p->bucket[buckets[i]];
    size_t *items = mem_alloc(*count * sizeof *items), filled = 0;
    if (!p->bucket_count) memcpy(items, p->order + step * *count, *count * sizeof *items);
    for (size_t i = 0; filled < *count && p->bucket_count; i++)
        for (size_t k = p->bucket[buckets[i]]; k < p->bucket[buckets[i] + 1]; k++)
            items[filled++] = p->order[k];
    if (p->set->pairs) sort_items(p->set, items, *count);
    return items;
}

/* Ranks take every parts-th pair, so that their lengths are alike (and are numbered rank
 * after rank); blocks are all of one length. */
static size_t own_items(const TextPlan *p, size_t *items, size_t count, size_t *first) {
    size_t part = p->config.part, parts = p->config.parts;
    size_t from = count * part / parts, to = count * (part + 1) / parts, kept = 0;
    *first = p->set->pairs ? part * (count / parts) + MIN(part, count % parts) : from;
    if (!p->set->pairs) {
        memmove(items, items + from, (to - from) * sizeof *items);
        return to - from;
    }
    for (size_t i = part; i < count; i += parts) items[kept++] = items[i];
    return kept;
}

static int by_number(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Buckets are numbered by length, and so the rows of a step stand bucket by bucket; of
 * the first `end` rows of all ranks every parts-th is ours. */
static void set_edges(const TextPlan *p, size_t index, TextBatch *b) {
    size_t buckets = p->bucket_count ? p->config.accumulate : 0, end = 0;
    size_t part = p->config.part, parts = p->config.parts;
    if (!buckets) return;
    MEM_DROP(b->bucket_edge);
    b->bucket_edge = mem_zalloc((buckets + 1) * sizeof *b->bucket_edge);
    b->buckets = buckets;
    memcpy(b->bucket_edge + 1, p->bucket_order + index * buckets,
           buckets * sizeof *b->bucket_edge);
    qsort(b->bucket_edge + 1, buckets, sizeof *b->bucket_edge, by_number);
    for (size_t i = 1; i <= buckets; i++) {
        size_t bucket = b->bucket_edge[i];
        end += p->bucket[bucket + 1] - p->bucket[bucket];
        b->bucket_edge[i] = end > part ? (end - part - 1) / parts + 1 : 0;
    }
}

void textplan_fill(TextPlan *plan, size_t n, TextBatch *b) {
    CHECK(n > plan->place.number, "batch %zu: %zu are over", n, plan->place.number);
    size_t count, first, targets = 0, length;
    PlaceIn at;
    TextPlan *p = plan_of(plan, n, &at);
    size_t *items = step_items(p, at, &count);
    for (size_t i = 0; p->set->pairs && i < count; i++) {
        textset_target(p->set, items[i], &length);
        targets += length;
    }
    size_t own = own_items(p, items, count, &first);
    if (p->set->pairs) fill_pairs(p->set, items, own, b);
    else fill_blocks(p->set, items, own, p->config.context, b);
    set_edges(p, at.index, b);
    b->first = first;
    b->whole = count;
    b->targets = p->set->pairs ? targets : count * p->config.context;
    mem_free(items);
}

/* Token slots of rows [from, to), cut out as a micro-batch. */
static size_t slots_of_piece(const TextBatch *b, size_t from, size_t to) {
    size_t source = 0, target = 0;
    for (size_t k = from; k < to; k++) {
        source = MAX(source, b->source_count[k]);
        target = MAX(target, b->target_count[k]);
    }
    return (to - from) * (source + target);
}

double textplan_padding(TextPlan *p) {
    size_t slots = 0, tokens = 0, pieces = p->config.accumulate;
    TextBatch b = {0};
    for (size_t n = 1; n <= p->steps && p->set->pairs; n++) {
        textplan_fill(p, n, &b);
        for (size_t k = 0; k < b.count; k++)
            tokens += b.source_count[k] + b.target_count[k];
        for (size_t i = 0; i < pieces; i++)
            slots += slots_of_piece(&b, textbatch_edge(&b, i, pieces),
                                    textbatch_edge(&b, i + 1, pieces));
    }
    textbatch_free(&b);
    return slots ? 1 - (double)tokens / (double)slots : 0;
}

/* ---- evaluation ---- */

struct TextEval {
    const TextSet *set;
    size_t tokens, part, parts;
    size_t *order, at, number;
};

TextEval *texteval_new(const TextSet *set, size_t tokens, size_t part, size_t parts) {
    TextEval *e = mem_zalloc(sizeof *e);
    *e = (TextEval){set, tokens, part, MAX(parts, (size_t)1), NULL, 0, 0};
    e->order = mem_alloc(MAX(set->count, (size_t)1) * sizeof *e->order);
    for (size_t i = 0; i < set->count; i++) e->order[i] = i;
    sort_items(set, e->order, set->count);
    return e;
}

bool texteval_next(TextEval *e, TextBatch *b) {
    while (e->at < e->set->count) {
        size_t from = e->at;
        e->at = bucket_end(e->set, e->order, e->set->count, from, e->tokens);
        if (e->number++ % e->parts != e->part) continue;
        fill_pairs(e->set, e->order + from, e->at - from, b);
        b->first = 0;
        b->whole = b->count;
        b->targets = 0;
        for (size_t i = 0; i < b->count; i++) b->targets += b->target_count[i];
        return true;
    }
    return false;
}

void texteval_free(TextEval *e) {
    if (!e) return;
    mem_free(e->order);
    mem_free(e);
}
