/* dropout: y = m x,  dx = m dy,  m_i = 0 or 1 / (1 - p)
 *
 * The mask is a function of (seed, site, step, example, place in the example): the
 * backward pass draws it again. */
#include "engine/kern/mask.h"
#include "engine/op/op.h"

typedef struct Dropout {
    Node node;
    Tensor *x;
    Mask mask;
    MaskedExamples examples;
} Dropout;

static void backward(Tape *tape, Node *node) {
    Dropout *n = (Dropout *)node;
    real beta, *dx = tape_grad(tape, n->x, &beta);
    mask_examples(&n->mask, &n->examples, dx, 1, beta != 0 ? dx : NULL, node->out->grad);
}

static Tensor *drop(Tape *tape, Tensor *x, double p, uint32_t site,
                    MaskedExamples examples) {
    const TapeMode *mode = tape_mode(tape);
    CHECK(p >= 0 && p < 1, "dropout: p = %g", p);
    if (p == 0 || !mode->training) return x;
    Mask mask = mask_make(rng_make(mode->seed, RNG_DROPOUT + site, mode->step), p);
    Tensor *y = tape_tensor_like(tape, x);
    mask_examples(&mask, &examples, y->value, 0, NULL, x->value);
    Dropout *n = tape_node(tape, sizeof *n, "dropout", y, x->needs_grad, backward);
    if (n) n->x = x, n->mask = mask, n->examples = examples;
    return y;
}

Tensor *op_dropout(Tape *tape, Tensor *x, double p, uint32_t site, size_t first_example) {
    size_t batch = x->shape[0], size = batch ? x->size / batch : 0;
    return drop(tape, x, p, site, (MaskedExamples){first_example, NULL, batch, size});
}

Tensor *op_dropout_rows(Tape *tape, Tensor *x, double p, uint32_t site, size_t first_row,
                        const size_t *rows) {
    MaskedExamples all = {first_row, rows, tensor_rows(x), tensor_last(x)};
    return drop(tape, x, p, site, all);
}
