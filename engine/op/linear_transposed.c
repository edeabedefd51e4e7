/* linear_transposed: y = s x W,  dx = s dy W^T,  G = dL/d(sW) = x^T dy */
#include "engine/op/product.h"

typedef struct Transposed {
    Node node;
    Tensor *x, *w;
    Scale scale;
    Products products;
} Transposed;

static real factor_of(Scale scale) { return scale.count ? scale.value[0] : 1; }

static void backward(Tape *tape, Node *node) {
    Transposed *n = (Transposed *)node;
    size_t out = n->w->shape[0], in = n->w->size / out, rows = n->x->size / out;
    const real *dy = node->out->grad;
    real beta;
    if (n->x->needs_grad) {
        real *dx = tape_grad(tape, n->x, &beta);
        product_nt(tape, n->products, rows, out, in, factor_of(n->scale), dy, in,
                   n->w->value, in, beta, dx, out);
    }
    if (n->w->needs_grad) {
        real *dw = tape_grad(tape, n->w, &beta);
        product_tn(tape, n->products, out, in, rows, 1, n->x->value, out, dy, in, beta,
                   dw, in);
    }
}

Tensor *op_linear_transposed(Tape *tape, Tensor *x, Tensor *w, const Scale *scale) {
    size_t out = w->shape[0], in = w->size / out, shape[TENSOR_DIMS];
    Scale factor = scale ? *scale : (Scale){NULL, 0};
    CHECK(tensor_last(x) == out, "linear_transposed: input has %zu columns, weight %zu",
          tensor_last(x), out);
    CHECK(factor.count <= 1, "linear_transposed: %zu scales", factor.count);
    for (int i = 0; i < x->dims; i++) shape[i] = x->shape[i];
    shape[x->dims - 1] = in;
    Tensor *y = tape_tensor(tape, x->dims, shape);
    Products products = product_choose(tape, scale, x->size / out);
    product_nn(tape, products, x->size / out, in, out, factor_of(factor), x->value, out,
               w->value, in, 0, y->value, in);
    Transposed *n = tape_node(tape, sizeof *n, "linear_transposed", y,
                              x->needs_grad || w->needs_grad, backward);
    if (n) n->x = x, n->w = w, n->scale = factor, n->products = products;
    return y;
}
