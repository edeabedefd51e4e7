/* layer_norm: h = (x - mean) rstd,  y = gain h + bias
 *   d = gain dy:  dx = rstd (d - mean(d) - h mean(d h)),  dgain = sum dy h,  dbias = sum dy */
#include "engine/kern/rows.h"
#include "engine/op/op.h"

typedef struct LayerNorm {
    Node node;
    Tensor *x, *gain, *bias;
    real *mean, *rstd; /* [rows] */
} LayerNorm;

static void backward(Tape *tape, Node *node) {
    LayerNorm *l = (LayerNorm *)node;
    size_t n = tensor_last(l->x), rows = tensor_rows(l->x);
    const real *dy = node->out->grad;
    real beta;
    if (l->gain->needs_grad) {
        real *dgain = tape_grad(tape, l->gain, &beta);
        layer_norm_gain_backward(dgain, beta, dy, l->x->value, rows, n, l->mean, l->rstd);
    }
    if (l->bias->needs_grad) {
        real *dbias = tape_grad(tape, l->bias, &beta);
        columns_sum(dbias, beta, dy, rows, n);
    }
    if (l->x->needs_grad) {
        real *dx = tape_grad(tape, l->x, &beta);
        layer_norm_rows_backward(dx, beta, dy, l->x->value, l->gain->value, rows, n,
                                 l->mean, l->rstd);
    }
}

Tensor *op_layer_norm(Tape *tape, Tensor *x, Tensor *gain, Tensor *bias, double eps) {
    size_t n = tensor_last(x), rows = tensor_rows(x);
    CHECK(gain->size == n && bias->size == n,
          "layer_norm: gain %zu, bias %zu for width %zu", gain->size, bias->size, n);
    Tensor *y = tape_tensor_like(tape, x);
    real *mean = tape_alloc(tape, 2 * rows * sizeof(real)), *rstd = mean + rows;
    layer_norm_rows(y->value, x->value, gain->value, bias->value, (real)eps, rows, n,
                    mean, rstd);
    bool wanted = x->needs_grad || gain->needs_grad || bias->needs_grad;
    LayerNorm *l = tape_node(tape, sizeof *l, "layer_norm", y, wanted, backward);
    if (l) l->x = x, l->gain = gain, l->bias = bias, l->mean = mean, l->rstd = rstd;
    return y;
}
