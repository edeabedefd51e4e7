/* gain: what products in bf16 gain here, measured.
 *
 *     if (machine_bf16_gain(1024, width, hidden) < PRECISION_GAIN) ... fp32
 *
 * Not for: rates that are kept between runs (rate.h). */
#ifndef STEADY_GAIN_H
#define STEADY_GAIN_H

#include <stddef.h>

/* How many times as fast as in `real` is a linear layer's product in bf16,
 * y [rows, out] = x [rows, in] W^T, W being packed and x rounded for it?  The least
 * times of some calls in turn: under a tenth of a second for layers of 1000 units. */
double machine_bf16_gain(size_t rows, size_t in, size_t out);

#endif
