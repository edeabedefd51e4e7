/* Fails the N-th call of malloc and its kin, once: LD_PRELOAD=fault-allocations.so
 * STEADY_FAULT=N.  Without N, or with 0, none fails; STEADY_FAULT_COUNT names a file that
 * the number of calls is written into at the end.  test/fault/run.sh builds and uses
 * it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

static atomic_ulong *calls; /* shared with the processes that this one forks */
static unsigned long wanted;

static int fails(void) {
    if (!calls || atomic_fetch_add(calls, 1) + 1 != wanted) return 0;
    errno = ENOMEM;
    return 1;
}

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("STEADY_FAULT");
    wanted = text ? strtoul(text, NULL, 10) : 0;
    void *shared = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    calls = shared == MAP_FAILED ? NULL : shared;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("STEADY_FAULT_COUNT");
    char text[30];
    int file = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    if (file < 0) return;
    int length =
        snprintf(text, sizeof text, "%lu\n", calls ? (unsigned long)*calls : 0ul);
    if (write(file, text, (size_t)length) < 0) _exit(99);
    close(file);
}

void *malloc(size_t bytes) { return fails() ? NULL : __libc_malloc(bytes); }

void *calloc(size_t count, size_t bytes) {
    return fails() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes) {
    return fails() ? NULL : __libc_realloc(old, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
    if (fails()) return ENOMEM;
    *memory = __libc_memalign(alignment, bytes);
    return *memory ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    return fails() ? NULL : __libc_memalign(alignment, bytes);
}
