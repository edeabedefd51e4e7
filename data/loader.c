#include "data/loader.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "data/maker.h"

#define WORKERS_MAX 64
#define RING_BYTES ((size_t)256 << 20) /* larger batches get no spare place in the ring */

/* Batch n lives in place n mod ring.  A worker claims the next number, fills its place
 * without the lock, and says so; places are free again when the caller asks for the
 * batch after. */
typedef struct Place {
    Batch batch;
    size_t ready; /* number of the batch that is in it; 0: none */
    Status status;
    Err err;
} Place;

typedef struct Worker {
    struct Loader *loader;
    Maker *maker;
    pthread_t thread;
} Worker;

struct Loader {
    LoaderConfig config;
    Place *place;
    size_t ring;
    Worker worker[WORKERS_MAX];
    size_t workers, running;
    size_t last;          /* number of the last batch */
    pthread_mutex_t lock; /* over everything below, and `ready` */
    pthread_cond_t filled, freed;
    size_t next;   /* to be claimed */
    size_t oldest; /* still wanted by the caller; those before are free */
    atomic_bool stop;
    /* the caller's side alone */
    size_t wanted; /* number of the batch that loader_next gives */
    size_t given, skipped;
    Batch end; /* count 0, after the last batch */
    char skip_reason[sizeof((Err *)0)->text];
};

/* --- workers ------------------------------------------------------------------------ */

/* The next number, when its place is free; 0: there is no more work. */
static size_t claim(Loader *loader) {
    size_t n = 0;
    pthread_mutex_lock(&loader->lock);
    while (!loader->stop && loader->next <= loader->last &&
           loader->next >= loader->oldest + loader->ring)
        pthread_cond_wait(&loader->freed, &loader->lock);
    if (!loader->stop && loader->next <= loader->last) n = loader->next++;
    pthread_mutex_unlock(&loader->lock);
    return n;
}

static void *work(void *argument) {
    Worker *worker = argument;
    Loader *loader = worker->loader;
    for (size_t n; (n = claim(loader));) {
        Place *place = &loader->place[n % loader->ring];
        place->err = ERR_NONE;
        place->status =
            maker_fill(worker->maker, n, &place->batch, &loader->stop, &place->err);
        pthread_mutex_lock(&loader->lock);
        place->ready = n;
        pthread_cond_broadcast(&loader->filled);
        pthread_mutex_unlock(&loader->lock);
    }
    return NULL;
}

/* Signals are for the main thread: it must notice them while it waits. */
static Status start_workers(Loader *loader, Err *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = 0;
    while (loader->running < loader->workers && !code) {
        Worker *worker = &loader->worker[loader->running];
        code = pthread_create(&worker->thread, NULL, work, worker);
        if (!code) loader->running++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!code) return OK;
    return err_set(err, FAIL_RUN, "a thread to load data cannot start: %s",
                   strerror(code));
}

/* --- the caller's side -------------------------------------------------------------- */

static void make_places(Loader *loader, const Dataset *set) {
    const LoaderConfig *config = &loader->config;
    size_t bytes = batch_room(config) * set->channels * config->height * config->width *
                   sizeof(real);
    loader->ring = loader->workers + (bytes > RING_BYTES ? 1 : 2);
    loader->place = mem_zalloc(loader->ring * sizeof *loader->place);
    for (size_t k = 0; k < loader->ring; k++)
        batch_begin(&loader->place[k].batch, set, config);
}

static Status make_workers(Loader *loader, const Dataset *set, Err *err) {
    loader->workers = MAX(1, MIN(loader->config.workers, (size_t)WORKERS_MAX));
    for (size_t k = 0; k < loader->workers; k++) {
        loader->worker[k].loader = loader;
        loader->worker[k].maker = maker_new(set, &loader->config, err);
        if (!loader->worker[k].maker) return FAIL_USAGE;
    }
    loader->last = maker_last(loader->worker[0].maker);
    return OK;
}

Loader *loader_start(const Dataset *set, const LoaderConfig *config, size_t first,
                     Err *err) {
    CHECK(first >= 1, "batches are numbered from 1, not %zu", first);
    Loader *loader = mem_zalloc(sizeof *loader);
    loader->config = *config;
    loader->next = loader->oldest = loader->wanted = first;
    loader->end.skip_reason = loader->skip_reason;
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->freed, NULL);
    pthread_condattr_t steady_clock;
    pthread_condattr_init(&steady_clock);
    pthread_condattr_setclock(&steady_clock, CLOCK_MONOTONIC);
    pthread_cond_init(&loader->filled, &steady_clock);
    pthread_condattr_destroy(&steady_clock);
    Status status = make_workers(loader, set, err);
    if (!status) {
        make_places(loader, set);
        status = start_workers(loader, err);
    }
    if (!status) return loader;
    loader_stop(loader);
    return NULL;
}

void loader_stop(Loader *loader) {
    if (!loader) return;
    pthread_mutex_lock(&loader->lock);
    atomic_store(&loader->stop, true);
    pthread_cond_broadcast(&loader->freed);
    pthread_mutex_unlock(&loader->lock);
    for (size_t k = 0; k < loader->running; k++)
        pthread_join(loader->worker[k].thread, NULL);
    for (size_t k = 0; k < loader->workers; k++) maker_free(loader->worker[k].maker);
    for (size_t k = 0; loader->place && k < loader->ring; k++)
        batch_end(&loader->place[k].batch);
    mem_free(loader->place);
    pthread_cond_destroy(&loader->filled);
    pthread_cond_destroy(&loader->freed);
    pthread_mutex_destroy(&loader->lock);
    mem_free(loader);
}

static void wait_a_moment(Loader *loader) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&loader->filled, &loader->lock, &until);
}

/* Frees what the caller had before and waits for the wanted batch. */
static Status wait_for(Loader *loader, Place *place, Err *err) {
    Status status = OK;
    pthread_mutex_lock(&loader->lock);
    if (loader->oldest != loader->wanted) {
        loader->oldest = loader->wanted;
        pthread_cond_broadcast(&loader->freed);
    }
    while (place->ready != loader->wanted && !status) {
        if (loader->config.interrupted && loader->config.interrupted())
            status = err_set(err, FAIL_INTERRUPTED, "interrupted while waiting for data");
        else
            wait_a_moment(loader);
    }
    pthread_mutex_unlock(&loader->lock);
    return status;
}

static void take_note(Loader *loader, const Place *place) {
    if (place->batch.skipped == 0) return;
    loader->skipped += place->batch.skipped;
    memcpy(loader->skip_reason, place->err.text, sizeof loader->skip_reason);
}

static Status give_end(Loader *loader, const Batch **batch, Err *err) {
    loader->end.skipped = loader->skipped;
    *batch = &loader->end;
    if (loader->given || !loader->skipped || loader->config.parts > 1) return OK;
    return err_set(err, FAIL_DATA, "none of %zu images can be read; the last: %.800s",
                   loader->skipped, loader->skip_reason);
}

Status loader_next(Loader *loader, const Batch **batch, Err *err) {
    while (loader->wanted <= loader->last) {
        Place *place = &loader->place[loader->wanted % loader->ring];
        Status status = wait_for(loader, place, err);
        if (status) return status;
        if (place->status) {
            if (err) *err = place->err;
            return place->status;
        }
        take_note(loader, place);
        loader->wanted++;
        if (place->batch.count == 0)
            continue; /* evaluation: every item of it was broken */
        place->batch.skipped = loader->skipped;
        place->batch.skip_reason = loader->skip_reason;
        loader->given += place->batch.count;
        *batch = &place->batch;
        return OK;
    }
    return give_end(loader, batch, err);
}
