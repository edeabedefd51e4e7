/* layer_norm: y = gain (x - mean) / sqrt(var + eps) + bias; the gradient
 * is in kern/norm.h. */
#include "engine/kern/norm.h"
#include "engine/op/op.h"

typedef struct LayerNorm {
    Node node;
    Tensor *x, *gain, *bias;
    real *mean, *rstd; /* [rows] */
} LayerNorm;

static void backward(Tape *tape, Node *node) {
    LayerNorm *l = (LayerNorm *)node;
    size_t n = tensor_last(l->x), rows = tensor_rows(l->x);
    NormBackward b = {.rows = rows,
                      .n = n,
                      .dy = node->out->grad,
                      .x = l->x->value,
                      .gain = l->gain->value,
                      .bias = l->bias->value,
                      .mean = l->mean,
                      .rstd = l->rstd};
    b.scratch = tape_scratch(tape, norm_scratch(rows, n));
    if (l->x->needs_grad) b.dx = tape_grad(tape, l->x, &b.beta_x);
    if (l->gain->needs_grad) b.dgain = tape_grad(tape, l->gain, &b.beta_gain);
    if (l->bias->needs_grad) b.dbias = tape_grad(tape, l->bias, &b.beta_bias);
    norm_rows_backward(&b);
    tape_unscratch(tape, b.scratch);
}

Tensor *op_layer_norm(Tape *tape, Tensor *x, Tensor *gain, Tensor *bias, double eps) {
    size_t n = tensor_last(x), rows = tensor_rows(x);
    CHECK(gain->size == n && bias->size == n,
          "layer_norm: gain %zu, bias %zu for width %zu", gain->size, bias->size, n);
    Tensor *y = tape_tensor_like(tape, x);
    real *mean = tape_alloc(tape, 2 * rows * sizeof(real)), *rstd = mean + rows;
    norm_rows(y->value, x->value, gain->value, bias->value, (real)eps, rows, n, mean,
              rstd);
    bool wanted = x->needs_grad || gain->needs_grad || bias->needs_grad;
    LayerNorm *l = tape_node(tape, sizeof *l, "layer_norm", y, wanted, backward);
    if (l) l->x = x, l->gain = gain, l->bias = bias, l->mean = mean, l->rstd = rstd;
    return y;
}
