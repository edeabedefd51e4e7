/* positions: learned positions of one grid of patches, resampled for another.
 *
 *     positions_resample(from, (Grid){8, 8}, to, (Grid){12, 12}, width);
 *
 * Bicubic as PyTorch's F.interpolate with align_corners = False and no antialiasing,
 * which is what DeiT and MAE do when they fine-tune at another resolution: output i of n
 * lies at (i + 1/2) m / n - 1/2 of m inputs, the kernel has a = -0.75, and inputs beyond
 * the edge are those at the edge.  A class token's position is not part of the grid. */
#ifndef STEADY_POSITIONS_H
#define STEADY_POSITIONS_H

#include "engine/core/base.h"

typedef struct Grid {
    size_t rows, columns;
} Grid;

/* from [rows columns, width] -> to [rows columns, width], both row by row; not the same
 * memory.  Equal grids: a copy, to the bit. */
void positions_resample(const real *from, Grid source, real *to, Grid target,
                        size_t width);

#endif
