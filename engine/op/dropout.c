/* dropout: y = m x / (1 - p),  dx = m dy / (1 - p),  m_i = [u_i >= p]
 *
 * The mask is a function of (seed, site, step, index): the backward pass draws it again. */
#include "engine/op/op.h"

typedef struct Dropout {
    Node node;
    Tensor *x;
    double p;
    uint32_t site;
    size_t first_example;
} Dropout;

/* out = beta out + mask * in / (1 - p).  Four neighbours come from one draw, and a row of
 * draws belongs to an example, so that micro-batches get the masks of the whole batch. */
static void apply_mask(const Tape *tape, const Dropout *d, real *out, real beta,
                       const real *in) {
    const TapeMode *mode = tape_mode(tape);
    Rng rng = rng_make(mode->seed, RNG_DROPOUT + d->site, mode->step);
    uint32_t limit = (uint32_t)(d->p * 0x1p32);
    size_t batch = d->x->shape[0], row = d->x->size / batch, draws = (row + 3) / 4;
    real scale = (real)(1 / (1 - d->p));
#pragma omp parallel for schedule(static) if (d->x->size > 8192)
    for (size_t i = 0; i < batch * draws; i++) {
        size_t b = i / draws, first = b * row + i % draws * 4, last = (b + 1) * row;
        uint32_t words[4];
        rng_words(rng, d->first_example * draws + i, words);
        for (size_t j = first; j < MIN(first + 4, last); j++) {
            real kept = words[j - first] >= limit ? in[j] * scale : 0;
            out[j] = (beta != 0 ? out[j] : 0) + kept;
        }
    }
}

static void backward(Tape *tape, Node *node) {
    Dropout *n = (Dropout *)node;
    real beta, *dx = tape_grad(tape, n->x, &beta);
    apply_mask(tape, n, dx, beta, node->out->grad);
}

Tensor *op_dropout(Tape *tape, Tensor *x, double p, uint32_t site, size_t first_example) {
    CHECK(p >= 0 && p < 1, "dropout: p = %g", p);
    if (p == 0 || !tape_mode(tape)->training) return x;
    Dropout now = {.x = x, .p = p, .site = site, .first_example = first_example};
    Tensor *y = tape_tensor_like(tape, x);
    apply_mask(tape, &now, y->value, 0, x->value);
    Dropout *n = tape_node(tape, sizeof *n, "dropout", y, x->needs_grad, backward);
    if (n) now.node = n->node, *n = now;
    return y;
}
