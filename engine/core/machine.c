#include "engine/core/machine.h"

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/core/base.h"
#include "engine/core/machine_cpu.h"

enum { PATH_SIZE = 4096, LINE_SIZE = 4096 };

unsigned machine_simd(void) { return cpu_simd(); }

const char *machine_simd_name(unsigned simd) {
    if (simd & SIMD_AVX512)
        return simd & SIMD_AVX512_BF16 ? "AVX-512 with BF16" : "AVX-512";
    if (simd & SIMD_AVX2) return "AVX2 with FMA";
    if (simd & SIMD_AVX) return "AVX";
    if (simd & SIMD_NEON) return "NEON";
    return "none that we know";
}

/* ---- small files ------------------------------------------------------------------ */

/* First line of root/path without its newline; false when it cannot be read. */
static bool read_line(const char *root, const char *path, char *line, size_t size) {
    char full[PATH_SIZE];
    if ((size_t)snprintf(full, sizeof full, "%s%s", root, path) >= sizeof full)
        return false;
    FILE *file = fopen(full, "r");
    if (!file) return false;
    bool ok = fgets(line, (int)size, file);
    fclose(file);
    if (ok) line[strcspn(line, "\n")] = 0;
    return ok;
}

/* Value of "key : value" in root/path, as text; false when there is none. */
static bool read_field(const char *root, const char *path, const char *key, char *value,
                       size_t size) {
    char full[PATH_SIZE], line[LINE_SIZE];
    if ((size_t)snprintf(full, sizeof full, "%s%s", root, path) >= sizeof full)
        return false;
    FILE *file = fopen(full, "r");
    if (!file) return false;
    bool found = false;
    while (!found && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0) continue;
        if (strspn(line + strlen(key), " \t") != (size_t)(colon - line) - strlen(key))
            continue;
        char *text = colon + 1 + strspn(colon + 1, " \t");
        text[strcspn(text, "\n")] = 0;
        snprintf(value, size, "%s", text);
        found = *text != 0;
    }
    fclose(file);
    return found;
}

void machine_cpu_name(const char *root, char *name, size_t size) {
    if (read_field(root, "/proc/cpuinfo", "model name", name, size)) return;
    if (read_field(root, "/proc/cpuinfo", "Model", name, size)) return;
    snprintf(name, size, "unknown processor");
}

/* ---- control groups --------------------------------------------------------------- */

/* Whether `list` ("cpu,cpuacct") holds `word`. */
static bool list_has(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *p = list; p; p = strchr(p, ',')) {
        if (*p == ',') p++;
        if (strncmp(p, word, length) == 0 && (p[length] == ',' || !p[length]))
            return true;
    }
    return false;
}

/* What one directory of the control groups grants; 0: nothing said. */
typedef double Reader(const char *root, const char *directory);

/* Smallest positive value of `read` in mount/path and every directory above it. */
static double smallest_upwards(const char *root, const char *mount, const char *path,
                               Reader *read) {
    char directory[PATH_SIZE];
    int length = snprintf(directory, sizeof directory, "%s%s", mount, path);
    if (length < 0 || (size_t)length >= sizeof directory) return 0;
    double smallest = 0;
    for (;;) {
        double value = read(root, directory);
        if (value > 0 && (smallest == 0 || value < smallest)) smallest = value;
        char *slash = strrchr(directory, '/');
        if (!slash || (size_t)(slash - directory) < strlen(mount)) return smallest;
        *slash = 0;
    }
}

/* The same over all hierarchies that this process is in: v2 and the v1 one of `controller`.
 * In a container the path may be the host's while the mount shows the container's own group;
 * directories that do not exist then say nothing and the mount's top has the limit. */
static double cgroup_smallest(const char *root, const char *controller, Reader *v1,
                              Reader *v2) {
    char full[PATH_SIZE], line[LINE_SIZE];
    if ((size_t)snprintf(full, sizeof full, "%s/proc/self/cgroup", root) >= sizeof full)
        return 0;
    FILE *file = fopen(full, "r");
    if (!file) return 0;
    double smallest = 0;
    while (fgets(line, sizeof line, file)) { /* "4:cpu,cpuacct:/a/b", "0::/a/b" */
        line[strcspn(line, "\n")] = 0;
        char *list = strchr(line, ':');
        char *path = list ? strchr(list + 1, ':') : NULL;
        if (!path) continue;
        *path++ = 0;
        list++;
        char by_list[PATH_SIZE], by_name[PATH_SIZE];
        snprintf(by_list, sizeof by_list, "/sys/fs/cgroup/%.1000s", list);
        snprintf(by_name, sizeof by_name, "/sys/fs/cgroup/%.1000s", controller);
        const char *v1_mounts[] = {by_list, by_name};
        const char *v2_mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
        if (*list && !list_has(list, controller)) continue;
        for (size_t i = 0; i < 2; i++) {
            double value = smallest_upwards(root, *list ? v1_mounts[i] : v2_mounts[i],
                                            path, *list ? v1 : v2);
            if (value > 0 && (smallest == 0 || value < smallest)) smallest = value;
        }
    }
    fclose(file);
    return smallest;
}

