/* bf16_check: are products by the processor's bf16 instructions right on this machine?
 *
 *     if (bf16_units() && bf16_check(threads, &now, &err)) ...     as blas_check.h
 *
 * Compares bf16_panel.h's fast products with the plain loops: sizes around its blocks,
 * odd k, both orders of B, A in strips, results in fp32 and bf16, alone and by several
 * threads.  Some hundred products, less than a tenth of a second. */
#ifndef STEADY_BF16_CHECK_H
#define STEADY_BF16_CHECK_H

#include "engine/kern/blas_check.h"

/* Counts on from now->number.  FAIL_RUN: the first product that differs by more than
 * rounding. */
Status bf16_check(size_t threads, BlasCase *now, Err *err);

#endif
