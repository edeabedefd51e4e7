/* machine_limits: what control groups, memory and the process's own limits grant
 * (engine/core/machine.h).  Takes no memory itself: it is asked before memory is
 * taken. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "engine/core/base.h"
#include "engine/core/machine.h"
#include "engine/core/machine_files.h"

enum { PATH_SIZE = 4096, LINE_SIZE = 4096 };

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

/* The same over all hierarchies that this process is in: v2 and the v1 one of
 * `controller`.  In a container the path may be the host's while the mount shows the
 * container's own group; directories that do not exist then say nothing and the mount's
 * top has the limit. */
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
    return machine_read_line(root, path, line, sizeof line) ? strtod(line, NULL) : 0;
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
    if (!machine_read_line(root, path, line, sizeof line))
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
    return machine_read_field(root, "/proc/meminfo", key, value, sizeof value)
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
