/* linear: y = s x W^T + b
 *   dx = s dy W        G = dL/d(sW) = dy^T x        db = sum over rows of dy */
#include "engine/kern/gemm.h"
#include "engine/kern/rows.h"
#include "engine/op/op.h"

typedef struct Linear {
    Node node;
    Tensor *x, *w, *b;
    Scale scale;
} Linear;

static void input_backward(Tape *tape, Linear *l, size_t rows, size_t in, size_t out) {
    const real *dy = l->node.out->grad;
    real *scaled = NULL, alpha = l->scale.count == 1 ? l->scale.value[0] : 1;
    if (l->scale.count > 1) {
        scaled = tape_scratch(tape, rows * out);
#pragma omp parallel for schedule(static) if (rows * out > 8192)
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < out; j++)
                scaled[i * out + j] = dy[i * out + j] * l->scale.value[j];
    }
    real beta, *dx = tape_grad(tape, l->x, &beta);
    gemm_nn(rows, in, out, alpha, scaled ? scaled : dy, out, l->w->value, in, beta, dx,
            in);
    if (scaled) tape_unscratch(tape, scaled);
}

static void backward(Tape *tape, Node *node) {
    Linear *l = (Linear *)node;
    size_t out = l->w->shape[0], in = l->w->size / out, rows = l->x->size / in;
    const real *dy = node->out->grad;
    real beta;
    if (l->w->needs_grad) {
        real *g = tape_grad(tape, l->w, &beta);
        gemm_tn(out, in, rows, 1, dy, out, l->x->value, in, beta, g, in);
    }
    if (l->b && l->b->needs_grad) {
        real *db = tape_grad(tape, l->b, &beta);
        columns_sum(db, beta, dy, rows, out);
    }
    if (l->x->needs_grad) input_backward(tape, l, rows, in, out);
}

Tensor *op_linear(Tape *tape, Tensor *x, Tensor *w, Tensor *b, const Scale *scale) {
    size_t out = w->shape[0], in = w->size / out, rows = x->size / in;
    CHECK(tensor_last(x) == in, "linear: input has %zu columns, weight takes %zu",
          tensor_last(x), in);
    CHECK(!b || b->size == out, "linear: bias of %zu for %zu outputs", b->size, out);
    Scale s = scale ? *scale : (Scale){NULL, 0};
    CHECK(s.count <= 1 || s.count == out, "linear: %zu scales for %zu rows", s.count,
          out);
    size_t shape[TENSOR_DIMS];
    for (int i = 0; i < x->dims; i++) shape[i] = x->shape[i];
    shape[x->dims - 1] = out;
    Tensor *y = tape_tensor(tape, x->dims, shape);
    gemm_nt(rows, out, in, s.count == 1 ? s.value[0] : 1, x->value, in, w->value, in, 0,
            y->value, out);
    rows_scale_bias(y->value, s.count > 1 ? s.value : NULL, b ? b->value : NULL, rows,
                    out);
    bool wanted = x->needs_grad || w->needs_grad || (b && b->needs_grad);
    Linear *l = tape_node(tape, sizeof *l, "linear", y, wanted, backward);
    if (l) l->x = x, l->w = w, l->b = b, l->scale = s;
    return y;
}
