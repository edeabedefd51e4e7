/* relu: y = max(x, 0),  dx = dy where x > 0 */
#include "engine/kern/vmath.h"
#include "engine/op/op.h"

enum { PIECE = 4096 }; /* numbers a thread takes at a time */

typedef struct Relu {
    Node node;
    Tensor *x;
} Relu;

static void backward(Tape *tape, Node *node) {
    Tensor *x = ((Relu *)node)->x;
    const real *dy = node->out->grad;
    real beta, *dx = tape_grad(tape, x, &beta);
#pragma omp parallel for schedule(static) if (x->size > 2 * PIECE)
    for (size_t i = 0; i < x->size; i += PIECE)
        vm_relu_backward(dx + i, dy + i, x->value + i, MIN((size_t)PIECE, x->size - i), beta);
}

Tensor *op_relu(Tape *tape, Tensor *x) {
    Tensor *y = tape_tensor_like(tape, x);
#pragma omp parallel for schedule(static) if (x->size > 2 * PIECE)
    for (size_t i = 0; i < x->size; i += PIECE)
        vm_relu(y->value + i, x->value + i, MIN((size_t)PIECE, x->size - i));
    Relu *n = tape_node(tape, sizeof *n, "relu", y, x->needs_grad, backward);
    if (n) n->x = x;
    return y;
}
