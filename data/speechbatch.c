#include "data/speechbatch.h"

#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "data/speechplan.h"

/* ---- pieces ---- */

static size_t frames_of(const SpeechBatch *b, size_t from, size_t to) {
    size_t frames = 0;
    for (size_t k = from; k < to; k++) frames += b->frames[k];
    return frames;
}

/* The first piece of bucket k, of `parts` in all: each has one, the others go by frames. */
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

typedef struct Place {
    SpeechBatch batch;
    size_t ready; /* number of the batch that is in it; 0: none */
    Status status;
    Err err;
} Place;

enum { RING = 2 };

struct SpeechLoader {
    SpeechSet *set;
    SpeechPlan plan;
    Place place[RING]; /* batch n is in n mod RING */
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* over `ready`, `oldest` and `stop` */
    pthread_cond_t filled, freed;
    size_t oldest; /* still wanted by the caller; those before are free */
    bool stop;
    /* the thread's alone before it starts, and then the caller's */
    size_t first, wanted, skipped;
    char skip_reason[sizeof((Err *)0)->text];
    SpeechBatch end; /* count 0, after the last batch */
};

/* One of the speeds in training where the set has them, as long as the text fits; and the rows. */
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
    if (speechset_features_at(l->set, number, speed, features, err)) return err->status;
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

/* Recordings that turn out to be damaged are closed up over. */
static Status fill_rows(SpeechLoader *l, SpeechBatch *b, size_t n, Err *err) {
    size_t count = b->count, kept = 0, start = 0, edge = 0;
    for (size_t k = 0; k < count; k++) {
        Err own = ERR_NONE;
        move_edges(b, k, kept, &edge);
        size_t size = b->frames[k] * b->filters;
        if (make_row(l, b, n, k, kept, start, &own) == OK) {
            kept++;
            start += size;
            continue;
        }
        *err = own;
        if (l->set->config.on_error == ON_ERROR_STOP || own.status != FAIL_DATA)
            return own.status;
        b->skipped++;
    }
    move_edges(b, count, kept, &edge);
    b->count = kept;
    return OK;
}

static Status fill(SpeechLoader *l, size_t n, Place *place) {
    SpeechBatch *b = &place->batch;
    place->err = ERR_NONE;
    b->filters = l->set->config.filters;
    b->seconds = 0;
    b->skipped = 0;
    speechplan_pick(&l->plan, n, b);
    size_t features = 0, planned = b->count;
    for (size_t k = 0; k < b->count; k++) {
        choose_speed(l, b, n, k);
        features += b->frames[k] * b->filters;
    }
    speechplan_need(b, 0, features);
    if (fill_rows(l, b, n, &place->err)) return place->err.status;
    if (b->count || !planned || !l->plan.config.training) return OK;
    return err_wrap(&place->err, "no recording of batch %zu can be read; the last", n);
}

/* ---- the thread ---- */

/* Waits until the place of batch n is free; false: the end. */
static bool wait_for_place(SpeechLoader *l, size_t n) {
    pthread_mutex_lock(&l->lock);
    while (!l->stop && n >= l->oldest + RING) pthread_cond_wait(&l->freed, &l->lock);
    bool go_on = !l->stop;
    pthread_mutex_unlock(&l->lock);
    return go_on;
}

/* One core for the products here: the step has the others. */
static void *work(void *argument) {
    SpeechLoader *l = argument;
    const SpeechPlan *p = &l->plan;
    omp_set_num_threads(1);
    for (size_t n = l->first; p->config.training || n <= p->steps; n++) {
        if (!wait_for_place(l, n)) break;
        Place *place = &l->place[n % RING];
        place->status = fill(l, n, place);
        pthread_mutex_lock(&l->lock);
        place->ready = n;
        pthread_cond_broadcast(&l->filled);
        pthread_mutex_unlock(&l->lock);
    }
    return NULL;
}

