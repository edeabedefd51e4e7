/* start: what a tile of C starts from before a product is added to it, where that is not
 * 0: residual_alpha residual + bias_factor bias, each where it is not NULL. */
#ifndef STEADY_START_H
#define STEADY_START_H

#include "engine/core/base.h"

typedef struct TileStart {
    const real *residual; /* at the tile, rows of ld numbers */
    size_t ld;
    const real *bias; /* at its first column */
    real residual_alpha, bias_factor;
} TileStart;

/* c[rows, width], rows of ldc numbers */
static inline void tile_start(const TileStart *s, size_t rows, size_t width, real *c,
                              size_t ldc) {
    real a = s->residual_alpha, f = s->bias_factor;
    for (size_t i = 0; i < rows; i++) {
        real *to = c + i * ldc;
        const real *r = s->residual ? s->residual + i * s->ld : NULL, *bias = s->bias;
        if (r && bias)
            for (size_t j = 0; j < width; j++) to[j] = a * r[j] + f * bias[j];
        else if (r)
            for (size_t j = 0; j < width; j++) to[j] = a * r[j];
        else
            for (size_t j = 0; j < width; j++) to[j] = f * bias[j];
    }
}

#endif
