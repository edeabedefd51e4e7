/* hessian: products of a loss's Hessian with vectors, by differences of gradients.
 *
 *     step.still = true;                      u and v frozen, no random masks
 *     Hessian *h = hessian_new(&step, &batch);
 *     hessian_calibrate(h, x);                chooses the step of the differences
 *     hessian_product(h, x, y);               y = H x
 *     h->accuracy;                            of a product, relative, as measured
 *     hessian_free(h);                        weights are as they were
 *
 * H = d^2 L / d theta^2 over all trained parameters theta (of a layer under sigmaReparam
 * W and gamma, with sigma = v.W u a function of W); vectors have the layout of
 * params->values, zeros in the padding.
 *
 *     H x ~ |x| (g(theta + t x/|x|) - g(theta - t x/|x|)) / 2t
 *
 * is off by t^2/6 of the fourth derivative along x, and by rounding of the gradients
 * divided by t: in double both are 1e-9 or less near t = 1e-5.  A kink of a ReLU that
 * lies within t adds a term that the second derivative does not have, so a smaller t is
 * better there than a formula of higher order.  hessian_calibrate takes the t, of powers
 * of ten, at which products of neighbouring t agree best.
 *
 * For the double build: in float the best t leaves an error of about 1e-3. */
#ifndef STEADY_HESSIAN_H
#define STEADY_HESSIAN_H

#include "models/step.h"

typedef struct Hessian {
    Step *step; /* borrowed, as is the batch; `still` is set */
    const StepBatch *batch;
    size_t size;     /* params->trained */
    double reach;    /* t */
    double accuracy; /* |difference| / |product| of neighbouring t; NaN: not calibrated */
    size_t gradients; /* computed so far */
    real *weights;    /* [size] theta */
    double *spare;    /* [size] */
} Hessian;

/* The gradient of the batch at theta stays in params->grads. */
Hessian *hessian_new(Step *step, const StepBatch *batch);
void hessian_free(Hessian *h); /* NULL is fine */

/* y = H x; x = 0 gives 0.  Not in place. */
void hessian_product(Hessian *h, const double *x, double *y);

/* By products with x, which is not 0: two gradients for each t that is tried. */
void hessian_calibrate(Hessian *h, const double *x);

#endif
