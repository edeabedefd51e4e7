#include "tools/program/start.h"

#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "engine/core/base.h"
#include "engine/core/machine.h"
#include "engine/kern/level.h"
#include "tools/program/kernels.h"
#include "tools/program/launch.h"
#include "tools/program/room.h"
#include "tools/program/say.h"
#include "tools/program/stop.h"
#include "tools/program/units.h"

#ifdef __linux__

#include <sched.h>

/* Under OMP_PROC_BIND the OpenMP run-time tied this thread to one place before
 * main, and an exec would hand that mask on as if it were all there is: give back
 * every place first. */
static void release_affinity(void) {
    enum { MOST = 1 << 16 };
    int places = omp_get_num_places();
    if (places == 0) return;
    size_t bytes = CPU_ALLOC_SIZE(MOST);
    cpu_set_t *set = mem_zalloc(bytes);
    for (int place = 0; place < places; place++) {
        int n = omp_get_place_num_procs(place);
        int *processors = mem_alloc(sizeof *processors * (size_t)MAX(n, 1));
        omp_get_place_proc_ids(place, processors);
        for (int i = 0; i < n; i++)
            if (processors[i] < MOST) CPU_SET_S((size_t)processors[i], bytes, set);
        mem_free(processors);
    }
    sched_setaffinity(0, bytes, set);
    mem_free(set);
}

static void become(char **argv) {
    release_affinity();
    execv("/proc/self/exe", argv);
}

#else

static void become(char **argv) { execvp(argv[0], argv); }

#endif

/* A signal that comes while the new process loads waits until it has its handlers. */
static void run_again(char **argv) {
    stop_hold(true);
    become(argv);
    stop_hold(false);
}

/* Did OpenBLAS mistake the processor, and has the user not chosen for it? */
static bool mend_core_type(void) {
    const char *wanted = getenv("OPENBLAS_CORETYPE") ? NULL : machine_blas_wanted_core();
    if (!wanted) return false;
    setenv("STEADY_MENDED_FROM", machine_blas().core, 1);
    setenv("OPENBLAS_CORETYPE", wanted, 1);
    return true;
}

/* Does another process want a processor now?  "0.20 0.18 0.12 2/80 11206": two run, of
 * which we are one.  Where that is not known: yes. */
static bool machine_is_busy(void) {
    FILE *file = fopen("/proc/loadavg", "r");
    int running = 0;
    bool known = file && fscanf(file, "%*f %*f %*f %d/", &running) == 1;
    if (file) fclose(file);
    return !known || running > 1;
}

/* A thread that waits for the others at the end of a loop spins for milliseconds by GNU's
 * default.  When another process wants the processor too, that is the time in which the
 * awaited thread could have run: beside two busy processes on two cores a step took
 * six times as long as with the short spin (docs/performance.md).  Alone, a longer
 * one saves the waking.
 * Looked at once: the run-time reads its spin before main. */
static bool shorten_spin(void) {
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return false;
    setenv("GOMP_SPINCOUNT", machine_is_busy() ? "1000" : "10000", 1);
    return true;
}

/* Libraries read their environment before main, so what is mended needs a new start. */
static void mend_environment(char **argv) {
    if (getenv("STEADY_REEXEC")) return;
    bool core = mend_core_type(), spin = shorten_spin();
    if (!core && !spin) return;
    setenv("STEADY_REEXEC", "1", 1);
    run_again(argv);
    /* Still here: no /proc, or not allowed to.  Slow kernels are better than none. */
    if (core) {
        unsetenv("STEADY_MENDED_FROM");
        unsetenv("OPENBLAS_CORETYPE");
    }
}

const char *start_mended_from(void) { return getenv("STEADY_MENDED_FROM"); }

size_t start_threads(size_t n) {
    const char *user = getenv("OMP_NUM_THREADS");
    if (n == 0 && user && atoi(user) > 0) n = (size_t)atoi(user);
    if (n == 0) n = machine_threads("").threads;
    omp_set_num_threads((int)n);
    return n;
}

void start_share_processors(size_t sharers) {
    if (sharers < 2) return;
    char threads[32];
    text_format(threads, sizeof threads, "%zu",
                MAX(machine_threads("").threads / sharers, (size_t)1));
    setenv("OMP_NUM_THREADS", threads, 0);
    start_threads(0);
}

void start_program(int argc, char **argv) {
    if (argc > 0) mend_environment(argv);
    start_threads(0);
}

Status start_threads_checked(size_t n, Err *err) {
    size_t before = (size_t)omp_get_max_threads();
    return room_for_threads(before, start_threads(n), err);
}

/* train.threads has this limit, too. */
static Status check_threads(Err *err) {
    enum { MOST = 4096 };
    const char *user = getenv("OMP_NUM_THREADS");
    if (!user || strtoul(user, NULL, 10) <= MOST) return OK;
    return err_set(
        err, FAIL_USAGE,
        "OMP_NUM_THREADS = %.40s: at most %d threads are allowed; unset it to use one "
        "per processor",
        user, MOST);
}

const char *start_user_core(void) {
    const char *user = getenv("OPENBLAS_CORETYPE");
    return user && *user && !start_mended_from() ? user : NULL;
}

bool start_core_ignored(void) {
    const char *user = start_user_core();
    return user && strcasecmp(user, machine_blas().core) != 0;
}

static void say_core_type(void) {
    if (!start_core_ignored() || launch_read().rank) return;
    say("steady: note: OPENBLAS_CORETYPE = %.40s has no effect: OpenBLAS uses its %s "
        "kernels",
        start_user_core(), machine_blas().core);
}

/* "baseline, avx2": those that this processor has. */
static void list_levels(char *list, size_t size) {
    size_t length = 0;
    for (size_t i = 0; i < level_count() && length < size; i++)
        if (level_runs(i))
            length += (size_t)snprintf(list + length, size - length, "%s%s",
                                       length ? ", " : "", level_name(i));
}

static Status take_level(Err *err) {
    const char *wanted = getenv(START_LEVEL);
    char list[100] = "";
    if (!wanted || !*wanted) return OK;
    size_t level = 0, count = level_count();
    while (level < count && strcmp(wanted, level_name(level)) != 0) level++;
    if (level < count && level_runs(level)) {
        level_use(level);
        return OK;
    }
    list_levels(list, sizeof list);
    return err_set(err, FAIL_USAGE, START_LEVEL " = %.40s: %s; choose one of: %s", wanted,
                   level < count ? "this processor does not have these instructions"
                                 : "no kernels of that name",
                   list);
}

/* A word that is not known would leave them as they are: units_here knows one alone. */
static Status check_units(Err *err) {
    const char *said = getenv(UNITS_VARIABLE);
    if (!said || !*said || !strcasecmp(said, "off")) return OK;
    return err_set(err, FAIL_USAGE,
                   UNITS_VARIABLE " = %.40s: expected off, which disables bf16 "
                                  "products; unset it to use them",
                   said);
}

Status start_variables(Err *err) {
    if (take_level(err) || check_units(err) || check_threads(err)) return err->status;
    return OK;
}

Status start_computing(Err *err) {
    if (start_variables(err)) return err->status;
    say_core_type();
    if (room_for_threads(0, start_threads(0), err) || kernels_trust(err))
        return err->status;
    machine_flush_denormals();
    return OK;
}
