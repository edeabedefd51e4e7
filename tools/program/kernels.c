#include "tools/program/kernels.h"

#include <cblas.h>
#include <dlfcn.h>
#include <errno.h>
#include <omp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/facts.h"
#include "engine/core/machine.h"
#include "engine/kern/bf16_check.h"
#include "tools/program/cache.h"
#include "tools/program/launch.h"
#include "tools/program/units.h"

/* ---- what an answer holds for ---- */

enum { KEY_SIZE = 2000, NAME_SIZE = 40 };

/* Adds the file that a function comes from, as far as it is another than before: a
 * preloaded library may give some of them. */
static void add_file(char *key, size_t size, const char *function) {
    Dl_info where;
    struct stat info;
    char line[300];
    void *address = dlsym(RTLD_DEFAULT, function);
    if (!address || !dladdr(address, &where) || stat(where.dli_fname, &info)) return;
    text_format(line, sizeof line, "file %llu %llu %lld %lld\n",
                (unsigned long long)info.st_dev, (unsigned long long)info.st_ino,
                (long long)info.st_size, (long long)info.st_mtime);
    size_t length = strlen(key);
    if (!strstr(key, line)) text_format(key + length, size - length, "%s", line);
}

static void make_key(char *key, size_t size, size_t threads) {
    static const char *const FUNCTIONS[] = {"cblas_sgemm", "cblas_dgemm", "cblas_sgemv",
                                            "cblas_dgemv", "ssyevr_",     "dsyevr_"};
    char cpu[256];
    BlasInfo blas = machine_blas();
    machine_cpu_name("", cpu, sizeof cpu);
    text_format(key, size,
                "steady %s\nprocessor %s\ninstructions %u\nOpenBLAS %.200s\nkernels "
                "%.60s\nthreads %zu\nbf16 %d\n",
                STEADY_VERSION, cpu, machine_simd(), blas.config, blas.core, threads,
                units_here().bf16);
    for (size_t i = 0; i < COUNT(FUNCTIONS); i++) add_file(key, size, FUNCTIONS[i]);
}

static void make_name(char name[NAME_SIZE], const char *key) {
    text_format(name, NAME_SIZE, "kernels-%016llx",
                (unsigned long long)facts_hash(0, key, strlen(key)));
}

static bool is_known(const char *key) {
    char name[NAME_SIZE], text[KEY_SIZE];
    make_name(name, key);
    return cache_read(name, text, sizeof text) && !strcmp(text, key);
}

static void keep(const char *key) {
    char name[NAME_SIZE];
    make_name(name, key);
    if (cache_write(name, key) || launch_read().rank) return;
    fputs("steady: note: OpenBLAS's kernels are checked at every start, because the "
          "result cannot be stored; set XDG_CACHE_HOME to a writable folder\n",
          stderr);
}

/* ---- the process that tries ---- */

/* In memory that both processes see. */
typedef struct Trial {
    BlasCase now;
    Err err;
    bool done;
} Trial;

#ifdef __linux__
#include <sys/prctl.h>
static void end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }
#else
static void end_with_parent(void) {}
#endif

static void try_products(Trial *trial, size_t threads) {
    Status status = blas_check(threads, &trial->now, &trial->err);
    if (!status && units_here().bf16) bf16_check(threads, &trial->now, &trial->err);
    trial->done = true;
}

static _Noreturn void run_child(Trial *trial, size_t threads) {
    end_with_parent();
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    try_products(trial, threads);
    _exit(0);
}

/* Waits until the other end of the pipe is closed; false: it was not within the time. */
static bool wait_for_end(int file, double seconds) {
    double end = clock_now() + seconds, left;
    while ((left = end - clock_now()) > 0) {
        struct pollfd wanted = {.fd = file, .events = POLLIN};
        if (poll(&wanted, 1, (int)(1000 * left) + 1) > 0) return true;
    }
    return false;
}

typedef struct Outcome {
    bool in_time;
    int state; /* of waitpid; 0 where the system has reaped the child itself */
} Outcome;

/* false: no process can be made. */
static bool try_apart(Trial *trial, size_t threads, double seconds, Outcome *outcome) {
    int ends[2];
    if (pipe(ends)) return false;
    pid_t child = fork();
    if (!child) close(ends[0]), run_child(trial, threads);
    close(ends[1]);
    *outcome = (Outcome){child > 0 && wait_for_end(ends[0], seconds), 0};
    close(ends[0]);
    if (child < 0) return false;
    if (!outcome->in_time) kill(child, SIGKILL);
    while (waitpid(child, &outcome->state, 0) < 0 && errno == EINTR) continue;
    return true;
}

/* ---- what is said ---- */

