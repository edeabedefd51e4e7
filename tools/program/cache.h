/* cache: short texts about this machine that are worth keeping from one run to the next.
 *
 *     char text[512];
 *     if (!cache_read("gemm-rate-Haswell-2", text, sizeof text)) ... measure, then
 *     cache_write("gemm-rate-Haswell-2", text);              false: it will be measured again
 *
 * Files of $XDG_CACHE_HOME/steady, or ~/.cache/steady, which may be on a disk that many
 * machines share: who writes puts into the text what it holds for, who reads compares.
 * Not for: anything that a result depends on. */
#ifndef STEADY_CACHE_H
#define STEADY_CACHE_H

#include <stdbool.h>
#include <stddef.h>

/* false: there is none, or it does not fit into size - 1 bytes. */
bool cache_read(const char *name, char *text, size_t size);

/* The whole text or nothing, also beside others that write.  false: the folder cannot be
 * written, or there is no home. */
bool cache_write(const char *name, const char *text);

#endif
