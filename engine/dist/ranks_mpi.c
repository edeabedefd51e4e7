#ifdef HAVE_MPI

#include <limits.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>

#include "engine/core/grow.h"
#include "engine/dist/ranks.h"
#include "engine/dist/ranks_parts.h"

#define REAL_TYPE (sizeof(real) == sizeof(float) ? MPI_FLOAT : MPI_DOUBLE)

struct Ranks {
    int number, count;
    MPI_Request *requests; /* [capacity]; the first `active` are on their way */
    int active;
    size_t capacity;
};

/* "Open MPI v4.1.4" out of "Open MPI v4.1.4, package: Debian Open MPI, ident: ...";
 * "MPICH Version: 4.0.2" out of "MPICH Version:\t4.0.2\nMPICH Release date: ...". */
bool ranks_library(char *name, size_t size) {
    char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    MPI_Get_library_version(text, &length);
    text[strcspn(text, ",\n")] = 0;
    for (char *tab; (tab = strchr(text, '\t'));) *tab = ' ';
    snprintf(name, size, "%s", text);
    return true;
}

Ranks *ranks_start(Err *err) {
    int given, number, count;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given);
    if (given < MPI_THREAD_FUNNELED) {
        MPI_Finalize();
        err_set(err, FAIL_RUN, "this MPI library does not support threads");
        return NULL;
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &number);
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    Ranks *ranks = mem_zalloc(sizeof *ranks);
    *ranks = (Ranks){.number = number, .count = count};
    return ranks;
}

void ranks_finish(Ranks *ranks) {
    if (!ranks) return;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    mem_free(ranks->requests);
    mem_free(ranks);
}

size_t ranks_number(const Ranks *ranks) { return ranks ? (size_t)ranks->number : 0; }

size_t ranks_count(const Ranks *ranks) { return ranks ? (size_t)ranks->count : 1; }

size_t ranks_sharing(Ranks *ranks, uint64_t mark) {
    if (!ranks) return 1;
    MPI_Comm host;
    int count;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
    MPI_Comm_size(host, &count);
    uint64_t *marks = mem_alloc((size_t)count * sizeof *marks);
    MPI_Allgather(&mark, 1, MPI_UINT64_T, marks, 1, MPI_UINT64_T, host);
    MPI_Comm_free(&host);
    size_t sharing = 0;
    for (int i = 0; i < count; i++) sharing += marks[i] == mark;
    mem_free(marks);
    return sharing;
}

/* ---- small things ---- */

void ranks_add(Ranks *ranks, double *x, size_t n) {
    if (!ranks) return;
    CHECK(n <= INT_MAX, "a sum of %zu numbers", n);
    MPI_Allreduce(MPI_IN_PLACE, x, (int)n, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

/* MPI does not say what the largest of NaN and a number is, and ranks could differ in
 * it. */
void ranks_max(Ranks *ranks, double *x, size_t n) {
    if (!ranks) return;
    CHECK(n <= INT_MAX, "a maximum of %zu numbers", n);
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i])) x[i] = INFINITY;
    MPI_Allreduce(MPI_IN_PLACE, x, (int)n, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
}

void ranks_copy_from(Ranks *ranks, size_t source, void *x, size_t bytes) {
    if (!ranks) return;
    CHECK(bytes <= INT_MAX, "a copy of %zu bytes", bytes);
    MPI_Bcast(x, (int)bytes, MPI_BYTE, (int)source, MPI_COMM_WORLD);
}

void ranks_gather(Ranks *ranks, const void *from, void *to, const size_t *bytes) {
    if (!ranks) {
        memcpy(to, from, bytes[0]);
        return;
    }
    size_t count = (size_t)ranks->count, sum = 0;
    int *sizes = mem_array(2 * count, sizeof *sizes), *starts = sizes + count;
    for (size_t r = 0; r < count; r++) {
        CHECK(bytes[r] <= INT_MAX - sum, "%zu bytes after %zu", bytes[r], sum);
        sizes[r] = (int)bytes[r];
        starts[r] = (int)sum;
        sum += bytes[r];
    }
    MPI_Allgatherv(from, sizes[ranks->number], MPI_BYTE, to, sizes, starts, MPI_BYTE,
                   MPI_COMM_WORLD);
    mem_free(sizes);
}

/* ---- sums on their way ---- */

static MPI_Request *new_request(Ranks *ranks) {
    GROW(ranks->requests, (size_t)ranks->active, ranks->capacity, 1);
    return &ranks->requests[ranks->active++];
}

void ranks_send(Ranks *ranks, const real *from, real *to, size_t n) {
    CHECK(ranks && n <= INT_MAX, "a sum of %zu numbers over %zu ranks", n,
          ranks_count(ranks));
    MPI_Iallreduce(from, to, (int)n, REAL_TYPE, MPI_SUM, MPI_COMM_WORLD,
                   new_request(ranks));
}

void ranks_poll(Ranks *ranks) {
    int left = 0;
    for (int i = 0; ranks && i < ranks->active; i++) {
        int done;
        MPI_Test(&ranks->requests[i], &done, MPI_STATUS_IGNORE);
        if (!done) ranks->requests[left++] = ranks->requests[i];
    }
    if (ranks) ranks->active = left;
}

void ranks_wait(Ranks *ranks) {
    for (int i = 0; ranks && i < ranks->active; i++)
        MPI_Wait(&ranks->requests[i], MPI_STATUS_IGNORE);
    if (ranks) ranks->active = 0;
}

#endif
