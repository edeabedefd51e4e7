#include "tools/program/rate.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/base.h"
#include "engine/core/machine.h"
#include "engine/kern/bf16_panel.h"
#include "engine/kern/gemm.h"
#include "tools/program/cache.h"

/* ---- measuring -------------------------------------------------------------------- */

enum { SMALL = 512, LARGE = 2048 };

typedef struct Factors {
    real *a, *b, *c;        /* [LARGE, LARGE] */
    bf16 *a16, *b16, *room; /* of bf16 products; else NULL */
} Factors;

static Factors factors_new(PrecisionKind kind) {
    size_t count = (size_t)LARGE * LARGE;
    Factors f = {mem_alloc(count * sizeof(real)),
                 mem_alloc(count * sizeof(real)),
                 mem_zalloc(count * sizeof(real)),
                 NULL,
                 NULL,
                 NULL};
    for (size_t i = 0; i < count; i++) {
        f.a[i] = (real)1 / (real)(1 + i % 7);
        f.b[i] = (real)1 / (real)(1 + i % 11);
    }
    if (kind == PRECISION_FP32) return f;
    f.a16 = mem_alloc(count * sizeof(bf16));
    f.b16 = mem_alloc(count * sizeof(bf16));
    f.room = mem_alloc(bf16_panel_room(LARGE, LARGE) * sizeof(bf16));
    bf16_round(f.a16, f.a, count);
    bf16_round(f.b16, f.b, count);
    return f;
}

static void factors_free(Factors *f) {
    mem_free(f->a);
    mem_free(f->b);
    mem_free(f->c);
    mem_free(f->a16);
    mem_free(f->b16);
    mem_free(f->room);
}

static double seconds_of_product(const Factors *f, size_t n) {
    double start = clock_now();
    if (f->room) {
        bf16_panel_product(&(Bf16PanelProduct){.m = n,
                                               .n = n,
                                               .k = n,
                                               .alpha = 1,
                                               .a = f->a16,
                                               .lda = n,
                                               .b = {.narrow = f->b16, .ld = n},
                                               .order = PANEL_TRANSPOSED,
                                               .room = f->room,
                                               .c = f->c,
                                               .ldc = n});
    } else {
        gemm_nt(n, n, n, 1, f->a, n, f->b, n, 0, f->c, n);
    }
    return clock_now() - start;
}

double machine_rate_measure(PrecisionKind kind, size_t threads, double seconds) {
    size_t n = LARGE;
    int before = omp_get_max_threads();
    omp_set_num_threads((int)threads);
    Factors f = factors_new(kind);

    /* The first product wakes threads and pages; the second one tells how large n may
     * be. */
    seconds_of_product(&f, SMALL);
    double cube = seconds_of_product(&f, SMALL) / ((double)SMALL * SMALL * SMALL);
    while (n > SMALL && cube * (double)n * (double)n * (double)n > seconds / 3) n /= 2;

    double best = 0, start = clock_now();
    do {
        double rate = 2 * (double)n * (double)n * (double)n / seconds_of_product(&f, n);
        best = MAX(best, rate);
    } while (clock_now() - start < seconds);

    omp_set_num_threads(before);
    factors_free(&f);
    return best;
}

/* ---- keeping ---------------------------------------------------------------------- */

static void file_name(char *name, size_t size, PrecisionKind kind, size_t threads) {
    if (kind == PRECISION_BF16) text_format(name, size, "bf16-rate-%zu", threads);
    else
        text_format(name, size, "gemm-rate-%s-%zu%s", machine_blas().core, threads,
                    sizeof(real) == 4 ? "" : "-f64");
}

/* A home directory may be shared by machines of several kinds: the second line of the
 * file is the processor that was measured. */
double machine_rate_cached(PrecisionKind kind, size_t threads) {
    char file[200], text[512], name[256];
    file_name(file, sizeof file, kind, threads);
    if (!cache_read(file, text, sizeof text)) return 0;
    char *seen = text + strcspn(text, "\n");
    seen += *seen == '\n';
    seen[strcspn(seen, "\n")] = 0;
    machine_cpu_name("", name, sizeof name);
    double rate = strcmp(seen, name) == 0 ? strtod(text, NULL) : 0;
    return rate > 1e6 && rate < 1e18 ? rate : 0;
}

bool machine_rate_store(PrecisionKind kind, size_t threads, double rate) {
    char file[200], text[512], name[256];
    rate = MAX(rate, machine_rate_cached(kind, threads));
    file_name(file, sizeof file, kind, threads);
    machine_cpu_name("", name, sizeof name);
    text_format(text, sizeof text, "%.6e FLOP/s\n%s\n", rate, name);
    return cache_write(file, text);
}
