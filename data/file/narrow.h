/* narrow: numbers as files keep them in fewer bits: f32, bf16, f16.
 *
 *     size_t at = narrow_overflow(NARROW_F16, values, count);
 *     if (at < count) ...                      values[at] is beyond 65504
 *     narrow_write(NARROW_F16, bytes, values, count);
 *
 * Rounded once to the nearest, ties to even, from `real` whatever it is; denormals are
 * kept, also where the processor flushes them; NaN stays NaN, infinity infinity.
 *
 * Not for: products (engine/kern/bf16.h, whose denormals are 0). */
#ifndef STEADY_NARROW_H
#define STEADY_NARROW_H

#include "engine/core/base.h"

typedef enum { NARROW_F32, NARROW_BF16, NARROW_F16, NARROW_KINDS } NarrowKind;

const char *narrow_dtype(NarrowKind kind); /* of safetensors: "F32", "BF16", "F16" */
size_t narrow_bytes(NarrowKind kind);      /* of a number */
double narrow_most(NarrowKind kind);       /* the largest number */

void narrow_write(NarrowKind kind, void *bytes, const real *values, size_t count);

/* The first finite value that would become infinite; count: none. */
size_t narrow_overflow(NarrowKind kind, const real *values, size_t count);

#endif
