#include "tools/program/rate.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/base.h"
#include "engine/core/machine.h"
#include "engine/kern/gemm.h"
#include "tools/program/cache.h"

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

    /* The first product wakes threads and pages; the second one tells how large n may
     * be. */
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

static void file_name(char *name, size_t size, size_t threads) {
    text_format(name, size, "gemm-rate-%s-%zu%s", machine_blas().core, threads,
                sizeof(real) == 4 ? "" : "-f64");
}

/* A home directory may be shared by machines of several kinds: the second line of the
 * file is the processor that was measured. */
double machine_rate_cached(size_t threads) {
    char file[200], text[512], name[256];
    file_name(file, sizeof file, threads);
    if (!cache_read(file, text, sizeof text)) return 0;
    char *seen = text + strcspn(text, "\n");
    seen += *seen == '\n';
    seen[strcspn(seen, "\n")] = 0;
    machine_cpu_name("", name, sizeof name);
    double rate = strcmp(seen, name) == 0 ? strtod(text, NULL) : 0;
    return rate > 1e6 && rate < 1e18 ? rate : 0;
}

bool machine_rate_store(size_t threads, double rate) {
    char file[200], text[512], name[256];
    rate = MAX(rate, machine_rate_cached(threads));
    file_name(file, sizeof file, threads);
    machine_cpu_name("", name, sizeof name);
    text_format(text, sizeof text, "%.6e FLOP/s\n%s\n", rate, name);
    return cache_write(file, text);
}
