/* level: which instructions of the processor the kernels use.
 *
 * A portable build (./configure) has each kernel compiled for several levels:
 *
 *     baseline  any x86-64 processor: SSE2, 4 floats at a time
 *     avx2      AVX2 and FMA, 8 floats (2013)
 *     avx512    AVX-512 F, BW, DQ and VL, 16 floats (2017)
 *
 * The best that the processor has is in use before main begins; a program may take
 * another before it calls a kernel.  A build for one processor (--arch=NAME) and one
 * for other processors than x86-64 have one level.  Panels (panel.h) that one level
 * packs another reads wrongly.  Results of two levels differ by rounding: sums have
 * other orders, and baseline rounds a product before it adds. */
#ifndef STEADY_LEVEL_H
#define STEADY_LEVEL_H

#include "engine/core/base.h"

size_t level_count(void); /* that this build has, worst first */
const char *level_name(size_t level);
bool level_runs(size_t level); /* on this processor */
size_t level_in_use(void);

/* From the next call on; level_runs must hold.  Not while a kernel runs. */
void level_use(size_t level);

#endif
