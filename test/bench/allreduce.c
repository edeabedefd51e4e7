/* How long a sum of gradients takes, by bucket size: what docs/scaling.md quotes.
 *
 *     make build/bench/allreduce && mpirun -n 2 build/bench/allreduce [MEGABYTES]
 *
 * For MEGABYTES of floats (default 88: a ViT-S) cut into buckets of each size: all
 * buckets started at once and waited for, as engine/dist/ranks.h does it; the same in
 * place; and one blocking call a bucket.  Milliseconds, medians of 9. */
#ifdef HAVE_MPI

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/core/base.h"

enum { REPEATS = 9 };

typedef enum { APART, IN_PLACE, BLOCKING } Way;

static void sum_all(Way way, float *from, float *to, size_t n, size_t bucket) {
    MPI_Request *requests = mem_alloc((n / bucket + 1) * sizeof *requests);
    int count = 0;
    for (size_t at = 0; at < n; at += bucket) {
        int size = (int)MIN(bucket, n - at);
        if (way == BLOCKING)
            MPI_Allreduce(MPI_IN_PLACE, from + at, size, MPI_FLOAT, MPI_SUM,
                          MPI_COMM_WORLD);
        else
            MPI_Iallreduce(way == APART ? from + at : MPI_IN_PLACE,
                           way == APART ? to + at : from + at, size, MPI_FLOAT, MPI_SUM,
                           MPI_COMM_WORLD, &requests[count++]);
    }
    for (int i = 0; i < count; i++) MPI_Wait(&requests[i], MPI_STATUS_IGNORE);
    mem_free(requests);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_ms(Way way, float *from, float *to, size_t n, size_t bucket) {
    double times[REPEATS];
    sum_all(way, from, to, n, bucket);
    for (int i = 0; i < REPEATS; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = clock_now();
        sum_all(way, from, to, n, bucket);
        times[i] = 1e3 * (clock_now() - start);
    }
    qsort(times, REPEATS, sizeof *times, by_size);
    return times[REPEATS / 2];
}

int main(int argc, char **argv) {
    int rank, count;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    size_t n = (size_t)(argc > 1 ? atof(argv[1]) : 88) * 1000000 / sizeof(float);
    float *from = mem_zalloc(n * sizeof *from), *to = mem_zalloc(n * sizeof *to);
    if (!rank)
        printf("%d ranks, %.0f MB, ms\n%10s%10s%10s%10s\n", count,
               (double)n * sizeof(float) / 1e6, "bucket KB", "apart", "in place",
               "blocking");
    for (size_t kb = 64; kb <= 65536; kb *= 4) {
        double ms[3];
        for (Way way = APART; way <= BLOCKING; way++)
            ms[way] = median_ms(way, from, to, n, kb * 1024 / sizeof(float));
        if (!rank) printf("%10zu%10.1f%10.1f%10.1f\n", kb, ms[0], ms[1], ms[2]);
    }
    mem_free(from);
    mem_free(to);
    MPI_Finalize();
    return 0;
}

#else

#include <stdio.h>

int main(void) {
    puts("built without MPI");
    return 2;
}

#endif
