/* time: repeating, medians, bandwidth (tools/bench/bench.h). */

#include "engine/core/rng.h"
#include "engine/core/sort.h"
#include "tools/bench/bench.h"
#include "tools/program/stop.h"

enum { CALLS_MAX = 1000 };

BenchTime bench_summary(const double *seconds, size_t count) {
    if (!count) return (BenchTime){0};
    double *sorted = mem_alloc(count * sizeof *sorted);
    for (size_t i = 0; i < count; i++) sorted[i] = seconds[i];
    double median = sort_median(sorted, count);
    BenchTime time = {
        .median = median, .least = sorted[0], .most = sorted[count - 1], .count = count};
    mem_free(sorted);
    return time;
}

BenchTime bench_time(BenchCall *call, void *context, const BenchEffort *effort) {
    double seconds[CALLS_MAX], end = clock_now() + effort->seconds;
    size_t count = 0;
    call(context);
    while (count < CALLS_MAX && !stop_requested() &&
           (count < effort->repeat || clock_now() < end))
        seconds[count++] = call(context);
    return bench_summary(seconds, count);
}

/* ---- bandwidth ---- */

/* Nothing is fetched in vain: what is written was read before. */
static double update(real *a, const real *b, size_t n) {
    double start = clock_now();
#pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < n; i++) a[i] += (real)0.5 * b[i];
    return clock_now() - start;
}

double bench_bandwidth(double seconds) {
    enum { BYTES = 128 << 20 };
    size_t n = BYTES / sizeof(real);
    real *a = mem_alloc(BYTES), *b = mem_alloc(BYTES);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) a[i] = 0, b[i] = 1;
    double least = update(a, b, n), end = clock_now() + seconds;
    while (clock_now() < end) {
        double spent = update(a, b, n);
        least = MIN(least, spent);
    }
    mem_free(a);
    mem_free(b);
    return 3.0 * BYTES / least;
}
