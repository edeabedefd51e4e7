#include "engine/core/machine.h"

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "engine/core/base.h"
#include "engine/core/hash.h"
#include "engine/core/machine_cpu.h"
#include "engine/core/machine_files.h"

enum { LINE_SIZE = 4096 };

unsigned machine_simd(void) { return cpu_simd(); }

const char *machine_simd_name(unsigned simd) {
    if (simd & SIMD_AVX512)
        return simd & SIMD_AVX512_BF16 ? "AVX-512 with BF16" : "AVX-512";
    if (simd & SIMD_AVX2) return "AVX2 with FMA";
    if (simd & SIMD_AVX) return "AVX";
    if (simd & SIMD_NEON) return "NEON";
    return "none known";
}

void machine_cpu_name(const char *root, char *name, size_t size) {
    if (machine_read_field(root, "/proc/cpuinfo", "model name", name, size)) return;
    if (machine_read_field(root, "/proc/cpuinfo", "Model", name, size)) return;
    snprintf(name, size, "unknown processor");
}

/* ---- threads ---------------------------------------------------------------------- */

size_t machine_physical_cores(const char *root, const bool *allowed, size_t n) {
    size_t cores = 0;
    for (size_t cpu = 0; cpu < n; cpu++) {
        char path[128], list[LINE_SIZE];
        if (!allowed[cpu]) continue;
        snprintf(path, sizeof path,
                 "/sys/devices/system/cpu/cpu%zu/topology/thread_siblings_list", cpu);
        if (!machine_read_line(root, path, list, sizeof list)) return 0;
        /* A core counts at the first of its threads that we may use: "0,64", "2-3". */
        bool first = true;
        char *p = list;
        while (first && *p) {
            size_t low = strtoul(p, &p, 10), high = low;
            if (*p == '-') high = strtoul(p + 1, &p, 10);
            for (size_t i = low; i <= high && i < cpu; i++)
                if (allowed[i]) first = false;
            if (*p == ',') p++;
            else break;
        }
        cores += first;
    }
    return cores;
}

/* Processors in "0-3,8": 5. */
static size_t list_length(const char *list) {
    size_t count = 0;
    char *p = (char *)(uintptr_t)list;
    while (*p >= '0' && *p <= '9') {
        size_t low = strtoul(p, &p, 10), high = low;
        if (*p == '-') high = strtoul(p + 1, &p, 10);
        count += high >= low ? high - low + 1 : 0;
        if (*p == ',') p++;
    }
    return count;
}

size_t machine_cache_share(const char *root, size_t threads) {
    char size[LINE_SIZE], list[LINE_SIZE], *unit;
    const char *folder = "/sys/devices/system/cpu/cpu0/cache/index3/";
    char path[128];
    snprintf(path, sizeof path, "%ssize", folder);
    if (!machine_read_line(root, path, size, sizeof size)) return 0;
    snprintf(path, sizeof path, "%sshared_cpu_list", folder);
    if (!machine_read_line(root, path, list, sizeof list)) return 0;
    size_t bytes = strtoul(size, &unit, 10), sharers = list_length(list);
    bytes <<= *unit == 'K' ? 10 : *unit == 'M' ? 20 : 0;
    return sharers ? bytes / sharers * threads : 0;
}

ThreadChoice machine_choose_threads(size_t affinity, size_t cores, double quota) {
    ThreadChoice choice = {.affinity = MAX(affinity, 1), .quota = quota};
    choice.cores = cores ? cores : choice.affinity;
    choice.threads = MIN(choice.affinity, choice.cores);
    const char *plural = choice.affinity == 1 ? "" : "s";
    if (quota > 0 && floor(quota + 1e-6) < (double)choice.threads) {
        choice.threads = MAX((size_t)floor(quota + 1e-6), 1);
        text_format(choice.why, sizeof choice.why,
                    "a control group allows %.4g of %zu processor%s", quota,
                    choice.affinity, plural);
    } else if (choice.cores < choice.affinity) {
        text_format(choice.why, sizeof choice.why,
                    "one per physical core; %zu logical processors share them",
                    choice.affinity);
    } else {
        text_format(choice.why, sizeof choice.why,
                    "%zu processor%s that this process may use", choice.affinity, plural);
    }
    return choice;
}

#ifdef __linux__

#include <sched.h>

