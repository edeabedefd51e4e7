/* classifier: logits = x W^T + b on features, trained by SGD: the linear probe of MoCo v3
 * (Chen et al. 2021).
 *
 *     Classifier *c = classifier_new(width, classes, seed);    W ~ N(0, 0.01^2), b = 0
 *     if (classifier_train(c, x, label, count, &plan, &err)) ...
 *     ClassifierScore s = classifier_score(c, x, label, count);
 *     classifier_free(c);
 *
 * Momentum 0.9, no decay, mean cross entropy; the rate is base * batch / 256 without
 * warm-up, down to 0 by a cosine over the steps.  One thread computes: the numbers are
 * the same for any count. */
#ifndef STEADY_CLASSIFIER_H
#define STEADY_CLASSIFIER_H

#include "engine/core/params.h"

typedef struct Classifier Classifier;

Classifier *classifier_new(size_t width, size_t classes, uint64_t seed);
void classifier_free(Classifier *c); /* NULL is fine */

/* One step on x [count, width].  FAIL_DIVERGED: the loss before it is not finite. */
Status classifier_step(Classifier *c, real *x, const size_t *label, size_t count,
                       double lr, Err *err);

typedef struct ClassifierPlan {
    size_t epochs, batch;
    double base; /* rate of a batch of 256 */
    uint64_t seed;
} ClassifierPlan;

/* Rate of step n of `steps`, from 1. */
double classifier_rate(const ClassifierPlan *plan, size_t n, size_t steps);

/* All epochs over fixed rows x [count, width], each in an order of its own; what fills no
 * batch at its end is left out.  count >= batch.  FAIL_DIVERGED as classifier_step;
 * FAIL_INTERRUPTED. */
Status classifier_train(Classifier *c, const real *x, const size_t *label, size_t count,
                        const ClassifierPlan *plan, Err *err);

typedef struct ClassifierScore {
    double loss, top1, top5; /* means; nats and shares */
} ClassifierScore;

ClassifierScore classifier_score(Classifier *c, real *x, const size_t *label,
                                 size_t count);

Param *classifier_weight(Classifier *c); /* [classes, width] */
Param *classifier_bias(Classifier *c);   /* [classes] */

#endif
