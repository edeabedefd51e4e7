/* tokens: ops that add, place, pick and average the tokens of a sequence [B, T, D].
 *   prepend_token  dtoken = sum_b dy[b, 0], dx = dy[:, 1:]
 *   add_position   dposition[:T] = sum_b dy[b],  dx = dy
 *   take_token     dx[b, index] = dy[b], 0 elsewhere
 *   mean_tokens    dx[b, t] = dy[b] / (T - first) for t >= first, 0 before */
#include <string.h>

#include "engine/kern/rows.h"
#include "engine/op/op.h"

typedef struct Tokens {
    Node node;
    Tensor *x, *other; /* the sequence; the token or the positions */
    size_t index;
} Tokens;

static void check_sequence(const Tensor *x, const char *op) {
    CHECK(x->dims == 3, "%s: %d dimensions instead of [B, T, D]", op, x->dims);
}

/* out[n] = beta out + sum over b of x[b * stride + 0..n) */
static void sum_over_batch(real *out, real beta, const real *x, size_t batch,
                           size_t stride, size_t n) {
#pragma omp parallel for simd schedule(static) if (n * batch > 8192)
    for (size_t j = 0; j < n; j++) {
        real sum = 0;
        for (size_t b = 0; b < batch; b++) sum += x[b * stride + j];
        out[j] = (beta != 0 ? out[j] : 0) + sum;
    }
}

/* ---- prepend_token ---- */

static void prepend_backward(Tape *tape, Node *node) {
    Tokens *n = (Tokens *)node;
    size_t batch = node->out->shape[0], long_row = node->out->size / batch;
    size_t width = tensor_last(node->out), row = long_row - width;
    const real *dy = node->out->grad;
    real beta;
    if (n->other->needs_grad) {
        real *dtoken = tape_grad(tape, n->other, &beta);
        sum_over_batch(dtoken, beta, dy, batch, long_row, width);
    }
    if (!n->x->needs_grad) return;
    real *dx = tape_grad(tape, n->x, &beta);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < batch; b++)
        for (size_t j = 0; j < row; j++)
            dx[b * row + j] =
                (beta != 0 ? dx[b * row + j] : 0) + dy[b * long_row + width + j];
}

Tensor *op_prepend_token(Tape *tape, Tensor *x, Tensor *token) {
    check_sequence(x, "prepend_token");
    size_t batch = x->shape[0], width = tensor_last(x), row = x->shape[1] * width;
    CHECK(token->size == width, "prepend_token: token of %zu for width %zu", token->size,
          width);
    Tensor *y = tape_tensor(tape, 3, (size_t[]){batch, x->shape[1] + 1, width});
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < batch; b++) {
        real *out = y->value + b * (row + width);
        memcpy(out, token->value, width * sizeof(real));
        memcpy(out + width, x->value + b * row, row * sizeof(real));
    }
    Tokens *n = tape_node(tape, sizeof *n, "prepend_token", y,
                          x->needs_grad || token->needs_grad, prepend_backward);
    if (n) n->x = x, n->other = token;
    return y;
}

/* ---- add_position ---- */

static void position_backward(Tape *tape, Node *node) {
    Tokens *n = (Tokens *)node;
    size_t batch = node->out->shape[0], row = node->out->size / batch;
    if (n->other->needs_grad) {
        real beta, *dposition = tape_grad(tape, n->other, &beta);
        sum_over_batch(dposition, beta, node->out->grad, batch, row, row);
        if (beta == 0) memset(dposition + row, 0, (n->other->size - row) * sizeof(real));
    }
    tape_pass_grad(tape, n->x, node->out);
}

Tensor *op_add_position(Tape *tape, Tensor *x, Tensor *position) {
    check_sequence(x, "add_position");
    size_t row = x->size / x->shape[0];
    CHECK(tensor_last(position) == tensor_last(x) && position->size >= row,
          "add_position: %zu numbers in rows of %zu for [%zu, %zu]", position->size,
          tensor_last(position), x->shape[1], x->shape[2]);
    Tensor *y = tape_tensor_like(tape, x);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < x->shape[0]; b++)
        for (size_t j = 0; j < row; j++)
            y->value[b * row + j] = x->value[b * row + j] + position->value[j];
    Tokens *n = tape_node(tape, sizeof *n, "add_position", y,
                          x->needs_grad || position->needs_grad, position_backward);
    if (n) n->x = x, n->other = position;
    return y;
}

/* ---- take_token ---- */

static void take_backward(Tape *tape, Node *node) {
    Tokens *n = (Tokens *)node;
    size_t batch = n->x->shape[0], width = tensor_last(n->x),
           row = n->x->shape[1] * width;
    real beta, *dx = tape_grad(tape, n->x, &beta);
    if (beta == 0) memset(dx, 0, n->x->size * sizeof(real));
    for (size_t b = 0; b < batch; b++)
        for (size_t j = 0; j < width; j++)
            dx[b * row + n->index * width + j] += node->out->grad[b * width + j];
}

Tensor *op_take_token(Tape *tape, Tensor *x, size_t index) {
    check_sequence(x, "take_token");
    CHECK(index < x->shape[1], "take_token: token %zu of %zu", index, x->shape[1]);
    size_t width = tensor_last(x);
    Tensor *y = tape_tensor(tape, 2, (size_t[]){x->shape[0], width});
    for (size_t b = 0; b < x->shape[0]; b++)
        memcpy(y->value + b * width, x->value + (b * x->shape[1] + index) * width,
               width * sizeof(real));
    Tokens *n = tape_node(tape, sizeof *n, "take_token", y, x->needs_grad, take_backward);
    if (n) n->x = x, n->index = index;
    return y;
}

/* ---- mean_tokens ---- */

static void mean_backward(Tape *tape, Node *node) {
    Tokens *n = (Tokens *)node;
    size_t length = n->x->shape[1], width = tensor_last(n->x);
    real share = 1 / (real)(length - n->index);
    real beta, *dx = tape_grad(tape, n->x, &beta);
    if (beta == 0) memset(dx, 0, n->x->size * sizeof(real));
    for (size_t b = 0; b < n->x->shape[0]; b++)
        for (size_t t = n->index; t < length; t++)
            for (size_t j = 0; j < width; j++)
                dx[(b * length + t) * width + j] +=
                    share * node->out->grad[b * width + j];
}

Tensor *op_mean_tokens(Tape *tape, Tensor *x, size_t first) {
    check_sequence(x, "mean_tokens");
    size_t length = x->shape[1], width = tensor_last(x);
    CHECK(first < length, "mean_tokens: from token %zu of %zu", first, length);
    Tensor *y = tape_tensor(tape, 2, (size_t[]){x->shape[0], width});
    for (size_t b = 0; b < x->shape[0]; b++) {
        real *out = y->value + b * width;
        columns_sum(out, 0, 1, x->value + (b * length + first) * width, length - first,
                    width);
        for (size_t j = 0; j < width; j++) out[j] /= (real)(length - first);
    }
    Tokens *n =
        tape_node(tape, sizeof *n, "mean_tokens", y, x->needs_grad, mean_backward);
    if (n) n->x = x, n->index = first;
    return y;
}
