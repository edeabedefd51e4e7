/* memory: aligned, on large pages, never NULL (engine/core/base.h). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/core/machine.h"
#include "engine/core/trap.h"

/* Ends the process, or what the trap is around. */
__attribute__((format(printf, 1, 2))) static _Noreturn void no_memory(const char *format,
                                                                      ...) {
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    trap_spring(FAIL_RUN, text);
    fprintf(stderr, "steady: %s\n", text);
    exit(FAIL_RUN);
}

/* Large memory lies on pages of 2 MB where the system has them to give: a matrix that is
 * walked across its rows then misses the table of pages a hundred times less
 * (docs/performance.md). */
enum { LINE = 64, HUGE_PAGE = 2 << 20, LARGE = 4 << 20, GIANT = 1 << 28 };

void mem_text(double bytes, char *text, size_t size) {
    if (bytes < 1e15) text_format(text, size, "%.1f GB", bytes / 1e9);
    else text_format(text, size, "%.3g bytes", bytes);
}

void mem_expect(double bytes, const char *what) {
    double known = machine_memory_most(""),
           most = known > 0 ? known : (double)PTRDIFF_MAX;
    if (bytes < GIANT || bytes <= most) return;
    char need[32], have[32];
    mem_text(bytes, need, sizeof need);
    mem_text(most, have, sizeof have);
    no_memory("out of memory: %s are needed for %s, but this process can use at most %s",
              need, what, have);
}

static size_t array_bytes(size_t count, size_t item) {
    size_t bytes;
    if (size_mul(count, item, &bytes)) return bytes;
    no_memory("out of memory: %.3g bytes were requested at once",
              (double)count * (double)item);
}

void *mem_array(size_t count, size_t item) { return mem_alloc(array_bytes(count, item)); }

void *mem_zarray(size_t count, size_t item) {
    return mem_zalloc(array_bytes(count, item));
}

/* Linux promises more than there is, and kills what then takes it: what can never be had
 * is refused before. */
void *mem_alloc(size_t bytes) {
    void *memory = NULL;
    bool large = bytes >= LARGE;
    if (bytes >= GIANT) mem_expect((double)bytes, "one array");
    if (posix_memalign(&memory, large ? HUGE_PAGE : LINE, bytes ? bytes : 1))
        no_memory("out of memory: %.1f MB more were requested", (double)bytes / 1e6);
#ifdef MADV_HUGEPAGE
    /* Whole ones: what stands behind the last would cost a page all the same. */
    if (large) madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memory;
}

/* Each thread clears its share: a page belongs to the memory of the processor
 * that touches it first. */
void *mem_zalloc(size_t bytes) {
    char *memory = mem_alloc(bytes);
#pragma omp parallel for schedule(static) if (bytes >= LARGE)
    for (size_t i = 0; i < bytes; i += HUGE_PAGE)
        memset(memory + i, 0, MIN((size_t)HUGE_PAGE, bytes - i));
    return memory;
}

void mem_free(void *memory) { free(memory); }

char *mem_strdup(const char *text) {
    size_t bytes = strlen(text) + 1;
    return memcpy(mem_alloc(bytes), text, bytes);
}
