/* add: y = alpha a + b,  da = alpha dy,  db = dy */
#include "engine/op/op.h"

typedef struct Add {
    Node node;
    Tensor *a, *b;
    real alpha;
} Add;

static void backward(Tape *tape, Node *node) {
    Add *n = (Add *)node;
    tape_pass_grad(tape, n->b, node->out);
    if (n->alpha == 1) {
        tape_pass_grad(tape, n->a, node->out);
    } else if (n->a->needs_grad) {
        real alpha = n->alpha, beta, *da = tape_grad(tape, n->a, &beta);
        const real *dy = node->out->grad;
#pragma omp parallel for simd schedule(static) if (n->a->size > 32768)
        for (size_t i = 0; i < n->a->size; i++)
            da[i] = (beta != 0 ? da[i] : 0) + alpha * dy[i];
    }
}

Tensor *op_add(Tape *tape, Tensor *a, Tensor *b, double alpha) {
    CHECK(a->size == b->size, "add: %zu and %zu numbers", a->size, b->size);
    Tensor *y = tape_tensor_like(tape, a);
    real factor = (real)alpha;
#pragma omp parallel for simd schedule(static) if (a->size > 32768)
    for (size_t i = 0; i < a->size; i++) y->value[i] = factor * a->value[i] + b->value[i];
    Add *n =
        tape_node(tape, sizeof *n, "add", y, a->needs_grad || b->needs_grad, backward);
    if (n) n->a = a, n->b = b, n->alpha = factor;
    return y;
}
