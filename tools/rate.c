#include "tools/rate.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/core/base.h"
#include "engine/core/machine.h"
#include "engine/kern/gemm.h"

enum { PATH_SIZE = 4096 };

/* ---- measuring -------------------------------------------------------------------- */

static double seconds_of_product(size_t n, const real *a, const real *b, real *c) {
    double start = clock_now();
    gemm_nt(n, n, n, 1, a, n, b, n, 0, c, n);
    return clock_now() - start;
}

double machine_rate_measure(size_t threads, double seconds) {
    enum { SMALL = 512, LARGE = 2048 };
    size_t bytes = sizeof(real) * LARGE * LARGE, n = LARGE;
    real *a = mem_alloc(bytes), *b = mem_alloc(bytes), *c = mem_zalloc(bytes);
    for (size_t i = 0; i < (size_t)LARGE * LARGE; i++) {
        a[i] = (real)1 / (real)(1 + i % 7);
        b[i] = (real)1 / (real)(1 + i % 11);
    }
    int before = omp_get_max_threads();
    omp_set_num_threads((int)threads);

    /* The first product wakes threads and pages; the second one tells how large n may be. */
    seconds_of_product(SMALL, a, b, c);
    double cube = seconds_of_product(SMALL, a, b, c) / ((double)SMALL * SMALL * SMALL);
    while (n > SMALL && cube * (double)n * (double)n * (double)n > seconds / 3) n /= 2;

    double best = 0, start = clock_now();
    do {
        double rate =
            2 * (double)n * (double)n * (double)n / seconds_of_product(n, a, b, c);
        best = MAX(best, rate);
    } while (clock_now() - start < seconds);

    omp_set_num_threads(before);
    mem_free(a);
    mem_free(b);
    mem_free(c);
    return best;
}

/* ---- keeping ---------------------------------------------------------------------- */

/* $XDG_CACHE_HOME/steady or ~/.cache/steady; false without a home. */
static bool cache_directory(char *path, size_t size) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (cache && *cache == '/')
        length = snprintf(path, size, "%s/steady", cache);
    else if (home && *home == '/')
        length = snprintf(path, size, "%s/.cache/steady", home);
    return length > 0 && (size_t)length < size;
}

static bool cache_file(char *path, size_t size, size_t threads) {
    char directory[PATH_SIZE];
    const char *type = sizeof(real) == 4 ? "" : "-f64";
    if (!cache_directory(directory, sizeof directory)) return false;
    int length = snprintf(path, size, "%s/gemm-rate-%s-%zu%s", directory,
                          machine_blas().core, threads, type);
    return length > 0 && (size_t)length < size;
}

static void make_directories(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
    mkdir(path, 0777);
}

/* A home directory may be shared by machines of several kinds: the second line of the file
 * is the processor that was measured. */
double machine_rate_cached(size_t threads) {
    char path[PATH_SIZE], line[256] = "", seen[256] = "", name[256];
    if (!cache_file(path, sizeof path, threads)) return 0;
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    bool read = fgets(line, sizeof line, file) && fgets(seen, sizeof seen, file);
    fclose(file);
    seen[strcspn(seen, "\n")] = 0;
    machine_cpu_name("", name, sizeof name);
    double rate = read && strcmp(seen, name) == 0 ? strtod(line, NULL) : 0;
    return rate > 1e6 && rate < 1e18 ? rate : 0;
}

bool machine_rate_store(size_t threads, double rate) {
    rate = MAX(rate, machine_rate_cached(threads));
    char directory[PATH_SIZE], path[PATH_SIZE], temporary[PATH_SIZE + 32], name[256];
    if (!cache_directory(directory, sizeof directory)) return false;
    if (!cache_file(path, sizeof path, threads)) return false;
    make_directories(directory);
    machine_cpu_name("", name, sizeof name);
    text_format(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    FILE *file = fopen(temporary, "w");
    if (!file) return false;
    bool ok = fprintf(file, "%.6e FLOP/s\n%s\n", rate, name) > 0;
    ok = fclose(file) == 0 && ok;
    ok = ok && rename(temporary, path) == 0;
    if (!ok) unlink(temporary);
    return ok;
}
