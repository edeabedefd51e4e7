#include "engine/optim/rule.h"

#include <math.h>

/* s += g^2, p -= lr g / (sqrt(s) + eps). */
static void apply(const OptimPass *pass, const OptimSpan *span) {
    real *restrict p = span->value, *restrict s = span->slot[0];
    const real *restrict grad = span->grad;
    real lr = span->lr, decay = span->decay, scale = pass->grad_scale;
    real eps = (real)pass->config->eps;
    optim_shrink(span);
#pragma omp simd
    for (size_t i = 0; i < span->size; i++) {
        real g = scale * grad[i] + decay * p[i];
        s[i] += g * g;
        p[i] -= lr * g / ((real)sqrt(s[i]) + eps);
    }
}

const OptimRule optim_rule_adagrad = {
    .keys = "eps",
    .slot_count = 1,
    .slot_name = {"sum"},
    .decay = DECAY_COUPLED,
    .eps = 1e-8,
    .apply = apply,
};
