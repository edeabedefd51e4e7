#include "engine/core/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/core/trap.h"

void check_failed(const char *file, int line, const char *condition, const char *format,
                  ...) {
    char what[sizeof((Err *)0)->text], text[sizeof what + 200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(text, sizeof text, "bug at %s:%d: %s (expected: %s)", file, line, what,
             condition);
    trap_spring(FAIL_BUG, text);
    fprintf(stderr, "steady: %s\n", text);
    abort();
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
