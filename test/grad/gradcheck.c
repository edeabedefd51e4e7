#include "gradcheck.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

Tensor *grad_input(GradCase *c, const char *name, double std, int dims,
                   const size_t *shape) {
    assert_true(c->inputs < GRAD_INPUTS_MAX);
    Tensor *x = mem_zalloc(sizeof *x);
    tensor_set_shape(x, dims, shape);
    x->value = mem_alloc(x->size * sizeof(real));
    Rng rng = rng_make(17, c->inputs, 0);
    for (size_t i = 0; i < x->size; i++) x->value[i] = (real)(std * rng_normal(rng, i));
    c->input_name[c->inputs] = name;
    c->input[c->inputs++] = x;
    return x;
}

void grad_avoid(Tensor *x, double kink, double distance) {
    for (size_t i = 0; i < x->size; i++)
        if (fabs(x->value[i] - kink) < distance)
            x->value[i] = kink + (x->value[i] < kink ? -distance : distance);
}

/* ---- <c, y> as an op of its own, so that any shape has a scalar loss ---- */

typedef struct Dot {
    Node node;
    Tensor *y;
    uint64_t seed;
} Dot;

static void dot_backward(Tape *tape, Node *node) {
    Dot *n = (Dot *)node;
    Rng rng = rng_make(n->seed, 0, 0);
    real beta, *dy = tape_grad(tape, n->y, &beta);
    for (size_t i = 0; i < n->y->size; i++)
        dy[i] = (beta != 0 ? dy[i] : 0) + node->out->grad[0] * rng_normal(rng, i);
}

static Tensor *dot(Tape *tape, Tensor *y, uint64_t seed) {
    Rng rng = rng_make(seed, 0, 0);
    Tensor *loss = tape_tensor(tape, 1, (size_t[]){1});
    loss->value[0] = 0;
    for (size_t i = 0; i < y->size; i++)
        loss->value[0] += y->value[i] * rng_normal(rng, i);
    Dot *n = tape_node(tape, sizeof *n, "dot", loss, y->needs_grad, dot_backward);
    if (n) n->y = y, n->seed = seed;
    return loss;
}

/* uses = 1: <c1, op(x)>; uses = 2: <c1, op(x)> + <c2, op(x)> from two runs of the op. */
static Tensor *loss_of(Tape *tape, GradCase *c, size_t uses) {
    Tensor *loss = dot(tape, c->run(tape, c), 101);
    if (uses == 2) loss = op_add(tape, loss, dot(tape, c->run(tape, c), 202), 1);
    return loss;
}

/* ---- the slope, twice ---- */

typedef struct Line {
    GradCase *c;
    Tape *tape;
    Tensor *x;
    real *at, *direction;
    size_t uses;
} Line;

static double value_along(double t, void *context) {
    Line *line = context;
    for (size_t i = 0; i < line->x->size; i++)
        line->x->value[i] = line->at[i] + t * line->direction[i];
    TapeMode mode = line->c->mode;
    mode.gradients = false;
    tape_begin(line->tape, mode);
    return (double)loss_of(line->tape, line->c, line->uses)->value[0];
}

double five_point(double (*f)(double t, void *context), void *context) {
    double h = 1e-3;
    double slope = (f(-2 * h, context) - 8 * f(-h, context) + 8 * f(h, context) -
                    f(2 * h, context)) /
                   (12 * h);
    f(0, context);
    return slope;
}

static void compare(const GradCase *c, size_t i, size_t uses, double found, double wanted,
                    double size) {
    double rounding = 1e-11; /* where the gradient is 0: one key, one class */
    if (fabs(found - wanted) <= GRAD_TOLERANCE * size + rounding) return;
    fail_msg("%s: gradient of %s (used %zu times): backward says %.12g, differences say "
             "%.12g, "
             "|gradient| %.3g",
             c->name, c->input_name[i], uses, found, wanted, size);
}

static void check_direction(GradCase *c, Tape *tape, size_t i, size_t uses,
                            const real *grad, uint64_t seed) {
    Tensor *x = c->input[i];
    Rng rng = rng_make(seed, 3, i);
    real *at = mem_alloc(2 * x->size * sizeof(real)), *direction = at + x->size;
    double found = 0, squares = 0;
    for (size_t j = 0; j < x->size; j++) {
        at[j] = x->value[j];
        direction[j] = rng_normal(rng, j);
        found += grad[j] * direction[j];
        squares += grad[j] * grad[j];
    }
    Line line = {c, tape, x, at, direction, uses};
    compare(c, i, uses, found, five_point(value_along, &line), sqrt(squares));
    mem_free(at);
}

/* Backward with gradients for the inputs in `mask` only; copies input i's gradient. */
static real *backward_grad(GradCase *c, Tape *tape, size_t i, unsigned mask,
                           size_t uses) {
    TapeMode mode = c->mode;
    mode.gradients = true;
    for (size_t j = 0; j < c->inputs; j++) {
        c->input[j]->needs_grad = mask >> j & 1;
        c->input[j]->grad = NULL;
        c->input[j]->grad_written = false;
    }
    tape_begin(tape, mode);
    tape_backward(tape, loss_of(tape, c, uses));
    if (!c->input[i]->grad) fail_msg("%s: %s got no gradient", c->name, c->input_name[i]);
    real *grad = mem_alloc(c->input[i]->size * sizeof(real));
    memcpy(grad, c->input[i]->grad, c->input[i]->size * sizeof(real));
    return grad;
}

void grad_check(GradCase *c) {
    Tape *tape = tape_new();
    unsigned everything = (1u << c->inputs) - 1;
    for (size_t i = 0; i < c->inputs; i++)
        for (size_t uses = 1; uses <= 2; uses++)
            for (unsigned alone = 0; alone < 2; alone++) {
                unsigned mask = alone ? 1u << i : everything;
                real *grad = backward_grad(c, tape, i, mask, uses);
                for (uint64_t seed = 1; seed <= 3; seed++)
                    check_direction(c, tape, i, uses, grad, seed);
                mem_free(grad);
            }
    for (size_t i = 0; i < c->inputs; i++) {
        mem_free(c->input[i]->value);
        mem_free(c->input[i]);
    }
    c->inputs = 0;
    tape_free(tape);
}

/* ---- weights with a scale ---- */

typedef struct Unscale {
    Node node;
    Tensor *w_hat;
} Unscale;

static void unscale_backward(Tape *tape, Node *node) {
    Unscale *n = (Unscale *)node;
    real beta, *dw = tape_grad(tape, n->w_hat, &beta);
    for (size_t i = 0; i < n->w_hat->size; i++)
        dw[i] = (beta != 0 ? dw[i] : 0) + node->out->grad[i];
}

Tensor *grad_unscale(Tape *tape, Tensor *w_hat, const Scale *scale) {
    Tensor *w = tape_tensor_like(tape, w_hat);
    size_t columns = tensor_last(w_hat);
    for (size_t i = 0; i < w->size; i++)
        w->value[i] = w_hat->value[i] / scale->value[scale->count > 1 ? i / columns : 0];
    Unscale *n =
        tape_node(tape, sizeof *n, "unscale", w, w_hat->needs_grad, unscale_backward);
    if (n) n->w_hat = w_hat;
    return w;
}
