#include "engine/optim/rule.h"

/* |p|^2 and |g + d p|^2. */
static OptimNorms measure(const OptimPass *pass, const OptimSpan *span) {
    const real *p = span->value, *grad = span->grad;
    real decay = span->decay, scale = pass->grad_scale;
    double value = 0, update = 0;
#pragma omp simd reduction(+ : value, update)
    for (size_t i = 0; i < span->size; i++) {
        double g = scale * grad[i] + decay * p[i];
        value += (double)p[i] * p[i];
        update += g * g;
    }
    return (OptimNorms){value, update};
}

const OptimRule optim_rule_lars = {
    .keys = "momentum|trust|adapt_1d",
    .slot_count = 1,
    .slot_name = {"momentum"},
    .decay = DECAY_COUPLED,
    .fixed_decay = true,
    .eps = 1e-8,
    .momentum = 0.9,
    .trusting = true,
    .measure = measure,
    .apply = optim_momentum_apply,
    .edge = optim_momentum_edge,
};
