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
    size_t first;       /* number of x's first example, or row */
    const size_t *rows; /* [examples] their numbers after the first; NULL: 0, 1, ... */
    size_t examples, size;
} Dropout;

enum { BLOCKS = 32 }; /* that a thread takes at a time */

static void apply_mask(const Tape *tape, const Dropout *d, real *out, real beta,
                       const real *in) {
    const TapeMode *mode = tape_mode(tape);
    Mask mask = mask_make(rng_make(mode->seed, RNG_DROPOUT + d->site, mode->step), d->p);
    size_t row = d->size, piece = BLOCKS * RNG_BLOCK, pieces = (row + piece - 1) / piece;
#pragma omp parallel for schedule(static) if (d->x->size > 8192)
    for (size_t i = 0; i < d->examples * pieces; i++) {
        size_t b = i / pieces, part = i % pieces, first = b * row + part * piece;
        uint64_t example = d->first + (d->rows ? d->rows[b] : b);
        mask_apply(&mask, (example << 32) + part * BLOCKS, out + first, beta, in + first,
                   MIN(piece, row - part * piece));
    }
}

static void backward(Tape *tape, Node *node) {
    Dropout *n = (Dropout *)node;
    real beta, *dx = tape_grad(tape, n->x, &beta);
    apply_mask(tape, n, dx, beta, node->out->grad);
}

static Tensor *drop(Tape *tape, Dropout now) {
    Tensor *x = now.x;
    CHECK(now.p >= 0 && now.p < 1, "dropout: p = %g", now.p);
    if (now.p == 0 || !tape_mode(tape)->training) return x;
    Tensor *y = tape_tensor_like(tape, x);
    apply_mask(tape, &now, y->value, 0, x->value);
    Dropout *n = tape_node(tape, sizeof *n, "dropout", y, x->needs_grad, backward);
    if (n) now.node = n->node, *n = now;
    return y;
}

Tensor *op_dropout(Tape *tape, Tensor *x, double p, uint32_t site, size_t first_example) {
    size_t batch = x->shape[0];
    return drop(tape, (Dropout){.x = x,
                                .p = p,
                                .site = site,
                                .first = first_example,
                                .examples = batch,
                                .size = x->size / MAX(batch, (size_t)1)});
}

Tensor *op_dropout_rows(Tape *tape, Tensor *x, double p, uint32_t site, size_t first_row,
                        const size_t *rows) {
    return drop(tape, (Dropout){.x = x,
                                .p = p,
                                .site = site,
                                .first = first_row,
                                .rows = rows,
                                .examples = tensor_rows(x),
                                .size = tensor_last(x)});
}
