#ifndef HAVE_MPI

#include <string.h>

#include "engine/dist/ranks.h"
#include "engine/dist/ranks_parts.h"

bool ranks_library(char *name, size_t size) { return (void)name, (void)size, false; }

Ranks *ranks_start(Err *err) {
    err_set(err, FAIL_USAGE,
            "a launcher started several processes, but this steady was built without MPI "
            "and runs as one; install MPI (Debian: libopenmpi-dev), then ./configure && "
            "make");
    return NULL;
}

/* No Ranks exists but NULL. */
void ranks_finish(Ranks *ranks) { (void)ranks; }

size_t ranks_number(const Ranks *ranks) { return (void)ranks, 0; }

size_t ranks_count(const Ranks *ranks) { return (void)ranks, 1; }

size_t ranks_sharing(Ranks *ranks, uint64_t mark) { return (void)ranks, (void)mark, 1; }

void ranks_add(Ranks *ranks, double *x, size_t n) { (void)ranks, (void)x, (void)n; }

void ranks_max(Ranks *ranks, double *x, size_t n) { (void)ranks, (void)x, (void)n; }

void ranks_copy_from(Ranks *ranks, size_t source, void *x, size_t bytes) {
    (void)ranks, (void)source, (void)x, (void)bytes;
}

void ranks_gather(Ranks *ranks, const void *from, void *to, const size_t *bytes) {
    (void)ranks;
    memcpy(to, from, bytes[0]);
}

void ranks_send(Ranks *ranks, const real *from, real *to, size_t n) {
    (void)ranks, (void)from, (void)to, (void)n;
}

void ranks_poll(Ranks *ranks) { (void)ranks; }

void ranks_wait(Ranks *ranks) { (void)ranks; }

#endif
