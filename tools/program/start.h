/* start: makes the process fit the machine, first thing in main.
 *
 *     int main(int argc, char **argv) {
 *         start_program(argc, argv);
 *         ...
 *         if (start_computing(&err)) return command_fail(command, &err);
 *         start_threads(recipe.train.threads);
 *
 * Where OpenBLAS is older than the processor it chose kernels up to five times too slow
 * when it was loaded, before main; only a new process can choose again.  So the program
 * sets OPENBLAS_CORETYPE and starts itself again, once, unless the user has set it. */
#ifndef STEADY_START_H
#define STEADY_START_H

#include "engine/core/base.h"

/* May not return but run the program again with the same arguments (same process id);
 * then sets the default thread count.  Nothing here can fail: what cannot be mended stays
 * as it is, and `steady doctor` says so. */
void start_program(int argc, char **argv);

/* Before the first product: OpenBLAS's kernels are right (tools/program/kernels.h), and
 * what is too small for a normal number is zero.  Before this the process has one
 * thread. */
Status start_computing(Err *err);

/* The level of instructions (engine/kern/level.h) that the user wants of the kernels; the
 * best that the processor has where the variable is not set. */
#define START_LEVEL "STEADY_LEVEL"

/* Takes that level, and checks STEADY_BF16 and OMP_NUM_THREADS.  FAIL_USAGE: the value of
 * one means nothing, or is not possible here.  Part of start_computing. */
Status start_variables(Err *err);

/* Threads of OpenMP and OpenBLAS: n, or, with n = 0, OMP_NUM_THREADS if the user has set
 * it, else min(affinity, control group's quota, physical cores).  Returns their
 * number. */
size_t start_threads(size_t n);
/* The same; FAIL_RUN when there is no room for more threads than before
 * (tools/program/room.h). */
Status start_threads_checked(size_t n, Err *err);

/* `sharers` processes, this one among them, use the same processors: unless the user has
 * set OMP_NUM_THREADS it becomes this process's part of them, for start_threads(0). */
void start_share_processors(size_t sharers);

/* Core type that OpenBLAS had chosen by itself before the program was started again;
 * NULL: nothing had to be mended. */
const char *start_mended_from(void);

/* OPENBLAS_CORETYPE where the user has set it; NULL: not set, or by start_program. */
const char *start_user_core(void);
/* Did OpenBLAS pass over it?  It does so with a name that it does not know, or that does
 * not fit the processor. */
bool start_core_ignored(void);

#endif
