/* glu: y = a s,  s = sigmoid(b), a the first half of x's last dimension, b the second
 *   da = dy s,  db = dy a s (1 - s) */
#include "engine/kern/vmath.h"
#include "engine/op/op.h"

typedef struct Glu {
    Node node;
    Tensor *x;
} Glu;

static void backward(Tape *tape, Node *node) {
    Tensor *x = ((Glu *)node)->x;
    size_t width = tensor_last(node->out), rows = tensor_rows(node->out);
    const real *dy = node->out->grad;
    real beta, *dx = tape_grad(tape, x, &beta);
#pragma omp parallel for schedule(static) if (x->size > 8192)
    for (size_t r = 0; r < rows; r++) {
        const real *a = x->value + 2 * r * width;
        real *da = dx + 2 * r * width;
        vm_glu_backward(da, da + width, dy + r * width, a, a + width, width, beta);
    }
}

Tensor *op_glu(Tape *tape, Tensor *x) {
    CHECK(tensor_last(x) % 2 == 0, "glu: %zu columns have no halves", tensor_last(x));
    size_t shape[TENSOR_DIMS], width = tensor_last(x) / 2, rows = tensor_rows(x);
    for (int i = 0; i < x->dims; i++) shape[i] = x->shape[i];
    shape[x->dims - 1] = width;
    Tensor *y = tape_tensor(tape, x->dims, shape);
#pragma omp parallel for schedule(static) if (x->size > 8192)
    for (size_t r = 0; r < rows; r++) {
        const real *a = x->value + 2 * r * width;
        vm_glu(y->value + r * width, a, a + width, width);
    }
    Glu *n = tape_node(tape, sizeof *n, "glu", y, x->needs_grad, backward);
    if (n) n->x = x;
    return y;
}
