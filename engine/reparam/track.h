/* track: the largest singular value of a weight that is looked at again and again and
 * moves a little in between.
 *
 *     real *space = mem_zalloc(TRACK_SPACE * in * sizeof(real));
 *     memcpy(space, u, ...);                  a first vector, of spectral_norm
 *     track_fill(space, in);
 *     ... each time that W has moved:
 *     Track t = track_look(w, out, in, space);
 *     while (t.off > tolerance) t = track_look(w, out, in, space);
 *
 * A power iteration is slow where the largest singular values are close: it lags behind
 * a vector that turns by d at each look by d / (1 - (sigma2 / sigma1)^2).  Here a look
 * finds the best vectors in a space of six, which are kept: the two that belong to the
 * largest singular values, their residuals at the last look and their last moves (LOBPCG,
 * Knyazev 2001, with a matrix that changes between its iterations).  It converges as the
 * conjugate gradient method does, and the second vector is there when it overtakes.
 *
 * W [O, I] row-major.  Results are the same for any number of threads.  Not for: a matrix
 * that is seen once (spectral.h). */
#ifndef STEADY_TRACK_H
#define STEADY_TRACK_H

#include "engine/core/base.h"
#include "engine/kern/few.h"

/* Rows of a space [TRACK_SPACE, I]: orthonormal, the first belongs to sigma; or zero, as
 * all but I are where I is smaller. */
enum { TRACK_SPACE = FEW };

typedef struct Track {
    double sigma; /* |W u| of the best u in the space as it was: never above the norm */
    double off;   /* estimate of (sigma1 - sigma) / sigma1, mostly twice that or more */
} Track;

/* One look, two passes over W, the second of which finds it in the cache; the space
 * becomes that of the next look.  With the residual r_i = |W^T W x_i - sigma_i^2 x_i| of
 * each of the two tracked, sigma_i^2 may be too low by min(r_i, r_i^2 / gap), the gap
 * being that to the next value of the space; `off` is what the larger of the two, so
 * lifted, exceeds sigma^2 by, halved and as a share of it.  It does not know of a value
 * that the space does not contain.
 *
 * W = 0 gives sigma 0, numbers that are not finite NaN; both leave the space alone. */
Track track_look(const real *w, size_t out, size_t in, real *space);

/* Makes the rows orthonormal again after the first was replaced.  Rows that are zero, or
 * hardly differ from those before, are filled with noise, always the same. */
void track_fill(real *space, size_t in);

#endif
