#include "tools/program/room.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of OpenBLAS on 64-bit processors (BUFFER_SIZE of its common_x86_64.h and its kin). */
static const size_t BUFFER = (size_t)128 << 20;
/* What is to be left for all else: libraries' start-up, stacks, small allocations. */
static const size_t REST = (size_t)16 << 20;

/* What the main thread's stack holds at most: buffers of 64 kB, and the libraries'. */
static const size_t STACK = (size_t)512 << 10;

/* The other remedy, where there is one. */
static const char *fewer(size_t threads) {
    return threads > 1 ? " or set OMP_NUM_THREADS=1" : "";
}

static bool can_map(size_t bytes) {
    void *place =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return place != MAP_FAILED && !munmap(place, bytes);
}

/* ---- before the libraries are loaded ---- */

#ifdef __linux__

/* The number of a variable, as far as there is one: "4,2" is 4. */
static size_t number_of(char **environment, const char *name) {
    size_t length = strlen(name), number = 0;
    for (char **at = environment; *at; at++)
        if (!strncmp(*at, name, length) && (*at)[length] == '=')
            number = strtoul(*at + length + 1, NULL, 10);
    return number;
}

/* As OpenBLAS counts: what the user says, but not more than there are processors. */
static size_t threads_at_load(char **environment) {
    enum { MOST = 128 };
    cpu_set_t set;
    CPU_ZERO(&set);
    size_t all = sched_getaffinity(0, sizeof set, &set) ? 1 : (size_t)CPU_COUNT(&set);
    size_t wanted = number_of(environment, "OPENBLAS_NUM_THREADS");
    if (!wanted) wanted = number_of(environment, "OMP_NUM_THREADS");
    if (wanted && wanted < all) all = wanted;
    return all < MOST ? all : MOST;
}

static void leave(const char *line) {
    if (write(STDERR_FILENO, line, strlen(line)) < 0) _exit(FAIL_RUN);
    _exit(FAIL_RUN);
}

/* A stack that ends in the midst of a function ends the process without a word. */
static void look_at_stack(void) {
    struct rlimit limit;
    char line[200];
    if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur >= STACK) return;
    snprintf(line, sizeof line,
             "steady: the stack is limited to %zu kB, at least %zu are needed; raise "
             "the limit: ulimit -s 8192\n",
             (size_t)limit.rlim_cur >> 10, STACK >> 10);
    leave(line);
}

/* Runs before the libraries' own start-up, in which OpenBLAS would not come back. */
static void look_before_load(int count, char **words, char **environment) {
    (void)count;
    (void)words;
    look_at_stack();
    size_t threads = threads_at_load(environment);
    if (can_map(threads * BUFFER + REST)) return;
    char line[300];
    snprintf(line, sizeof line,
             "steady: out of memory: OpenBLAS needs %zu MB of address space for each "
             "of %zu threads, more than is available (ulimit -v, ulimit -d); raise the "
             "limit%s\n",
             BUFFER >> 20, threads, fewer(threads));
    leave(line);
}

__attribute__((section(".preinit_array"),
               used)) static void (*const look)(int count, char **words,
                                                char **environment) = look_before_load;

#endif

/* ---- buffers ---- */

static bool is_finite(int which) {
    struct rlimit limit;
    return !getrlimit(which, &limit) && limit.rlim_cur != RLIM_INFINITY;
}

/* Can memory that nobody has touched be refused? */
static bool is_limited(void) {
    FILE *file = fopen("/proc/sys/vm/overcommit_memory", "r");
    int kind = 0;
    bool strict = file && fscanf(file, "%d", &kind) == 1 && kind == 2;
    if (file) fclose(file);
    return strict || is_finite(RLIMIT_AS) || is_finite(RLIMIT_DATA);
}

/* The functions that OpenBLAS's own products take and give back buffers with; without
 * them its buffers come with the first products, from what was seen to be there. */
static void take_buffers(size_t count) {
    enum { MOST = 100 };
    union {
        void *symbol;
        void *(*take)(int position);
        void (*give)(void *buffer);
    } take = {dlsym(RTLD_DEFAULT, "blas_memory_alloc")},
      give = {dlsym(RTLD_DEFAULT, "blas_memory_free")};
    if (!take.symbol || !give.symbol) return;
    void *buffers[MOST];
    count = MIN(count, (size_t)MOST);
    for (size_t i = 0; i < count; i++) buffers[i] = take.take(1);
    for (size_t i = count; i-- > 0;) give.give(buffers[i]);
}

/* ---- threads ---- */

static void *wait_once(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* How many threads there can be beside this one, of those wanted. */
static size_t count_threads(size_t wanted) {
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t *threads = mem_array(MAX(wanted, (size_t)1), sizeof *threads);
    size_t made = 0;
    pthread_mutex_lock(&gate);
    while (made < wanted && !pthread_create(&threads[made], NULL, wait_once, &gate))
        made++;
    pthread_mutex_unlock(&gate);
    for (size_t i = 0; i < made; i++) pthread_join(threads[i], NULL);
    mem_free(threads);
    return made;
}

/* OpenBLAS keeps a buffer for each of its threads, and one for each thread that calls it;
 * the thread that makes batches may call it, too. */
Status room_for_threads(size_t before, size_t threads, Err *err) {
    if (threads <= before || !is_limited()) return OK;
    size_t count = before ? 2 * (threads - before) : threads + 1;
    size_t made = count_threads(threads);
    if (made < threads)
        return err_set(
            err, FAIL_RUN,
            "%zu threads are requested, but only %zu can be started (ulimit -u, ulimit "
            "-v); raise the limit, or lower OMP_NUM_THREADS or train.threads",
            threads, made);
    if (!can_map(count * BUFFER + REST))
        return err_set(
            err, FAIL_RUN,
            "OpenBLAS needs %zu more buffers of %zu MB for %zu thread%s, but no "
            "address space is available (ulimit -v, ulimit -d); raise the limit%s",
            count, BUFFER >> 20, threads, threads == 1 ? "" : "s", fewer(threads));
    take_buffers(before ? threads - before : count);
    return OK;
}
