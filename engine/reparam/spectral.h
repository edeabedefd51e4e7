/* spectral: the spectral norm of a matrix and its singular vectors.
 *
 * W [O, I] row-major; u [I] is the input side, v [O] the output side. */
#ifndef STEADY_SPECTRAL_H
#define STEADY_SPECTRAL_H

#include "engine/core/base.h"

/* One power iteration in one pass over W: v = W u / |W u|, u = W^T v / |W^T v|.  Returns
 * sigma = v.W u = |W^T v| <= the spectral norm.  W = 0 returns 0 and
 * leaves u and v alone. */
real spectral_step(const real *w, size_t out, size_t in, real *u, real *v);

/* Such iterations, up to `most`, until one gains little: |W^T v| <= (1 + gain) |W u|, of
 * which the first is returned.  One where u is settled already.  The residual of u is
 * then at most about sqrt(2 gain) sigma: it bounds how far sigma is from a singular value
 * and not that this is the largest. */
real spectral_settle(const real *w, size_t out, size_t in, real *u, real *v, double gain,
                     size_t most);

/* v.W u for given u and v. */
real spectral_form(const real *w, size_t out, size_t in, const real *u, const real *v);

/* Of a vector that counts as found. */
#define SPECTRAL_RESIDUAL 1e-5
#define SPECTRAL_ROUNDS 20

/* The largest singular value and its vectors, whatever u and v hold: by LAPACK's
 * eigen-solver on the smaller Gram matrix when that side is at most 512 (exact to
 * rounding), else by spectral_follow to SPECTRAL_RESIDUAL.  W = 0: sigma 0,
 * u and v the first unit vectors.  FAIL_RUN-worthy trouble inside LAPACK is a CHECK. */
real spectral_norm(const real *w, size_t out, size_t in, real *u, real *v);

/* The same from the u that is there (all zeros will do), cheaply where W has moved
 * little since: rounds of Lanczos iteration on W^T W with full reorthogonalisation, up
 * to 24 passes over W each, until the residual |W^T W u - sigma^2 u| is under
 * `tolerance` sigma^2.  sigma is then off by far less, since its error is of second
 * order.  Exact where a side is at most 64.  A u of the second-largest singular value
 * is noticed, unless the two are within a few per cent of each other: then sigma is low
 * by as much at most. */
real spectral_follow(const real *w, size_t out, size_t in, real *u, real *v,
                     double tolerance, size_t rounds);

#endif