static void describe(const Trial *trial, const Outcome *outcome, double seconds,
                     char *text, size_t size) {
    char what[160];
    blas_case_text(&trial->now, what, sizeof what);
    if (!outcome->in_time)
        text_format(text, size, "%s did not end within %g s", what, seconds);
    else if (WIFSIGNALED(outcome->state))
        text_format(text, size, "%s ended the program with signal %d (%s)", what,
                    WTERMSIG(outcome->state), strsignal(WTERMSIG(outcome->state)));
    else text_format(text, size, "%s ends the program", what);
}

static void suggest(const BlasInfo *blas, char *text, size_t size) {
    const char *other = blas->dynamic ? machine_other_core(blas->core) : NULL;
    text_format(text, size,
                "%s%s%sinstall another version of OpenBLAS (" KERNELS_VARIABLE
                "=off skips the check)",
                other ? "try older kernels, OPENBLAS_CORETYPE=" : "", other ? other : "",
                other ? " steady ..., or " : "");
}

static Status fail_bf16(const char *found, KernelsAnswer *answer, Err *err) {
    char cpu[256];
    machine_cpu_name("", cpu, sizeof cpu);
    text_format(answer->fault, sizeof answer->fault,
                "bf16 products are wrong on this processor (%.100s): %.300s", cpu, found);
    text_format(answer->remedy, sizeof answer->remedy,
                UNITS_VARIABLE "=off steady ... works without them");
    return err_set(err, FAIL_RUN, "%s; %s", answer->fault, answer->remedy);
}

static Status fail_blas(const char *found, KernelsAnswer *answer, Err *err) {
    BlasInfo blas = machine_blas();
    char cpu[256], limited[160] = "";
    struct rlimit memory;
    machine_cpu_name("", cpu, sizeof cpu);
    if (!getrlimit(RLIMIT_AS, &memory) && memory.rlim_cur != RLIM_INFINITY)
        text_format(limited, sizeof limited,
                    "; a possible cause is the limit of %llu MB of address space "
                    "(ulimit -v)",
                    (unsigned long long)memory.rlim_cur >> 20);
    text_format(answer->fault, sizeof answer->fault,
                "OpenBLAS %s cannot be trusted with its %.60s kernels on this processor "
                "(%.100s): %.300s%s",
                blas.version, blas.core, cpu, found, limited);
    suggest(&blas, answer->remedy, sizeof answer->remedy);
    return err_set(err, FAIL_RUN, "%s; %s", answer->fault, answer->remedy);
}

typedef Status FailKernels(const char *found, KernelsAnswer *answer, Err *err);

/* ---- asking ---- */

/* Seconds; 0: not at all. */
static Status read_limit(double *seconds, Err *err) {
    enum { MOST = 86400, USUAL = 60 };
    const char *said = getenv(KERNELS_VARIABLE);
    char *end;
    *seconds = USUAL;
    if (!said || !*said) return OK;
    *seconds = 0;
    if (!strcmp(said, "off")) return OK;
    *seconds = strtod(said, &end);
    if (!*end && *seconds > 0 && *seconds <= MOST) return OK;
    return err_set(err, FAIL_USAGE,
                   KERNELS_VARIABLE "=%.40s: expected off, or a time limit in seconds "
                                    "for the check of OpenBLAS",
                   said);
}

static size_t thread_count(void) {
    size_t ranks = MAX(launch_read().count, (size_t)1);
    return MAX((size_t)omp_get_max_threads() / ranks, (size_t)1);
}

static Status try_kernels(size_t threads, double seconds, KernelsAnswer *answer,
                          Err *err) {
    char text[400];
    Outcome outcome;
    Trial *trial = mmap(NULL, sizeof *trial, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trial == MAP_FAILED)
        return err_set(err, FAIL_RUN,
                       "not enough memory to check OpenBLAS's kernels: "
                       "%s",
                       strerror(errno));
    *trial = (Trial){.err = ERR_NONE};
    FailKernels *fail;
    Status status = OK;
    if (!try_apart(trial, threads, seconds, &outcome))
        try_products(trial, threads); /* here, without a limit then */
    fail = trial->now.routine == BLAS_BF16 ? fail_bf16 : fail_blas;
    if (trial->done && trial->err.status) status = fail(trial->err.text, answer, err);
    else if (!trial->done) {
        describe(trial, &outcome, seconds, text, sizeof text);
        status = fail(text, answer, err);
    }
    answer->cases = trial->now.number;
    munmap(trial, sizeof *trial);
    return status;
}

static Status ask(bool anew, KernelsAnswer *answer, Err *err) {
    char key[KEY_SIZE];
    double seconds;
    size_t threads = thread_count();
    *answer = (KernelsAnswer){0};
    if (read_limit(&seconds, err)) return err->status;
    if (!seconds) return OK;
    make_key(key, sizeof key, threads);
    if (!anew && is_known(key)) return OK;
    if (try_kernels(threads, seconds, answer, err)) return err->status;
    keep(key);
    return OK;
}

Status kernels_trust(Err *err) {
    KernelsAnswer answer;
    return ask(false, &answer, err);
}

Status kernels_check(KernelsAnswer *answer, Err *err) { return ask(true, answer, err); }