/* Signals are for the main thread: it must notice them while it waits. */
static Status start_thread(SpeechLoader *l, Err *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&l->thread, NULL, work, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    l->running = !code;
    if (!code) return OK;
    return err_set(err, FAIL_RUN, "a thread to load data cannot start: %s",
                   strerror(code));
}

SpeechLoader *speechloader_start(SpeechSet *set, const SpeechBatchConfig *config,
                                 size_t first, Err *err) {
    CHECK(first >= 1, "batches are numbered from 1, not %zu", first);
    SpeechLoader *l = mem_zalloc(sizeof *l);
    l->set = set;
    l->first = l->oldest = l->wanted = first;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->freed, NULL);
    pthread_condattr_t steady_clock;
    pthread_condattr_init(&steady_clock);
    pthread_condattr_setclock(&steady_clock, CLOCK_MONOTONIC);
    pthread_cond_init(&l->filled, &steady_clock);
    pthread_condattr_destroy(&steady_clock);
    if (!speechplan_open(&l->plan, set, config, err) && !start_thread(l, err)) return l;
    speechloader_stop(l);
    return NULL;
}

static void free_batch(SpeechBatch *b) {
    mem_free(b->item);
    mem_free(b->number);
    mem_free(b->features);
    mem_free(b->bucket_edge);
}

void speechloader_stop(SpeechLoader *l) {
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->freed);
    pthread_mutex_unlock(&l->lock);
    if (l->running) pthread_join(l->thread, NULL);
    for (size_t k = 0; k < RING; k++) free_batch(&l->place[k].batch);
    speechplan_close(&l->plan);
    pthread_cond_destroy(&l->filled);
    pthread_cond_destroy(&l->freed);
    pthread_mutex_destroy(&l->lock);
    mem_free(l);
}

/* ---- the caller's side ---- */

size_t speechloader_steps(const SpeechLoader *l) { return l->plan.steps; }

double speechloader_padding(const SpeechLoader *l) { return l->plan.padding; }

static void wait_a_moment(SpeechLoader *l) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&l->filled, &l->lock, &until);
}

/* Frees what the caller had before and waits for the wanted batch. */
static Status wait_for(SpeechLoader *l, const Place *place, Err *err) {
    bool (*interrupted)(void) = l->plan.config.interrupted;
    Status status = OK;
    pthread_mutex_lock(&l->lock);
    l->oldest = l->wanted;
    pthread_cond_broadcast(&l->freed);
    while (place->ready != l->wanted && !status) {
        if (interrupted && interrupted())
            status = err_set(err, FAIL_INTERRUPTED, "interrupted while waiting for data");
        else
            wait_a_moment(l);
    }
    pthread_mutex_unlock(&l->lock);
    return status;
}

static void give(SpeechLoader *l, Place *place, const SpeechBatch **batch) {
    SpeechBatch *b = &place->batch;
    if (b->skipped) memcpy(l->skip_reason, place->err.text, sizeof l->skip_reason);
    l->skipped += b->skipped;
    b->skipped = l->skipped;
    b->skip_reason = l->skip_reason;
    *batch = b;
}

static Status give_end(SpeechLoader *l, const SpeechBatch **batch) {
    l->end.skipped = l->skipped;
    l->end.skip_reason = l->skip_reason;
    *batch = &l->end;
    return OK;
}

Status speechloader_next(SpeechLoader *l, const SpeechBatch **batch, Err *err) {
    for (;;) {
        Place *place = &l->place[l->wanted % RING];
        bool ended = !l->plan.config.training && l->wanted > l->plan.steps;
        if (ended) break;
        Status status = wait_for(l, place, err);
        if (status) return status;
        if (place->status) {
            if (err) *err = place->err;
            return place->status;
        }
        l->wanted++;
        give(l, place, batch);
        /* A share of none is training's to judge; evaluation goes on to the next. */
        if (place->batch.count || l->plan.config.training) return OK;
    }
    return give_end(l, batch);
}