/* Processors this process may use as flags, in memory the caller frees with mem_free.
 * Under OMP_PROC_BIND the OpenMP run-time has tied this thread to one of them
 * before main; it alone knows how many there were.  Which ones does then not
 * matter: all are taken. */
static bool *allowed_processors(size_t *n) {
    size_t known = (size_t)omp_get_num_procs();
    for (*n = 1024;; *n *= 2) {
        size_t bytes = CPU_ALLOC_SIZE(*n);
        cpu_set_t *set = mem_zalloc(bytes);
        bool fits = sched_getaffinity(0, bytes, set) == 0, too_small = errno == EINVAL;
        bool *allowed = mem_zalloc(*n);
        size_t count = 0;
        for (size_t i = 0; fits && i < *n; i++)
            count += allowed[i] = CPU_ISSET_S(i, bytes, set);
        mem_free(set);
        if (fits && count >= known) return allowed;
        if (fits || !too_small || *n > 1 << 20) {
            long configured = sysconf(_SC_NPROCESSORS_CONF);
            *n = MIN(*n, (size_t)MAX(configured, 1));
            memset(allowed, true, *n);
            return allowed;
        }
        mem_free(allowed);
    }
}

#else

static bool *allowed_processors(size_t *n) {
    *n = (size_t)omp_get_num_procs();
    bool *allowed = mem_alloc(*n);
    memset(allowed, true, *n);
    return allowed;
}

#endif

ThreadChoice machine_threads(const char *root) {
    size_t n;
    bool *allowed = allowed_processors(&n);
    size_t cores = machine_physical_cores(root, allowed, n);
    mem_free(allowed);
    return machine_choose_threads((size_t)omp_get_num_procs(), cores,
                                  machine_cpu_quota(root));
}

uint64_t machine_affinity_mark(void) {
    size_t n;
    bool *allowed = allowed_processors(&n);
    uint64_t mark = hash_bytes(HASH_START, allowed, n * sizeof *allowed);
    mem_free(allowed);
    return mark;
}

/* ---- OpenBLAS --------------------------------------------------------------------- */

BlasInfo machine_blas(void) {
    static const char *const flavours[] = {"serial", "pthreads", "OpenMP"};
    int parallel = openblas_get_parallel();
    BlasInfo info = {.config = openblas_get_config(), .core = openblas_get_corename()};
    info.flavour = parallel >= 0 && parallel < 3 ? flavours[parallel] : "unknown";
    info.dynamic = strstr(info.config, "DYNAMIC_ARCH") != NULL;
    if (sscanf(info.config, "OpenBLAS %31s", info.version) != 1)
        strcpy(info.version, "unknown");
    return info;
}

/* Names of OpenBLAS's driver/others/dynamic.c.  AVX-512 kernels below their class lose
 * half of the rate, AVX2 kernels below theirs two thirds. */
const char *machine_wanted_core(const char *core, unsigned simd) {
    static const char *const avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    static const char *const avx2[] = {"Haswell", "Zen"};
    for (size_t i = 0; i < COUNT(avx512); i++)
        if (strcasecmp(core, avx512[i]) == 0) return NULL;
    if (simd & SIMD_AVX512) return "SkylakeX";
    for (size_t i = 0; i < COUNT(avx2); i++)
        if (strcasecmp(core, avx2[i]) == 0) return NULL;
    return simd & SIMD_AVX2 ? "Haswell" : NULL;
}

const char *machine_other_core(const char *core) {
    static const char *const OLDER[][2] = {
        {"SapphireRapids", "Haswell"}, {"Cooperlake", "Haswell"},
        {"SkylakeX", "Haswell"},       {"Haswell", "Sandybridge"},
        {"Zen", "Sandybridge"},        {"Sandybridge", "Nehalem"},
        {"Nehalem", "Prescott"},       {"Bulldozer", "Barcelona"},
        {"neoversev1", "armv8"},       {"neoversen2", "armv8"},
        {"neoversen1", "armv8"},
    };
    for (size_t i = 0; i < COUNT(OLDER); i++)
        if (strcasecmp(core, OLDER[i][0]) == 0) return OLDER[i][1];
    return NULL;
}

const char *machine_blas_wanted_core(void) {
    BlasInfo info = machine_blas();
    return info.dynamic ? machine_wanted_core(info.core, cpu_simd()) : NULL;
}

/* ---- denormals -------------------------------------------------------------------- */

void machine_flush_denormals(void) {
    cpu_flush_denormals();
#pragma omp parallel
    cpu_flush_denormals();
}
