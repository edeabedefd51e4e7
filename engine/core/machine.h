/* machine: what this computer offers to a training run.
 *
 *     ThreadChoice choice = machine_threads("");
 *     printf("%zu threads: %s\n", choice.threads, choice.why);
 *     const char *core = machine_blas_wanted_core();      NULL: OpenBLAS chose well
 *
 * It only reports.  Acting on it - the environment, starting again, the number of threads
 * - is the program's business (tools/program/start.h); the one exception is
 * machine_flush_denormals.
 *
 * `root` is put before every path that is read ("" for the real machine), so that a test
 * can show it another computer. */
#ifndef STEADY_MACHINE_H
#define STEADY_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Vector instructions, those that both processor and operating system can use. */
typedef enum {
    SIMD_AVX = 1,
    SIMD_AVX2 = 2,   /* with FMA */
    SIMD_AVX512 = 4, /* F, DQ, BW, VL and CD: what OpenBLAS's SkylakeX kernels need */
    SIMD_AVX512_BF16 = 8,
    SIMD_NEON = 16,
} Simd;

unsigned machine_simd(void);                  /* a sum of Simd */
const char *machine_simd_name(unsigned simd); /* the highest of them: "AVX-512" */

/* Processor's name as its maker writes it, e.g. "AMD EPYC"; never empty. */
void machine_cpu_name(const char *root, char *name, size_t size);

/* ---- threads ---------------------------------------------------------------------- */

typedef struct ThreadChoice {
    size_t affinity; /* logical processors that this process may run on */
    size_t cores;    /* physical cores among them; = affinity where that is not known */
    double quota;    /* CPUs a control group grants; 0: no quota */
    size_t threads;  /* what to use: min(affinity, cores, floor(quota)), at least 1 */
    char why[160];   /* one sentence about it */
} ThreadChoice;

ThreadChoice machine_threads(const char *root);

/* The choice from the three numbers alone.  A quota is rounded down: a thread beyond it
 * makes all others wait at every barrier for the rest of each period (CFS throttling). */
ThreadChoice machine_choose_threads(size_t affinity, size_t cores, double quota);

/* CPUs that the control groups of this process grant: the smallest quota/period on the
 * way from its own group to the root, of cgroup v2 (cpu.max) and v1
 * (cpu.cfs_quota_us); 0: none. */
double machine_cpu_quota(const char *root);

/* A number for the set of processors that this process may use: the same
 * set, the same number. */
uint64_t machine_affinity_mark(void);

/* Physical cores among the processors allowed[0..n); 0: unknown. */
size_t machine_physical_cores(const char *root, const bool *allowed, size_t n);

/* Bytes of third-level cache that `threads` threads have if each of the processors that
 * share one takes its part; 0: not known. */
size_t machine_cache_share(const char *root, size_t threads);

/* ---- memory ----------------------------------------------------------------------- */

/* Bytes; `available` is what can be had without swapping.  Both are cut to the smallest
 * memory limit of the control groups; what a group uses already is not subtracted, since
 * most of that is page cache.  0: not known. */
void machine_memory(const char *root, size_t *total, size_t *available);

/* Bytes that this process can have at most, swap included: of the machine, of its control
 * groups and of its own limits (ulimit -v, ulimit -d); 0: not known. */
double machine_memory_most(const char *root);

/* ---- OpenBLAS --------------------------------------------------------------------- */

typedef struct BlasInfo {
    char version[32];    /* "0.3.21" */
    const char *flavour; /* "OpenMP", "pthreads" or "serial" */
    const char *core;    /* kernels in use, e.g. "Haswell" */
    const char *config;  /* OpenBLAS's own line about itself */
    bool dynamic;        /* holds kernels for many processors and chooses at start-up */
} BlasInfo;

BlasInfo machine_blas(void);

/* OPENBLAS_CORETYPE that fits this processor, where OpenBLAS, older than the processor,
 * chose kernels of a class too slow; NULL when its choice is right or cannot be changed.
 * Measured, sgemm 2048^3 on 2 cores of a Zen 5, OpenBLAS 0.3.21, GFLOP/s: Prescott (what
 * it takes new Intel processors for) 86, Haswell 230, SkylakeX 434, Cooperlake (its own
 * choice there) 435. */
const char *machine_blas_wanted_core(void);

/* The same as a function of the kernels' name and the processor's instructions (Simd). */
const char *machine_wanted_core(const char *core, unsigned simd);

/* Older kernels that run wherever `core`'s do, for when those are wrong;
 * NULL: none is known. */
const char *machine_other_core(const char *core);

/* ---- denormals -------------------------------------------------------------------- */

/* Flush-to-zero and denormals-are-zero in this thread and all OpenMP threads: numbers
 * below 1.2e-38 (float) become 0.  A collapsed softmax is full of them and each costs
 * some hundred cycles.  Threads made later inherit it from the thread that makes them. */
void machine_flush_denormals(void);

#endif
