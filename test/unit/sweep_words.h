/* sweep_words: sweeps of words, opened or refused, for tests. */
#ifndef TEST_SWEEP_WORDS_H
#define TEST_SWEEP_WORDS_H

#include <stddef.h>

#include "tools/sweep/sweep.h"

#define OPEN(sweep, ...)                                                                 \
    sweep_open_words(sweep, (const char *const[]){__VA_ARGS__},                          \
                     COUNT(((const char *const[]){__VA_ARGS__})))

void sweep_open_words(Sweep *sweep, const char *const *words, size_t count);

#define REFUSED(part, ...)                                                               \
    sweep_refused(part, (const char *const[]){__VA_ARGS__},                              \
                  COUNT(((const char *const[]){__VA_ARGS__})))

void sweep_refused(const char *part, const char *const *words, size_t count);

#endif
