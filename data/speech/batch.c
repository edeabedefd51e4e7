#include "data/speech/batch.h"

#include <omp.h>
#include <string.h>

#include "data/ring.h"
#include "data/speech/plan.h"

/* ---- pieces ---- */

static size_t frames_of(const SpeechBatch *b, size_t from, size_t to) {
    size_t frames = 0;
    for (size_t k = from; k < to; k++) frames += b->frames[k];
    return frames;
}

/* The first piece of bucket k, of `parts` in all: each has one, the others go by
 * frames. */
static size_t first_piece(const SpeechBatch *b, size_t k, size_t parts) {
    size_t all = frames_of(b, 0, b->count), before = frames_of(b, 0, b->bucket_edge[k]);
    return k + (all ? (parts - b->buckets) * before / all : 0);
}

size_t speechbatch_edge(const SpeechBatch *b, size_t i, size_t parts) {
    size_t bucket = 0, sum = 0;
    if (parts < b->buckets) {
        CHECK(parts >= b->count, "%zu parts of %zu utterances in %zu buckets", parts,
              b->count, b->buckets);
        return MIN(i, b->count);
    }
    if (i == parts) return b->count;
    while (bucket + 1 < b->buckets && first_piece(b, bucket + 1, parts) <= i) bucket++;
    size_t first = first_piece(b, bucket, parts), at = b->bucket_edge[bucket];
    size_t pieces = (bucket + 1 < b->buckets ? first_piece(b, bucket + 1, parts) : parts);
    size_t end = b->bucket_edge[bucket + 1], frames = frames_of(b, at, end);
    pieces -= first;
    while (at < end && sum * pieces < frames * (i - first)) sum += b->frames[at++];
    return at;
}

size_t speechbatch_longest(const SpeechBatch *b, size_t from, size_t to) {
    size_t longest = 0;
    CHECK(from <= to && to <= b->count, "[%zu, %zu) of %zu", from, to, b->count);
    for (size_t k = from; k < to; k++) longest = MAX(longest, b->frames[k]);
    return longest;
}

void speechbatch_pad(const SpeechBatch *b, size_t from, size_t to, size_t length,
                     real *padded) {
    CHECK(length >= speechbatch_longest(b, from, to), "length %zu", length);
    for (size_t k = from; k < to; k++) {
        size_t own = b->frames[k] * b->filters, all = length * b->filters;
        real *row = padded + (k - from) * all;
        memcpy(row, b->features + b->start[k], own * sizeof *row);
        memset(row + own, 0, (all - own) * sizeof *row);
    }
}

/* ---- making ---- */

enum { PLACES = 2 };

struct SpeechLoader {
    SpeechSet *set;
    SpeechPlan plan; /* the thread's, once it runs */
    Ring *ring;
    SpeechBatch batch[PLACES];
    /* the caller's side alone */
    size_t skipped;
    char skip_reason[sizeof((Err *)0)->text];
    SpeechBatch end; /* count 0, after the last batch */
};

/* One of the speeds in training where the set has them, as long as the text
 * fits; and the rows. */
static void choose_speed(const SpeechLoader *l, SpeechBatch *b, size_t n, size_t k) {
    enum { DRAW = 1 << 20 }; /* SpecAugment draws the first numbers of the stream */
    const SpeechBatchConfig *c = &l->plan.config;
    size_t number = b->number[k];
    b->speed[k] = 0;
    b->frames[k] = l->set->item[number].frames;
    if (!c->training || !l->set->config.speeds) return;
    Rng rng = rng_make(c->seed, RNG_AUGMENT + number, n);
    size_t speed = (size_t)(SPEECH_SPEEDS * rng_uniform(rng, DRAW));
    size_t frames = speechset_frames_at(l->set, number, speed);
    if (!frames) return;
    b->speed[k] = speed;
    b->frames[k] = frames;
}

/* Utterance `from` of the batch becomes the to-th: its features, or a fault. */
static Status make_row(SpeechLoader *l, SpeechBatch *b, size_t n, size_t from, size_t to,
                       size_t start, Err *err) {
    const SpeechBatchConfig *c = &l->plan.config;
    size_t number = b->number[from];
    const SpeechItem *item = &l->set->item[number];
    real *features = b->features + start;
    size_t frames = b->frames[from], speed = b->speed[from];
    Status status = speechset_features_at(l->set, number, speed, features, err);
    if (status) return status;
    if (c->training)
        specaugment(&c->augment, rng_make(c->seed, RNG_AUGMENT + number, n), features,
                    frames, b->filters);
    b->number[to] = number;
    b->item[to] = item;
    b->frames[to] = frames;
    b->speed[to] = speed;
    b->start[to] = start;
    b->place[to] = b->place[from];
    b->seconds += (double)item->samples / (double)item->rate;
    return OK;
}

static void move_edges(SpeechBatch *b, size_t from, size_t to, size_t *edge) {
    while (*edge <= b->buckets && b->bucket_edge[*edge] <= from)
        b->bucket_edge[(*edge)++] = to;
}

/* In training another utterance that is no longer takes a damaged one's place, so that
 * the mean is over as many; false: none can. */
