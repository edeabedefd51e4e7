/* activation: functions of one number.
 *   gelu   y = x Phi(x)      dx = dy (Phi(x) + x phi(x))
 *   relu   y = max(x, 0)     dx = dy where x > 0 */
#include "engine/kern/vmath.h"
#include "engine/op/op.h"

enum { PIECE = 4096 }; /* numbers a thread takes at a time */

typedef void Forward(real *y, const real *x, size_t n);
typedef void Backward(real *dx, const real *dy, const real *x, size_t n, real beta);

typedef struct Activation {
    Node node;
    Tensor *x;
    Backward *slope;
} Activation;

static void backward(Tape *tape, Node *node) {
    const Activation *a = (Activation *)node;
    Tensor *x = a->x;
    const real *dy = node->out->grad;
    real beta, *dx = tape_grad(tape, x, &beta);
#pragma omp parallel for schedule(static) if (x->size > 2 * PIECE)
    for (size_t i = 0; i < x->size; i += PIECE)
        a->slope(dx + i, dy + i, x->value + i, MIN((size_t)PIECE, x->size - i), beta);
}

static Tensor *apply(Tape *tape, Tensor *x, const char *name, Forward *value,
                     Backward *slope) {
    Tensor *y = tape_tensor_like(tape, x);
#pragma omp parallel for schedule(static) if (x->size > 2 * PIECE)
    for (size_t i = 0; i < x->size; i += PIECE)
        value(y->value + i, x->value + i, MIN((size_t)PIECE, x->size - i));
    Activation *a = tape_node(tape, sizeof *a, name, y, x->needs_grad, backward);
    if (a) a->x = x, a->slope = slope;
    return y;
}

Tensor *op_gelu(Tape *tape, Tensor *x) {
    return apply(tape, x, "gelu", vm_gelu, vm_gelu_backward);
}

Tensor *op_relu(Tape *tape, Tensor *x) {
    return apply(tape, x, "relu", vm_relu, vm_relu_backward);
}
