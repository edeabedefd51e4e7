#include "tools/program/findings.h"

#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/dist/ranks.h"
#include "engine/kern/level.h"
#include "tools/program/rate.h"
#include "tools/program/room.h"
#include "tools/program/start.h"

#if defined(__AVX512F__)
#define COMPILED_SIMD SIMD_AVX512
#elif defined(__AVX2__)
#define COMPILED_SIMD SIMD_AVX2
#elif defined(__AVX__)
#define COMPILED_SIMD SIMD_AVX
#elif defined(__ARM_NEON)
#define COMPILED_SIMD SIMD_NEON
#else
#define COMPILED_SIMD 0
#endif

/* ---- problems --------------------------------------------------------------------- */

static void __attribute__((format(printf, 3, 4)))
add_problem(Findings *found, const char *remedy, const char *format, ...) {
    CHECK(found->problem_count < FINDINGS_PROBLEMS, "more than %d problems",
          FINDINGS_PROBLEMS);
    FindingsProblem *problem = &found->problems[found->problem_count++];
    va_list list;
    va_start(list, format);
    vsnprintf(problem->what, sizeof problem->what, format, list);
    va_end(list);
    text_format(problem->remedy, sizeof problem->remedy, "%s", remedy);
}

/* OPENBLAS_CORETYPE of the user: ignored, or for an older processor.  Which kernels are
 * taken without it only a new process could say. */
static void check_user_core(Findings *found, const char *user, bool outdated) {
    if (start_core_ignored())
        add_problem(found, "unset OPENBLAS_CORETYPE, or correct it",
                    "OPENBLAS_CORETYPE=%.40s has no effect: OpenBLAS uses its %s kernels",
                    user, found->blas.core);
    else if (outdated)
        add_problem(found,
                    "unset OPENBLAS_CORETYPE (steady then runs with kernels for this "
                    "processor)",
                    "OPENBLAS_CORETYPE=%s makes OpenBLAS use %s kernels, which do not "
                    "use %s",
                    user, found->blas.core, machine_simd_name(found->simd));
}

static void check_core(Findings *found) {
    const BlasInfo *blas = &found->blas;
    const char *user = start_user_core();
    const char *wanted = machine_wanted_core(blas->core, found->simd);
    char remedy[256];
    if (wanted && !blas->dynamic)
        add_problem(found,
                    "install an OpenBLAS built with DYNAMIC_ARCH or for this processor",
                    "OpenBLAS was built for %s only; %s kernels would be faster",
                    blas->core, wanted);
    if (user && (blas->dynamic || start_core_ignored())) {
        check_user_core(found, user, wanted != NULL);
    } else if (wanted && blas->dynamic) {
        text_format(
            remedy, sizeof remedy,
            "run OPENBLAS_CORETYPE=%s steady ...; if that does not help, install a "
            "newer OpenBLAS",
            wanted);
        add_problem(found, remedy, "OpenBLAS uses %s kernels on a processor with %s",
                    blas->core, machine_simd_name(found->simd));
    }
}

static void check_blas(Findings *found) {
    const BlasInfo *blas = &found->blas;
    if (strcmp(blas->flavour, "OpenMP") != 0)
        add_problem(
            found,
            "install the OpenMP flavour (Debian: libopenblas-openmp-dev) and run "
            "./configure && make",
            "OpenBLAS is the %s flavour, whose threads compete with those of steady",
            blas->flavour);
    check_core(found);
}

static void check_threads(Findings *found) {
    if (found->threads > found->choice.threads) {
        char remedy[256];
        text_format(remedy, sizeof remedy, "unset OMP_NUM_THREADS, or set it to %zu",
                    found->choice.threads);
        add_problem(found, remedy, "%zu threads for %zu processors: %s", found->threads,
                    found->choice.threads, found->choice.why);
    } else if (!*found->kernels.fault &&
               found->rate_all < 0.6 * (double)found->threads * found->rate_one) {
        add_problem(
            found,
            "check with `top` whether other programs are busy; in a virtual machine "
            "the processors may be shared",
            "%zu threads are only %.1f times as fast as one", found->threads,
            found->rate_all / found->rate_one);
    }
}

/* A portable build has kernels for every processor. */
static void check_level(Findings *found) {
    size_t best = level_count() - 1;
    while (best && !level_runs(best)) best--;
    if (level_in_use() < best)
        add_problem(found, "unset " START_LEVEL,
                    START_LEVEL "=%s: kernels for %s would be faster",
                    level_name(level_in_use()), level_name(best));
    if (level_count() > 1) return;
    if ((found->simd & SIMD_AVX512 && !(COMPILED_SIMD & (SIMD_AVX512 | SIMD_NEON))) ||
        (found->simd & SIMD_AVX2 && COMPILED_SIMD < SIMD_AVX2))
        add_problem(found, "build a portable steady: ./configure && make clean all",
                    "steady was compiled for %s, but this processor has %s",
                    machine_simd_name(COMPILED_SIMD), machine_simd_name(found->simd));
}

static void find_problems(Findings *found) {
    if (*found->kernels.fault)
        add_problem(found, found->kernels.remedy, "%s", found->kernels.fault);
    check_blas(found);
    check_threads(found);
    check_level(found);
    if (found->memory_available && found->memory_available < (size_t)1 << 30)
        add_problem(found, "end other programs, or lower train.batch",
                    "only %.2f GB of memory are available",
                    (double)found->memory_available / 1e9);
    if (!found->rate_stored && !*found->kernels.fault)
        add_problem(found, "set XDG_CACHE_HOME to a writable folder",
                    "the measured speed could not be stored, so logs will have no mfu");
}

/* ---- gathering -------------------------------------------------------------------- */

/* With one thread and with all; false: they could not be stored. */
static bool measure_kind(const Findings *found, PrecisionKind kind, double *one,
                         double *all) {
    *one = machine_rate_measure(kind, 1, 0.4);
    *all = found->threads > 1 ? machine_rate_measure(kind, found->threads, 0.6) : *one;
    return machine_rate_store(kind, 1, *one) &&
           machine_rate_store(kind, found->threads, *all);
}

static void measure(Findings *found) {
    found->rate_stored =
        measure_kind(found, PRECISION_FP32, &found->rate_one, &found->rate_all);
    if (found->units.bf16)
        measure_kind(found, PRECISION_BF16, &found->bf16_one, &found->bf16_all);
}

Status findings_gather(Findings *found, Err *err) {
    memset(found, 0, sizeof *found);
    if (start_variables(err) || room_for_threads(0, (size_t)omp_get_max_threads(), err) ||
        kernels_check(&found->kernels, err) == FAIL_USAGE)
        return err->status;
    machine_cpu_name("", found->cpu, sizeof found->cpu);
    found->simd = machine_simd();
    found->choice = machine_threads("");
    found->threads = (size_t)omp_get_max_threads();
    machine_memory("", &found->memory, &found->memory_available);
    found->blas = machine_blas();
    found->mended_from = start_mended_from();
    found->units = units_here();
    ranks_library(found->mpi, sizeof found->mpi);
    if (!*found->kernels.fault) measure(found);
    find_problems(found);
    return OK;
}
