#include "engine/optim/rule.h"

#include <math.h>

/* Moves m and v, and returns |p|^2 and |r|^2.  r itself is not kept: apply makes it
 * again, which costs a division but no memory. */
static OptimNorms measure(const OptimPass *pass, const OptimSpan *span) {
    real *restrict m = span->slot[0], *restrict v = span->slot[1];
    const real *restrict p = span->value, *restrict grad = span->grad;
    const OptimConfig *config = pass->config;
    real beta1 = (real)config->beta1, rest1 = (real)(1 - config->beta1);
    real beta2 = (real)config->beta2, rest2 = (real)(1 - config->beta2);
    real first = pass->correct_m, root = pass->correct_v, eps = (real)config->eps;
    real scale = pass->grad_scale, decay = span->decay;
    double value = 0, update = 0;
#pragma omp simd reduction(+ : value, update)
    for (size_t i = 0; i < span->size; i++) {
        real g = scale * grad[i];
        m[i] = beta1 * m[i] + rest1 * g;
        v[i] = beta2 * v[i] + rest2 * (g * g);
        double r = first * m[i] / ((real)sqrt(v[i]) * root + eps) + decay * p[i];
        value += (double)p[i] * p[i];
        update += r * r;
    }
    return (OptimNorms){value, update};
}

static void apply(const OptimPass *pass, const OptimSpan *span) {
    real *restrict p = span->value;
    const real *restrict m = span->slot[0], *restrict v = span->slot[1];
    real first = pass->correct_m, root = pass->correct_v, eps = (real)pass->config->eps;
    real rate = span->lr * span->ratio, decay = span->decay;
#pragma omp simd
    for (size_t i = 0; i < span->size; i++) {
        real r = first * m[i] / ((real)sqrt(v[i]) * root + eps) + decay * p[i];
        p[i] -= rate * r;
    }
}

const OptimRule optim_rule_lamb = {
    .keys = "beta1|beta2|eps|adapt_1d",
    .slot_count = 2,
    .slot_name = {"m", "v"},
    .decay = DECAY_COUPLED,
    .fixed_decay = true,
    .eps = 1e-6,
    .measure = measure,
    .apply = apply,
};
