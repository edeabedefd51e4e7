/* dropout: y = m x,  dx = m dy,  m_i = 0 or 1 / (1 - p)
 *
 * The mask is a function of (seed, site, step, example, place in the example): the backward pass
 * draws it again. */
#include "engine/kern/mask.h"
#include "engine/op/op.h"

typedef struct Dropout {
    Node node;
    Tensor *x;
    double p;
    uint32_t site;
    size_t first_example;
} Dropout;

enum { BLOCKS = 32 }; /* that a thread takes at a time */

static void apply_mask(const Tape *tape, const Dropout *d, real *out, real beta,
                       const real *in) {
    const TapeMode *mode = tape_mode(tape);
    Mask mask = mask_make(rng_make(mode->seed, RNG_DROPOUT + d->site, mode->step), d->p);
    size_t batch = d->x->shape[0], row = d->x->size / batch, piece = BLOCKS * RNG_BLOCK;
    size_t pieces = (row + piece - 1) / piece;
#pragma omp parallel for schedule(static) if (d->x->size > 8192)
    for (size_t i = 0; i < batch * pieces; i++) {
        size_t b = i / pieces, part = i % pieces, first = b * row + part * piece;
        uint64_t example = d->first_example + b;
        mask_apply(&mask, (example << 32) + part * BLOCKS, out + first, beta, in + first,
                   MIN(piece, row - part * piece));
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
