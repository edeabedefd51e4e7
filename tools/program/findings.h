/* findings: what this machine offers, and what is wrong with its set-up,
 * for `steady doctor`.
 *
 *     Findings found;
 *     if (findings_gather(&found, &err)) return err.status;
 *
 * Problems are a result, not a failure. */
#ifndef STEADY_FINDINGS_H
#define STEADY_FINDINGS_H

#include "engine/core/machine.h"
#include "tools/program/kernels.h"
#include "tools/program/units.h"

typedef struct FindingsProblem {
    char what[sizeof((KernelsAnswer *)0)->fault], remedy[256];
} FindingsProblem;

enum { FINDINGS_PROBLEMS = 8 };

/* All that is known. */
typedef struct Findings {
    char cpu[128];
    unsigned simd; /* of the processor */
    ThreadChoice choice;
    size_t threads; /* in use; differs from the choice where the user said so */
    size_t memory, memory_available;
    BlasInfo blas;
    const char *mended_from;   /* NULL: OpenBLAS chose well, or its choice stands */
    char mpi[64];              /* the library and its version; "": not built in */
    KernelsAnswer kernels;     /* are products right? */
    double rate_one, rate_all; /* FLOP/s; 0 where products are wrong */
    bool rate_stored;
    Units units;               /* for products in bf16 */
    double bf16_one, bf16_all; /* FLOP/s; 0: there are no units */
    FindingsProblem problems[FINDINGS_PROBLEMS];
    size_t problem_count;
} Findings;

/* Measures for about a second, and stores the rates (tools/program/rate.h).  FAIL_USAGE:
 * a variable that means nothing.  FAIL_RUN: no room for the threads. */
Status findings_gather(Findings *found, Err *err);

#endif
