/* kernels: are OpenBLAS's products, and ours in bf16, right on this machine?  Asked
 * before anything is computed.
 *
 *     if (kernels_trust(&err)) return command_fail("train", &err);     before OpenMP has threads
 *
 * On record are kernels with wrong results, crashes and endless loops on processors newer
 * than they are and in virtual machines that hide a part of theirs.  So
 * engine/kern/blas_check.h (and bf16_check.h, where there are such products) runs once
 * for each processor, core type, number of threads and file of the library, in a process
 * of its own with a limit of time.  What was found
 * right is kept beside the rate (tools/program/cache.h), and later starts only read
 * it. */
#ifndef STEADY_KERNELS_H
#define STEADY_KERNELS_H

#include "engine/core/base.h"

/* The user's say: off, or the most seconds that the check may take (60). */
#define KERNELS_VARIABLE "STEADY_KERNEL_CHECK"

/* Right by what was kept, or found right now.  FAIL_RUN: a product is wrong, crashes or
 * does not end; the text names it, the kernels and what to do.  FAIL_USAGE: a variable
 * that means nothing.  Says on stderr where the answer cannot be kept.  The process must
 * not have made threads. */
Status kernels_trust(Err *err);

typedef struct KernelsAnswer {
    size_t cases;     /* products that were tried; 0: none, the variable says off */
    char fault[800];  /* "": all are right */
    char remedy[200]; /* what to do then */
} KernelsAnswer;

/* The same, whatever was kept, for `steady doctor`. */
Status kernels_check(KernelsAnswer *answer, Err *err);

#endif
