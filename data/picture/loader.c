#include "data/picture/loader.h"

#include <string.h>

#include "data/picture/maker.h"
#include "data/ring.h"

#define RING_BYTES ((size_t)256 << 20) /* larger batches get no spare place in the ring */

struct Loader {
    LoaderConfig config;
    Ring *ring;
    Batch *batch; /* [places] */
    size_t places;
    Maker *maker[RING_THREADS_MAX]; /* [makers] a thread's each */
    size_t makers;
    /* the caller's side alone */
    size_t given, skipped;
    Batch end;     /* count 0, after the last batch */
    SkipList lost; /* of batches without an example: they go to the next that is given */
    char skip_reason[sizeof((Err *)0)->text];
};

static Status fill(void *owner, size_t thread, size_t n, const atomic_bool *stop,
                   Err *err) {
    Loader *loader = owner;
    Batch *batch = &loader->batch[n % loader->places];
    double began = clock_now();
    Status status = maker_fill(loader->maker[thread], n, batch, stop, err);
    batch->seconds = clock_now() - began;
    return status;
}

/* --- the caller's side -------------------------------------------------------------- */

static void make_places(Loader *loader, const Dataset *set) {
    const LoaderConfig *config = &loader->config;
    size_t bytes = batch_room(config) * set->channels * config->height * config->width *
                   batch_views(config) * sizeof(real);
    loader->places = loader->makers + (bytes > RING_BYTES ? 1 : 2);
    loader->batch = mem_zalloc(loader->places * sizeof *loader->batch);
    for (size_t k = 0; k < loader->places; k++)
        batch_begin(&loader->batch[k], set, config);
}

static Status make_makers(Loader *loader, const Dataset *set, Err *err) {
    loader->makers = MAX(1, MIN(loader->config.workers, (size_t)RING_THREADS_MAX));
    for (size_t k = 0; k < loader->makers; k++) {
        loader->maker[k] = maker_new(set, &loader->config, err);
        if (!loader->maker[k]) return FAIL_USAGE;
    }
    return OK;
}

static Ring *start_ring(Loader *loader, size_t first, Err *err) {
    RingConfig config = {.fill = fill,
                         .owner = loader,
                         .threads = loader->makers,
                         .places = loader->places,
                         .first = first,
                         .last = maker_last(loader->maker[0]),
                         .interrupted = loader->config.interrupted};
    return ring_start(&config, err);
}

Loader *loader_start(const Dataset *set, const LoaderConfig *config, size_t first,
                     Err *err) {
    CHECK(first >= 1, "batches are numbered from 1, not %zu", first);
    Loader *loader = mem_zalloc(sizeof *loader);
    loader->config = *config;
    loader->end.skip_reason = loader->skip_reason;
    if (!make_makers(loader, set, err)) {
        make_places(loader, set);
        loader->ring = start_ring(loader, first, err);
    }
    if (loader->ring) return loader;
    loader_stop(loader);
    return NULL;
}

void loader_stop(Loader *loader) {
    if (!loader) return;
    ring_stop(loader->ring);
    for (size_t k = 0; k < loader->makers; k++) maker_free(loader->maker[k]);
    for (size_t k = 0; loader->batch && k < loader->places; k++)
        batch_end(&loader->batch[k]);
    batch_end(&loader->end);
    skiplist_free(&loader->lost);
    mem_free(loader->batch);
    mem_free(loader);
}

static Status give_end(Loader *loader, const Batch **batch, Err *err) {
    loader->end.skipped = loader->skipped;
    *batch = &loader->end;
    skiplist_move(&loader->lost, &loader->end.broken);
    if (loader->given || !loader->skipped || loader->config.parts > 1) return OK;
    return err_set(err, FAIL_DATA, "none of %zu images can be read; the last: %.800s",
                   loader->skipped, loader->skip_reason);
}

Status loader_next(Loader *loader, const Batch **batch, Err *err) {
    Err own;
    for (size_t n;;) {
        Status status = ring_next(loader->ring, &n, &own);
        if (status && err) *err = own;
        if (status) return status;
        if (!n) return give_end(loader, batch, err);
        Batch *next = &loader->batch[n % loader->places];
        if (next->skipped) memcpy(loader->skip_reason, own.text, sizeof own.text);
        loader->skipped += next->skipped;
        if (!next->count) { /* evaluation: every item of it was broken */
            skiplist_move(&next->broken, &loader->lost);
            continue;
        }
        skiplist_move(&loader->lost, &next->broken);
        next->skipped = loader->skipped;
        next->skip_reason = loader->skip_reason;
        loader->given += next->count;
        *batch = next;
        return OK;
    }
}
