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

static double edge(const OptimConfig *config) { return (void)config, 2; }

/* sqrt(s) + eps */
static void precondition(const OptimPass *pass, const OptimSpan *span, double *p) {
    const real *s = span->slot[0];
    for (size_t i = 0; i < span->size; i++) p[i] = sqrt((double)s[i]) + pass->config->eps;
}

const OptimRule optim_rule_adagrad = {
    .keys = "eps",
    .slot_count = 1,
    .slot_name = {"sum"},
    .decay = DECAY_COUPLED,
    .eps = 1e-8,
    .apply = apply,
    .edge = edge,
    .precondition = precondition,
};
