/* doctor: `steady doctor`, what this machine offers and what is wrong with its
 * set-up.  Problems that it finds are its result, not its failure, but for products
 * that are wrong (FAIL_RUN). */
#include <jansson.h>
#include <omp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/core/machine.h"
#include "engine/kern/level.h"
#include "tools/commands.h"
#include "tools/program/findings.h"
#include "tools/program/output.h"
#include "tools/program/start.h"
#include "tools/program/version.h"
#include "tools/run/rundir.h"

#ifdef HAVE_JPEG
#define JPEG true
#else
#define JPEG false
#endif
#ifdef HAVE_SNDFILE
#define SNDFILE true
#else
#define SNDFILE false
#endif
#ifdef HAVE_ARPACK
#define ARPACK true
#else
#define ARPACK false
#endif

typedef struct Part {
    const char *name, *for_what, *without, *package;
    bool built_in;
} Part;

static const Part parts[] = {
    {"JPEG", "image folders with JPEG files", " cannot be read", "libjpeg-dev", JPEG},
    {"sndfile", "WAV and FLAC recordings", " cannot be read", "libsndfile1-dev", SNDFILE},
    {"ARPACK", "sharpness (probe.sharpness, steady probe --sharpness)",
     " cannot be measured", "libarpack2-dev", ARPACK},
};

/* ---- printing --------------------------------------------------------------------- */

static void print_rate(const Findings *found, double one, double all) {
    printf("%.0f GFLOP/s with one thread", one / 1e9);
    if (found->threads > 1) printf(", %.0f with %zu", all / 1e9, found->threads);
    printf("\n");
}

static void print_rates(const Findings *found) {
    printf("\nGEMM         ");
    if (*found->kernels.fault) printf("not measured\n");
    else print_rate(found, found->rate_one, found->rate_all);
    printf("bf16         ");
    if (!found->units.bf16) printf("no fast bf16 products: %s\n", found->units.why);
    else if (*found->kernels.fault) printf("not measured\n");
    else print_rate(found, found->bf16_one, found->bf16_all);
}

static void print_levels(void) {
    printf("kernels      %s", level_name(level_in_use()));
    if (level_count() > 1) printf(" (levels here:");
    for (size_t i = 0; level_count() > 1 && i < level_count(); i++)
        if (level_runs(i)) printf(" %s", level_name(i));
    if (level_count() > 1) printf("; " START_LEVEL "=NAME takes another)");
    else printf(", the one level of this build");
    printf("\n");
}

static json_t *levels_of_processor(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < level_count(); i++)
        if (level_runs(i)) json_array_append_new(list, json_string(level_name(i)));
    return list;
}

static const char *reason_for_threads(const Findings *found) {
    return found->threads == found->choice.threads ? found->choice.why
                                                   : "set by OMP_NUM_THREADS";
}

static void print_text(const Findings *found) {
    printf("steady       %s, %s\n", version_text(),
           sizeof(real) == 4 ? "float" : "double");
    printf("processor    %s, %s\n", found->cpu, machine_simd_name(found->simd));
    if (found->memory)
        printf("memory       %.1f GB, %.1f GB available\n", (double)found->memory / 1e9,
               (double)found->memory_available / 1e9);
    printf("threads      %zu (%s)\n", found->threads, reason_for_threads(found));
    printf("OpenBLAS     %s, %s, %s kernels", found->blas.version, found->blas.flavour,
           found->blas.core);
    if (found->mended_from)
        printf(" (corrected; OpenBLAS had chosen %s)", found->mended_from);
    else if (start_user_core() && !start_core_ignored())
        printf(" (set by OPENBLAS_CORETYPE)");
    printf("\n");
    print_levels();
    printf("products     ");
    if (*found->kernels.fault) printf("WRONG: see below");
    else if (found->kernels.cases)
        printf("correct: %zu cases of gemm, gemv and syevr agree with plain loops in "
               "single and double precision",
               found->kernels.cases);
    else printf("not checked: " KERNELS_VARIABLE " says so");
    print_rates(found);
    for (size_t i = 0; i < COUNT(parts); i++)
        printf("%-12s %s: %s%s\n", parts[i].name, parts[i].built_in ? "yes" : "no",
               parts[i].for_what, parts[i].built_in ? "" : parts[i].without);
    if (*found->mpi)
        printf("MPI          %s: mpirun -n N steady train ...\n\n", found->mpi);
    else
        printf("MPI          not built in: training uses one process on one machine\n"
               "\n"
               "For several: install libopenmpi-dev openmpi-bin (Debian), then "
               "./configure && make.\n");
    for (size_t i = 0; i < COUNT(parts); i++)
        if (!parts[i].built_in)
            printf("For %s: install %s (Debian), then ./configure && make.\n",
                   parts[i].name, parts[i].package);
    for (size_t i = 0; i < found->problem_count; i++)
        printf("PROBLEM  %s.\n         What to do: %s.\n", found->problems[i].what,
               found->problems[i].remedy);
    if (!found->problem_count) printf("No problems found.\n");
}

