/* update: an optimizer's pass over neighbouring numbers of a parameter, and how far it
 * went.  On the calling thread; not for other optimizers than Adam's, which wait for
 * memory at every level of instructions. */
#ifndef STEADY_UPDATE_H
#define STEADY_UPDATE_H

#include "engine/core/base.h"

typedef struct AdamUpdate {
    real scale, decay; /* g = scale grad + decay p */
    real beta1, rest1; /* m = beta1 m + rest1 g */
    real beta2, rest2; /* v = beta2 v + rest2 g^2 */
    real keep, rate;   /* p = keep p - rate m / ... */
    real root, eps;    /* ... (root sqrt(v) + eps) */
} AdamUpdate;

/* All [n], none of them overlaps another. */
void update_adam(const AdamUpdate *u, real *p, real *m, real *v, const real *grad,
                 size_t n);

/* Adds sum before^2 to *value and sum (p - before)^2 to *update; in double. */
void update_moved(const real *p, const real *before, size_t n, double *value,
                  double *update);

#endif
