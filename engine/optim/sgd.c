#include "engine/optim/rule.h"

void optim_shrink(const OptimSpan *span) {
    real *restrict p = span->value;
    real keep = span->keep;
    if (keep == 1) return;
#pragma omp simd
    for (size_t i = 0; i < span->size; i++) p[i] *= keep;
}

/* p -= lr g */
static void apply_plain(const OptimPass *pass, const OptimSpan *span) {
    real *restrict p = span->value;
    const real *restrict grad = span->grad;
    real lr = span->lr, decay = span->decay, ratio = span->ratio,
         scale = pass->grad_scale;
#pragma omp simd
    for (size_t i = 0; i < span->size; i++)
        p[i] -= lr * (ratio * (scale * grad[i] + decay * p[i]));
}

/* b = mu b + g, p -= lr (own g + next b): own = 0, next = 1, or with Nesterov own = 1,
 * next = mu.  The first buffer is the gradient, since b starts at 0. */
void optim_momentum_apply(const OptimPass *pass, const OptimSpan *span) {
    real *restrict b = span->slot[0], *restrict p = span->value;
    optim_shrink(span);
    if (!b) {
        apply_plain(pass, span);
        return;
    }
    const real *restrict grad = span->grad;
    real lr = span->lr, decay = span->decay, ratio = span->ratio,
         scale = pass->grad_scale;
    real mu = (real)pass->config->momentum;
    real own = pass->config->nesterov ? 1 : 0, next = pass->config->nesterov ? mu : 1;
#pragma omp simd
    for (size_t i = 0; i < span->size; i++) {
        real g = ratio * (scale * grad[i] + decay * p[i]);
        b[i] = mu * b[i] + g;
        p[i] -= lr * (own * g + next * b[i]);
    }
}

/* Heavy ball 2 + 2 mu, Nesterov (2 + 2 mu) / (1 + 2 mu); without momentum 2. */
double optim_momentum_edge(const OptimConfig *config) {
    double mu = config->momentum;
    return config->nesterov ? (2 + 2 * mu) / (1 + 2 * mu) : 2 + 2 * mu;
}

const OptimRule optim_rule_sgd = {
    .keys = "momentum|nesterov",
    .slot_count = 1,
    .slot_name = {"momentum"},
    .decay = DECAY_COUPLED,
    .eps = 1e-8,
    .nesterov = true,
    .apply = optim_momentum_apply,
    .edge = optim_momentum_edge,
};