static void print_json(const Findings *found) {
    json_t *optional = json_object(), *problems = json_array();
    for (size_t i = 0; i < COUNT(parts); i++)
        json_object_set_new(optional, parts[i].name, json_boolean(parts[i].built_in));
    for (size_t i = 0; i < found->problem_count; i++)
        json_array_append_new(problems,
                              json_pack("{s:s, s:s}", "problem", found->problems[i].what,
                                        "remedy", found->problems[i].remedy));
    json_object_set_new(optional, "MPI", json_boolean(*found->mpi));
    const ThreadChoice *choice = &found->choice;
    json_t *quota = choice->quota > 0 ? json_real(choice->quota) : json_null();
    json_t *threads =
        json_pack("{s:I, s:I, s:I, s:o, s:s}", "used", (json_int_t)found->threads,
                  "affinity", (json_int_t)choice->affinity, "physical_cores",
                  (json_int_t)choice->cores, "cpu_quota", quota, "why",
                  reason_for_threads(found));
    json_t *memory = json_pack("{s:I, s:I}", "total", (json_int_t)found->memory,
                               "available", (json_int_t)found->memory_available);
    const BlasInfo *info = &found->blas;
    json_t *blas = json_pack("{s:s, s:s, s:s, s:o?, s:s}", "version", info->version,
                             "flavour", info->flavour, "core", info->core, "mended_from",
                             found->mended_from ? json_text(found->mended_from) : NULL,
                             "config", info->config);
    json_t *gflops = json_pack("{s:f, s:f}", "one_thread", found->rate_one / 1e9,
                               "all_threads", found->rate_all / 1e9);
    json_t *half =
        json_pack("{s:b, s:s?, s:f, s:f}", "products", found->units.bf16, "why",
                  found->units.bf16 ? NULL : found->units.why, "one_thread_gflops",
                  found->bf16_one / 1e9, "all_threads_gflops", found->bf16_all / 1e9);
    const KernelsAnswer *kernels = &found->kernels;
    json_t *products = json_pack("{s:I, s:s?}", "checked", (json_int_t)kernels->cases,
                                 "fault", *kernels->fault ? kernels->fault : NULL);
    json_t *all = json_pack(
        "{s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:s?, s:o, s:o, s:o, s:o, s:o}",
        "version", STEADY_VERSION, "commit", version_commit(), "cpu",
        json_text(found->cpu), "simd", machine_simd_name(found->simd), "level",
        level_name(level_in_use()), "levels", levels_of_processor(), "threads", threads,
        "memory", memory, "openblas", blas, "mpi", *found->mpi ? found->mpi : NULL,
        "gflops", gflops, "bf16", half, "products", products, "optional", optional,
        "problems", problems);
    CHECK(all, "the findings do not fit their pattern");
    output_json(all, JSON_INDENT(2) | JSON_REAL_PRECISION(4));
}

/* Environment in which another program, one that links libsteady, runs as fast. */
static void print_env(void) {
    if (start_mended_from()) printf("OPENBLAS_CORETYPE=%s ", getenv("OPENBLAS_CORETYPE"));
    printf("OMP_NUM_THREADS=%d\n", omp_get_max_threads());
}

typedef struct Options {
    bool json, env;
} Options;

static const Option OPTIONS[] = {
    {"--json", NULL, OPTION_FLAG, offsetof(Options, json),
     .sentence = "print one JSON object"},
    {"--env", NULL, OPTION_FLAG, offsetof(Options, env),
     .sentence = "print the environment in which programs with libsteady run as fast "
                 "as\n"
                 "steady, measure nothing: env $(steady doctor --env) ./my-program"},
    OPTION_HELP,
    {0},
};

static int run_doctor(int argc, char **argv) {
    Err err = ERR_NONE;
    Options o = {0};
    if (command_read(&doctor_command, &o, argc, argv, NULL, &err))
        return command_fail("doctor", &err);
    if (o.env && o.json) {
        err_set(&err, FAIL_USAGE,
                "--json and --env exclude each other; give one of them");
        return command_fail("doctor", &err);
    }
    if (o.env) {
        if (start_variables(&err)) return command_fail("doctor", &err);
        print_env();
        return OK;
    }
    Findings found;
    if (findings_gather(&found, &err)) return command_fail("doctor", &err);
    if (o.json) print_json(&found);
    else print_text(&found);
    return *found.kernels.fault ? FAIL_RUN : OK;
}

const Command doctor_command = {
    .name = "doctor",
    .sentence = "check this machine: processor, libraries, speed, problems",
    .run = run_doctor,
    .options = OPTIONS,
};