static bool replace_row(SpeechLoader *l, SpeechBatch *b, size_t n, size_t from, size_t to,
                        size_t start) {
    enum { TRIES = 16 }; /* where most are damaged, the disk is */
    size_t count = l->set->count, damaged = b->number[from];
    size_t tries = l->plan.config.training ? TRIES : 0;
    size_t most = l->set->item[damaged].frames;
    for (size_t i = 1; i < count && tries; i++) {
        size_t other = (damaged + i) % count;
        if (l->set->item[other].frames > most) continue;
        tries--;
        b->number[from] = other;
        b->frames[from] = l->set->item[other].frames;
        b->speed[from] = 0;
        if (make_row(l, b, n, from, to, start, NULL) == OK) return true;
    }
    return false;
}

/* Recordings that turn out to be damaged and cannot be replaced are closed up over. */
static Status fill_rows(SpeechLoader *l, SpeechBatch *b, size_t n, Err *err) {
    size_t count = b->count, kept = 0, start = 0, edge = 0;
    for (size_t k = 0; k < count; k++) {
        Err own = ERR_NONE;
        move_edges(b, k, kept, &edge);
        bool made = make_row(l, b, n, k, kept, start, &own) == OK;
        if (!made) {
            *err = own;
            if (l->set->config.on_error == ON_ERROR_STOP || own.status != FAIL_DATA)
                return own.status;
            b->skipped++;
            skiplist_add(&b->broken, b->number[k], own.text);
            made = replace_row(l, b, n, k, kept, start);
        }
        if (made) start += b->frames[kept++] * b->filters;
    }
    move_edges(b, count, kept, &edge);
    b->count = kept;
    if (!l->plan.config.training) b->whole -= count - kept;
    return OK;
}

/* One core for the products here: the step has the others. */
static Status fill(void *owner, size_t thread, size_t n, const atomic_bool *stop,
                   Err *err) {
    SpeechLoader *l = owner;
    SpeechBatch *b = &l->batch[n % PLACES];
    (void)thread;
    (void)stop;
    omp_set_num_threads(1);
    b->filters = l->set->config.filters;
    b->seconds = 0;
    b->skipped = 0;
    skiplist_cut(&b->broken, 0);
    speechplan_pick(&l->plan, n, b);
    size_t features = 0, planned = b->count;
    for (size_t k = 0; k < b->count; k++) {
        choose_speed(l, b, n, k);
        features += MAX(b->frames[k], l->set->item[b->number[k]].frames) * b->filters;
    }
    speechplan_need(b, 0, features);
    if (fill_rows(l, b, n, err)) return err->status;
    if (b->count || !planned || !l->plan.config.training) return OK;
    return err_wrap(err, "none of the recordings of batch %zu can be read; the last", n);
}

/* ---- the caller's side ---- */

SpeechLoader *speechloader_start(SpeechSet *set, const SpeechBatchConfig *config,
                                 size_t first, Err *err) {
    SpeechLoader *l = mem_zalloc(sizeof *l);
    l->set = set;
    if (!speechplan_open(&l->plan, set, config, err)) {
        RingConfig ring = {.fill = fill,
                           .owner = l,
                           .places = PLACES,
                           .first = first,
                           .last = config->training ? SIZE_MAX : l->plan.steps,
                           .interrupted = config->interrupted};
        l->ring = ring_start(&ring, err);
    }
    if (l->ring) return l;
    speechloader_stop(l);
    return NULL;
}

static void free_batch(SpeechBatch *b) {
    mem_free(b->item);
    mem_free(b->number);
    mem_free(b->features);
    mem_free(b->bucket_edge);
    skiplist_free(&b->broken);
}

void speechloader_stop(SpeechLoader *l) {
    if (!l) return;
    ring_stop(l->ring);
    for (size_t k = 0; k < PLACES; k++) free_batch(&l->batch[k]);
    speechplan_close(&l->plan);
    mem_free(l);
}

size_t speechloader_steps(const SpeechLoader *l) { return l->plan.steps; }

size_t speechloader_left(const SpeechLoader *l) { return l->plan.left_steps; }

size_t speechloader_rest(const SpeechLoader *l) { return l->plan.rest; }

double speechloader_padding(const SpeechLoader *l) { return l->plan.padding; }

static Status give_end(SpeechLoader *l, const SpeechBatch **batch) {
    l->end.skipped = l->skipped;
    l->end.skip_reason = l->skip_reason;
    *batch = &l->end;
    return OK;
}

Status speechloader_next(SpeechLoader *l, const SpeechBatch **batch, Err *err) {
    Err own;
    for (size_t n;;) {
        Status status = ring_next(l->ring, &n, &own);
        if (status && err) *err = own;
        if (status) return status;
        if (!n) return give_end(l, batch);
        SpeechBatch *next = &l->batch[n % PLACES];
        if (next->skipped) memcpy(l->skip_reason, own.text, sizeof own.text);
        l->skipped += next->skipped;
        next->skipped = l->skipped;
        next->skip_reason = l->skip_reason;
        *batch = next;
        /* A share of none is training's to judge; evaluation goes on to the next. */
        if (next->count || l->plan.config.training) return OK;
    }
}
