#include <math.h>

#include "engine/kern/update.h"
#include "engine/optim/rule.h"

/* g += decay p;  m, v;  p = keep p - lr m^ / (sqrt(v^) + eps).  adam and adamw differ in
 * what DECAY_AUTO means alone. */
static void apply(const OptimPass *pass, const OptimSpan *span) {
    const OptimConfig *config = pass->config;
    AdamUpdate update = {
        .scale = pass->grad_scale,
        .decay = span->decay,
        .beta1 = (real)config->beta1,
        .rest1 = (real)(1 - config->beta1),
        .beta2 = (real)config->beta2,
        .rest2 = (real)(1 - config->beta2),
        .keep = span->keep,
        .rate = span->lr * pass->correct_m,
        .root = pass->correct_v,
        .eps = (real)config->eps,
    };
    update_adam(&update, span->value, span->slot[0], span->slot[1], span->grad,
                span->size);
}

/* Of the moving mean of gradients: (2 + 2 beta1) / (1 - beta1), 38 at 0.9. */
static double edge(const OptimConfig *config) {
    return (2 + 2 * config->beta1) / (1 - config->beta1);
}

/* (1 - beta1^n) (sqrt(v^) + eps) */
static void precondition(const OptimPass *pass, const OptimSpan *span, double *p) {
    const real *v = span->slot[1];
    double eps = pass->config->eps, root = (double)pass->correct_v;
    double early = 1 / (double)pass->correct_m;
    for (size_t i = 0; i < span->size; i++)
        p[i] = early * (sqrt((double)v[i]) * root + eps);
}

const OptimRule optim_rule_adam = {
    .keys = "beta1|beta2|eps",
    .slot_count = 2,
    .slot_name = {"m", "v"},
    .decay = DECAY_COUPLED,
    .eps = 1e-8,
    .apply = apply,
    .edge = edge,
    .precondition = precondition,
};

const OptimRule optim_rule_adamw = {
    .keys = "beta1|beta2|eps",
    .slot_count = 2,
    .slot_name = {"m", "v"},
    .decay = DECAY_DECOUPLED,
    .eps = 1e-8,
    .apply = apply,
    .edge = edge,
    .precondition = precondition,
};
