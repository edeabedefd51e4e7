/* memory: what the system says about this process (tools/bench/bench.h). */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/bench.h"

#ifdef __GLIBC__
#include <malloc.h>
#define give_back_pages() malloc_trim(0)
#else
#define give_back_pages() ((void)0)
#endif

/* "VmRSS:     1234 kB" of /proc/self/status, in bytes. */
static size_t status_bytes(const char *status, const char *field) {
    const char *line = strstr(status, field);
    size_t kilobytes = 0;
    if (!line || sscanf(line + strlen(field), ": %zu", &kilobytes) != 1) return 0;
    return 1024 * kilobytes;
}

static size_t read_file(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(text, 1, size - 1, file) : 0;
    if (file) fclose(file);
    text[length] = 0;
    return length;
}

BenchMemory bench_memory(void) {
    char status[8192];
    read_file("/proc/self/status", status, sizeof status);
    return (BenchMemory){status_bytes(status, "VmRSS"), status_bytes(status, "VmHWM")};
}

void bench_memory_forget(void) {
    give_back_pages();
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file) return;
    fputs("5", file); /* proc(5): resets the peak */
    fclose(file);
}

size_t bench_page_faults(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (size_t)usage.ru_minflt;
}

double bench_processor(void) {
    struct timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return (double)spent.tv_sec + 1e-9 * (double)spent.tv_nsec;
}

/* Field 22 of /proc/self/stat: start of the process in clock ticks since boot.  The name
 * in field 2 may hold blanks and brackets, so fields are counted from the last
 * bracket. */
double bench_process_age(void) {
    char stat[1024];
    unsigned long long ticks;
    struct timespec now;
    read_file("/proc/self/stat", stat, sizeof stat);
    const char *at = strrchr(stat, ')');
    for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
    if (!at || sscanf(at, " %llu", &ticks) != 1) return 0;
    clock_gettime(CLOCK_BOOTTIME, &now);
    double started = (double)ticks / (double)sysconf(_SC_CLK_TCK);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec - started;
}
