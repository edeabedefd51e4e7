/* drop_path: y_b = m_b x_b / (1 - p),  dx_b = m_b dy_b / (1 - p),  m_b = [u_b >= p]
 * (Huang et al. 2016, one draw for an example). */
#include <string.h>

#include "engine/op/op.h"

typedef struct DropPath {
    Node node;
    Tensor *x;
    const real *factor; /* [B]: 0 or 1/(1 - p) */
} DropPath;

static void scale_examples(real *out, real beta, const real *in, const real *factor,
                           size_t batch, size_t row) {
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < batch; b++)
        for (size_t j = b * row; j < (b + 1) * row; j++)
            out[j] = (beta != 0 ? out[j] : 0) + factor[b] * in[j];
}

static void backward(Tape *tape, Node *node) {
    DropPath *n = (DropPath *)node;
    size_t batch = n->x->shape[0];
    real beta, *dx = tape_grad(tape, n->x, &beta);
    scale_examples(dx, beta, node->out->grad, n->factor, batch, n->x->size / batch);
}

const real *drop_path_factors(Tape *tape, size_t batch, double p, uint32_t site,
                              size_t first_example) {
    CHECK(p >= 0 && p < 1, "drop_path: p = %g", p);
    const TapeMode *mode = tape_mode(tape);
    if (p == 0 || !mode->training) return NULL;
    Rng rng = rng_make(mode->seed, RNG_DROP_PATH + site, mode->step);
    real *factor = tape_alloc(tape, batch * sizeof *factor);
    for (size_t b = 0; b < batch; b++)
        factor[b] = rng_uniform(rng, first_example + b) >= p ? (real)(1 / (1 - p)) : 0;
    return factor;
}

bool layer_dropped(const Tape *tape, double p, uint32_t site) {
    CHECK(p >= 0 && p < 1, "layer_drop: p = %g", p);
    const TapeMode *mode = tape_mode(tape);
    Rng rng = rng_make(mode->seed, RNG_LAYER_DROP + site, mode->step);
    return mode->training && rng_uniform(rng, mode->pass) < p;
}

Tensor *op_drop_path(Tape *tape, Tensor *x, double p, uint32_t site,
                     size_t first_example) {
    size_t batch = x->shape[0];
    const real *factor = drop_path_factors(tape, batch, p, site, first_example);
    if (!factor) return x;
    Tensor *y = tape_tensor_like(tape, x);
    scale_examples(y->value, 0, x->value, factor, batch, x->size / batch);
    DropPath *n = tape_node(tape, sizeof *n, "drop_path", y, x->needs_grad, backward);
    if (n) n->x = x, n->factor = factor;
    return y;
}
