/* print: what was probed, for people: tables of attention and of tensors, and what they
 * say in a sentence or two. */
#ifndef STEADY_PROBE_PRINT_H
#define STEADY_PROBE_PRINT_H

#include <stdio.h>

#include "tools/probe/probed.h"

typedef struct PrintOptions {
    const char *of; /* the run's folder, or the recipe */
    bool heads;     /* a row for each head, not for each site */
    bool
        tensors; /* a row for each trained tensor, not for those of all blocks together */
} PrintOptions;

void probe_print(const Probed *p, const PrintOptions *options, FILE *out);

/* Several checkpoints, a row each, and what the last one says. */
void probe_print_all(Probed *const *p, size_t count, const PrintOptions *options,
                     FILE *out);

#endif
