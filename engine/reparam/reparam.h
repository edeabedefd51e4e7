/* reparam: sigma-reparametrisation and its rivals behind one table.
 *
 * A layer's weight W [O, I] acts as W_hat:
 *   sigma     W_hat = (gamma / sigma) W    gamma learned, sigma = v.W u, u and v not
 *             differentiated (Zhai et al. 2023, Eq. 2 and Algorithm 1)
 *   spectral  W_hat = W / sigma            the same with gamma = 1, not learned
 *   weight    W_hat_i = g_i W_i / |W_i|    one g a row (Salimans and Kingma 2016)
 *
 * W_hat is never built: `scale` is what op_linear multiplies its product by.  A step is
 *
 *     reparam_refresh(r);              power iteration, then scale = gamma / sigma
 *     ... forward, backward: W.grad collects G = dL/dW_hat ...
 *     reparam_fold(r);                 G becomes dL/dW in place; d gamma is added
 *
 * u [I] is the input side, v [O] the output side, both of length 1. */
#ifndef STEADY_REPARAM_H
#define STEADY_REPARAM_H

#include "engine/core/params.h"
#include "engine/core/rng.h"
#include "engine/op/op.h"

/* X(METHOD, name): REPARAM_METHOD and the word of model.reparam.  What a method does is
 * its row of the table in reparam.c; no other file names one but REPARAM_NONE
 * (test/unit/test_reparam.c): what models and tools have to know is a question below. */
#define REPARAM_LIST(X)                                                                  \
    X(NONE, none) X(SIGMA, sigma) X(SPECTRAL, spectral) X(WEIGHT, weight)

#define REPARAM_METHOD(METHOD, name) REPARAM_##METHOD,
typedef enum { REPARAM_LIST(REPARAM_METHOD) REPARAM_METHODS } ReparamMethod;
#undef REPARAM_METHOD

/* Of a refresh: up to POWER_STEPS_MOST iterations while sigma still grows by over
 * POWER_GAIN in one, which is 1 where W moves little.  Sigma is then within 5 % of the
 * spectral norm where W has just moved by twice its size (test/unit/test_reparam.c). */
#define POWER_STEPS_AUTO 0
#define POWER_STEPS_MOST 32
#define POWER_GAIN 0.0005

typedef struct Reparam {
    ReparamMethod method;
    Param *w;
    Param *gamma;       /* [1], sigma only */
    Param *u, *v;       /* [I], [O]: sigma and spectral */
    Param *g;           /* [O]: weight only */
    real sigma;         /* v.W u of the last refresh */
    size_t power_steps; /* iterations of a refresh, 1; or POWER_STEPS_AUTO */
    bool plain;         /* scale is 1: reparam_plain */
    real *factors;      /* [1] sigma and spectral, [O] weight */
    Scale scale;        /* `factors`, as op_linear borrows them */
} Reparam;

/* "none", "sigma", "spectral", "weight". */
const char *reparam_name(ReparamMethod method);

/* "uv_init|power_steps": keys that act for it and not for all methods. */
const char *reparam_keys(ReparamMethod method);

/* Does W_hat's spectral norm come from the method (gamma, or 1) and not from W?  Initial
 * values of W then say how far a step turns it, and nothing of the function. */
bool reparam_sets_norm(ReparamMethod method);

/* Registers the companions of `w` ("X.weight" gives "X.gamma", "X.u", "X.v", "X.g"). */
Reparam *reparam_new(ParamSet *params, Param *w, ReparamMethod method);
void reparam_free(Reparam *r);

/* Fills companions from W: u is the first right singular vector, v = W u / |W u|;
 * gamma = sigma(W) when gamma_spectral, else 1; g_i = |W_i|.  `have_u`, `have_gain` keep
 * what a file brought; have_u without have_v recomputes v. */
typedef struct ReparamHave {
    bool u, v, gain; /* gain: gamma or g */
} ReparamHave;
void reparam_start(Reparam *r, bool gamma_spectral, ReparamHave have);

/* Behind reparam_start: W_hat = W until the next refresh, for weights that an export or
 * another program has written out.  gamma is sigma(W), g_i = |W_i|, so that sigma and
 * weight can be trained on from there; `spectral` divides by sigma(W) from then on. */
void reparam_plain(Reparam *r);

/* Before reparam_start, whose have.u it makes true: u is a random unit vector, as in the
 * paper's Algorithm 1; nothing without u.  From such a start sigma is too small at first
 * - about 0.707 of the spectral norm of a square Gaussian matrix after one iteration -
 * and W_hat too large. */
void reparam_draw(Reparam *r, Rng rng);

/* Training, once an optimizer step: power_steps iterations from u, then `scale`.  W = 0
 * gives sigma = 0 and scale = 0, never NaN. */
void reparam_refresh(Reparam *r);

/* Averaged weights: u and v are brought to the first singular vectors of W, as
 * spectral_norm does from any, whatever power_steps is, then `scale`. */
void reparam_settle(Reparam *r);

/* Evaluation: `scale` from the stored u and v, which stay as they are. */
void reparam_freeze(Reparam *r);

/* W.grad holds G = dL/dW_hat, summed over the step.  In place:
 *   sigma     d gamma += <G,W>/sigma,  dW = (gamma/sigma) (G - (<G,W>/sigma) v u^T)
 * weight    d g_i += <G_i,W_i>/|W_i|, dW_i = (g_i/|W_i|) (G_i - <G_i,W_i>
 * W_i/|W_i|^2) */
void reparam_fold(Reparam *r);

/* After params_freeze.  A frozen W keeps its u and v too; its gamma or g, unless that is
 * frozen as well, is trained: then G is still made, and dropped behind the fold. */
void reparam_see_frozen(Reparam *r);

/* W_hat, written out [O, I]; for export and for measuring. */
void reparam_effective(const Reparam *r, real *w_hat);

#endif
