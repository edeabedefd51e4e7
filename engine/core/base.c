#include "engine/core/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

Status err_set(Err *err, Status status, const char *format, ...) {
    if (!err) return status;
    char text[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(err->text, text, sizeof text);
    err->status = status;
    return status;
}

Status err_wrap(Err *err, const char *format, ...) {
    if (!err) return FAIL_RUN;
    char prefix[400];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    char text[sizeof err->text];
    snprintf(text, sizeof text, "%s: %.590s", prefix, err->text);
    memcpy(err->text, text, sizeof text);
    return err->status;
}

void check_failed(const char *file, int line, const char *condition, const char *format,
                  ...) {
    fprintf(stderr, "steady: bug at %s:%d: ", file, line);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, " (wanted: %s)\n", condition);
    abort();
}

void *mem_alloc(size_t bytes) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, bytes ? bytes : 1)) {
        fprintf(stderr, "steady: out of memory: %.1f MB more were wanted\n", bytes / 1e6);
        exit(FAIL_RUN);
    }
    return memory;
}

void *mem_zalloc(size_t bytes) { return memset(mem_alloc(bytes), 0, bytes); }

void mem_free(void *memory) { free(memory); }

char *mem_strdup(const char *text) {
    size_t bytes = strlen(text) + 1;
    return memcpy(mem_alloc(bytes), text, bytes);
}

bool size_mul(size_t a, size_t b, size_t *product) {
    return !__builtin_mul_overflow(a, b, product);
}

void text_format(char *buffer, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(buffer, size, format, args);
    va_end(args);
    CHECK(length >= 0 && (size_t)length < size, "text of %d bytes in a buffer of %zu",
          length, size);
}

double clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
