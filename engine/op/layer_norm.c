/* layer_norm: y = gain (x - mean) / sqrt(var + eps) + bias; the gradient
 * is in kern/norm.h. */
#include "engine/kern/norm.h"
#include "engine/op/op.h"

typedef struct LayerNorm {
    Node node;
    Tensor *x, *gain, *bias;
    real *mean, *rstd; /* [rows] */
    bf16 *h16;         /* instead of x, or NULL */
} LayerNorm;

static void backward(Tape *tape, Node *node) {
    LayerNorm *l = (LayerNorm *)node;
    size_t n = tensor_last(l->x), rows = tensor_rows(l->x);
    CHECK(l->h16 || l->x->value, "layer_norm: an input that was let go");
    NormBackward b = {.rows = rows,
                      .n = n,
                      .dy = node->out->grad,
                      .x = l->x->value,
                      .h16 = l->h16,
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

static Tensor *norm(Tape *tape, Tensor *x, Tensor *gain, Tensor *bias, double eps,
                    bool passing) {
    size_t n = tensor_last(x), rows = tensor_rows(x);
    CHECK(gain->size == n && bias->size == n,
          "layer_norm: gain %zu, bias %zu for width %zu", gain->size, bias->size, n);
    Tensor *y = (passing ? tape_tensor_passing : tape_tensor)(tape, x->dims, x->shape);
    real *mean = tape_alloc(tape, 2 * rows * sizeof(real)), *rstd = mean + rows;
    bool wanted = x->needs_grad || gain->needs_grad || bias->needs_grad;
    bool keeps = passing && wanted && tape_mode(tape)->gradients;
    bf16 *h16 = keeps ? tape_alloc(tape, x->size * sizeof(bf16)) : NULL;
    norm_rows(y->value, h16, x->value, gain->value, bias->value, (real)eps, rows, n, mean,
              rstd);
    LayerNorm *l = tape_node(tape, sizeof *l, "layer_norm", y, wanted, backward);
    if (l) l->x = x, l->gain = gain, l->bias = bias, l->mean = mean, l->rstd = rstd;
    if (l) l->h16 = h16;
    return y;
}

Tensor *op_layer_norm(Tape *tape, Tensor *x, Tensor *gain, Tensor *bias, double eps) {
    return norm(tape, x, gain, bias, eps, false);
}

Tensor *op_layer_norm_passing(Tape *tape, Tensor *x, Tensor *gain, Tensor *bias,
                              double eps) {
    return norm(tape, x, gain, bias, eps, true);
}