static double read_number(const char *root, const char *directory, const char *name) {
    char path[PATH_SIZE], line[LINE_SIZE];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path)
        return 0;
    return read_line(root, path, line, sizeof line) ? strtod(line, NULL) : 0;
}

static double cpu_quota_v1(const char *root, const char *directory) {
    double quota = read_number(root, directory, "cpu.cfs_quota_us"); /* -1: none */
    double period = read_number(root, directory, "cpu.cfs_period_us");
    return quota > 0 && period > 0 ? quota / period : 0;
}

static double cpu_quota_v2(const char *root, const char *directory) {
    char path[PATH_SIZE], line[LINE_SIZE];
    double quota, period;
    if ((size_t)snprintf(path, sizeof path, "%s/cpu.max", directory) >= sizeof path)
        return 0;
    if (!read_line(root, path, line, sizeof line))
        return 0; /* "150000 100000", "max 100000" */
    if (sscanf(line, "%lf %lf", &quota, &period) != 2) return 0;
    return quota > 0 && period > 0 ? quota / period : 0;
}

double machine_cpu_quota(const char *root) {
    return cgroup_smallest(root, "cpu", cpu_quota_v1, cpu_quota_v2);
}

/* ---- memory ----------------------------------------------------------------------- */

static double memory_limit_v1(const char *root, const char *directory) {
    return read_number(root, directory, "memory.limit_in_bytes");
}

static double memory_limit_v2(const char *root, const char *directory) {
    return read_number(root, directory, "memory.max"); /* "max" reads as 0: no limit */
}

static double meminfo(const char *root, const char *key) {
    char value[64];
    return read_field(root, "/proc/meminfo", key, value, sizeof value)
               ? strtod(value, NULL) * 1024
               : 0;
}

void machine_memory(const char *root, size_t *total, size_t *available) {
    double all = meminfo(root, "MemTotal"), left = meminfo(root, "MemAvailable");
    double limit = cgroup_smallest(root, "memory", memory_limit_v1, memory_limit_v2);
    if (limit > 0 && limit < all) all = limit;
    left = MIN(left, all);
    *total = (size_t)all;
    *available = (size_t)left;
}

static double own_limit(int which, double most) {
    struct rlimit limit;
    if (getrlimit(which, &limit) || limit.rlim_cur == RLIM_INFINITY) return most;
    return most > 0 ? fmin(most, (double)limit.rlim_cur) : (double)limit.rlim_cur;
}

double machine_memory_most(const char *root) {
    double swap = meminfo(root, "SwapTotal");
    double most = meminfo(root, "MemTotal") + swap;
    double limit =
        cgroup_smallest(root, "memory", memory_limit_v1, memory_limit_v2) + swap;
    if (limit > swap && limit < most) most = limit;
    return own_limit(RLIMIT_DATA, own_limit(RLIMIT_AS, most));
}

/* ---- threads ---------------------------------------------------------------------- */

size_t machine_physical_cores(const char *root, const bool *allowed, size_t n) {
    size_t cores = 0;
    for (size_t cpu = 0; cpu < n; cpu++) {
        char path[128], list[LINE_SIZE];
        if (!allowed[cpu]) continue;
        snprintf(path, sizeof path,
                 "/sys/devices/system/cpu/cpu%zu/topology/thread_siblings_list", cpu);
        if (!read_line(root, path, list, sizeof list)) return 0;
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
    if (!read_line(root, path, size, sizeof size)) return 0;
    snprintf(path, sizeof path, "%sshared_cpu_list", folder);
    if (!read_line(root, path, list, sizeof list)) return 0;
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
                    "a control group grants %.4g of %zu processor%s", quota,
                    choice.affinity, plural);
    } else if (choice.cores < choice.affinity) {
        text_format(choice.why, sizeof choice.why,
                    "one for each physical core; %zu logical processors share them",
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
 * Under OMP_PROC_BIND the OpenMP run-time has tied this thread to one of them before main;
 * it alone knows how many there were.  Which ones does then not matter: all are taken. */
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

/* FNV-1a over the flags. */
uint64_t machine_affinity_mark(void) {
    size_t n;
    bool *allowed = allowed_processors(&n);
    uint64_t mark = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) mark = (mark ^ allowed[i]) * 1099511628211u;
    mem_free(allowed);
    return mark;
}

/* ---- OpenBLAS --------------------------------------------------------------------- */

BlasInfo machine_blas(void) {
    static const char *flavours[] = {"serial", "pthreads", "OpenMP"};
    int parallel = openblas_get_parallel();
    BlasInfo info = {.config = openblas_get_config(), .core = openblas_get_corename()};
    info.flavour = parallel >= 0 && parallel < 3 ? flavours[parallel] : "unknown";
    info.dynamic = strstr(info.config, "DYNAMIC_ARCH") != NULL;
    if (sscanf(info.config, "OpenBLAS %31s", info.version) != 1)
        strcpy(info.version, "unknown");
    return info;
}

/* Names of OpenBLAS's driver/others/dynamic.c.  AVX-512 kernels below their class lose half
 * of the rate, AVX2 kernels below theirs two thirds. */
const char *machine_wanted_core(const char *core, unsigned simd) {
    static const char *avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    static const char *avx2[] = {"Haswell", "Zen"};
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
