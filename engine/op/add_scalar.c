/* add_scalar: y = x + a,  dx = dy,  da = sum dy */
#include "engine/kern/reduce.h"
#include "engine/op/op.h"

typedef struct AddScalar {
    Node node;
    Tensor *x, *a;
} AddScalar;

static void backward(Tape *tape, Node *node) {
    AddScalar *n = (AddScalar *)node;
    if (n->a->needs_grad) {
        real beta, *da = tape_grad(tape, n->a, &beta);
        da[0] =
            (beta != 0 ? da[0] : 0) + (real)reduce_sum(node->out->grad, node->out->size);
    }
    tape_pass_grad(tape, n->x, node->out);
}

Tensor *op_add_scalar(Tape *tape, Tensor *x, Tensor *a) {
    CHECK(a->size == 1, "add_scalar: %zu numbers instead of one", a->size);
    Tensor *y = tape_tensor_like(tape, x);
    real add = a->value[0];
#pragma omp parallel for simd schedule(static) if (x->size > 32768)
    for (size_t i = 0; i < x->size; i++) y->value[i] = x->value[i] + add;
    AddScalar *n = tape_node(tape, sizeof *n, "add_scalar", y,
                             x->needs_grad || a->needs_grad, backward);
    if (n) n->x = x, n->a = a;
    return y;
}
