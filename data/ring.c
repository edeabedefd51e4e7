#include "data/ring.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "engine/core/trap.h"

typedef struct Thread {
    Ring *ring;
    size_t number;
    pthread_t thread;
} Thread;

typedef struct Place {
    size_t ready; /* number of the batch that is in it; 0: none */
    Status status;
    Err err;
} Place;

struct Ring {
    RingConfig config;
    Thread thread[RING_THREADS_MAX];
    size_t running;
    pthread_mutex_t lock; /* over everything below */
    pthread_cond_t filled, freed;
    Place *place;  /* [places] what fill said is the thread's until the batch is ready */
    size_t next;   /* to be claimed */
    size_t oldest; /* still wanted by the caller; those before are free */
    size_t wanted; /* number of the batch that ring_next gives */
    atomic_bool stop;
    bool trapped; /* the thread that started it has a trap: so have these */
    TrapGuard guard;
};

/* ---- the threads' side ---- */

/* The next number, when its place is free; 0: there is no more work. */
static size_t claim(Ring *ring) {
    const RingConfig *c = &ring->config;
    size_t n = 0;
    pthread_mutex_lock(&ring->lock);
    while (!ring->stop && ring->next <= c->last && ring->next >= ring->oldest + c->places)
        pthread_cond_wait(&ring->freed, &ring->lock);
    if (!ring->stop && ring->next <= c->last) n = ring->next++;
    pthread_mutex_unlock(&ring->lock);
    return n;
}

static void fill_place(Ring *ring, size_t thread, size_t n, Place *place) {
    const RingConfig *c = &ring->config;
    place->err = ERR_NONE;
    place->status = c->fill(c->owner, thread, n, &ring->stop, &place->err);
}

static void fill_in_trap(Ring *ring, size_t thread, size_t n, Place *place) {
    Trap trap;
    trap_set(&trap);
    if (!setjmp(trap.place)) fill_place(ring, thread, n, place);
    else place->status = trap.err.status, place->err = trap.err;
    trap_end(&trap);
}

static void *work(void *argument) {
    const Thread *thread = argument;
    Ring *ring = thread->ring;
    const RingConfig *c = &ring->config;
    for (size_t n; (n = claim(ring));) {
        Place *place = &ring->place[n % c->places];
        (ring->trapped ? fill_in_trap : fill_place)(ring, thread->number, n, place);
        pthread_mutex_lock(&ring->lock);
        place->ready = n;
        pthread_cond_broadcast(&ring->filled);
        pthread_mutex_unlock(&ring->lock);
    }
    return NULL;
}

/* Signals are for the main thread: it must notice them while it waits. */
static Status start_threads(Ring *ring, Err *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = 0;
    while (ring->running < ring->config.threads && !code) {
        Thread *thread = &ring->thread[ring->running];
        *thread = (Thread){.ring = ring, .number = ring->running};
        code = pthread_create(&thread->thread, NULL, work, thread);
        if (!code) ring->running++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!code) return OK;
    return err_set(err, FAIL_RUN, "cannot start a thread to load data: %s",
                   strerror(code));
}

/* ---- the caller's side ---- */

static void end_threads(void *object) {
    Ring *ring = object;
    pthread_mutex_lock(&ring->lock);
    atomic_store(&ring->stop, true);
    pthread_cond_broadcast(&ring->freed);
    pthread_mutex_unlock(&ring->lock);
    for (size_t k = 0; k < ring->running; k++) pthread_join(ring->thread[k].thread, NULL);
    ring->running = 0;
}

Ring *ring_start(const RingConfig *config, Err *err) {
    Ring *ring = mem_zalloc(sizeof *ring);
    RingConfig *c = &ring->config;
    *c = *config;
    ring->trapped = trap_is_set();
    c->threads = MAX(1, MIN(c->threads, (size_t)RING_THREADS_MAX));
    CHECK(c->first && c->places, "first %zu, %zu places", c->first, c->places);
    ring->place = mem_zalloc(c->places * sizeof *ring->place);
    ring->next = ring->oldest = ring->wanted = c->first;
    pthread_mutex_init(&ring->lock, NULL);
    pthread_cond_init(&ring->freed, NULL);
    pthread_condattr_t steady_clock;
    pthread_condattr_init(&steady_clock);
    pthread_condattr_setclock(&steady_clock, CLOCK_MONOTONIC);
    pthread_cond_init(&ring->filled, &steady_clock);
    pthread_condattr_destroy(&steady_clock);
    trap_guard(&ring->guard, end_threads, ring);
    if (!start_threads(ring, err)) return ring;
    ring_stop(ring);
    return NULL;
}

void ring_stop(Ring *ring) {
    if (!ring) return;
    trap_unguard(&ring->guard);
    end_threads(ring);
    pthread_cond_destroy(&ring->filled);
    pthread_cond_destroy(&ring->freed);
    pthread_mutex_destroy(&ring->lock);
    mem_free(ring->place);
    mem_free(ring);
}

static void wait_a_moment(Ring *ring) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&ring->filled, &ring->lock, &until);
}

static Status wait_for(Ring *ring, const Place *place, Err *err) {
    const RingConfig *c = &ring->config;
    Status status = OK;
    pthread_mutex_lock(&ring->lock);
    ring->oldest = ring->wanted;
    pthread_cond_broadcast(&ring->freed);
    while (place->ready != ring->wanted && !status) {
        if (c->interrupted && c->interrupted())
            status = err_set(err, FAIL_INTERRUPTED, "interrupted while waiting for data");
        else wait_a_moment(ring);
    }
    pthread_mutex_unlock(&ring->lock);
    return status;
}

Status ring_next(Ring *ring, size_t *n, Err *err) {
    const Place *place = &ring->place[ring->wanted % ring->config.places];
    *n = 0;
    if (ring->wanted > ring->config.last) return OK;
    Status status = wait_for(ring, place, err);
    if (status) return status;
    *err = place->err;
    if (!place->status) *n = ring->wanted++;
    return place->status;
}
