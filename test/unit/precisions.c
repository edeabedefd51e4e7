#include "precisions.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kern/bf16.h"

/* ---- inputs ---- */

Tensor *pass_input(Pass *p, double std, int dims, const size_t *shape) {
    assert_true(p->inputs < PASS_TENSORS);
    Tensor *x = &p->input[p->inputs++];
    Rng rng = rng_make(17, (uint32_t)p->inputs, 0);
    *x = (Tensor){.needs_grad = true, .is_param = true};
    tensor_set_shape(x, dims, shape);
    x->value = mem_array(x->size, sizeof(real));
    x->grad = mem_zarray(x->size, sizeof(real));
    for (size_t i = 0; i < x->size; i++) x->value[i] = (real)(std * rng_normal(rng, i));
    return x;
}

void pass_free(Pass *p) {
    for (size_t i = 0; i < p->inputs; i++) {
        mem_free(p->input[i].value);
        mem_free(p->input[i].grad);
    }
}

/* ---- a loss with a random gradient ---- */

typedef struct Cotangent {
    Node node;
    Tensor *x;
    real *c;
} Cotangent;

static void backward(Tape *tape, Node *node) {
    Cotangent *n = (Cotangent *)node;
    real beta;
    if (tensor_narrow(n->x)) {
        bf16_round(tape_grad16(tape, n->x, &beta), n->c, n->x->size);
    } else {
        real *dx = tape_grad(tape, n->x, &beta);
        for (size_t i = 0; i < n->x->size; i++) dx[i] = (beta != 0 ? dx[i] : 0) + n->c[i];
    }
}

Tensor *pass_loss(Tape *tape, Tensor *x, uint64_t seed) {
    Rng rng = rng_make(seed, 5, 0);
    Tensor *loss = tape_tensor(tape, 1, (size_t[]){1});
    real *c = tape_alloc(tape, x->size * sizeof *c);
    for (size_t i = 0; i < x->size; i++) c[i] = (real)rng_normal(rng, i);
    loss->value[0] = 0;
    Cotangent *n = tape_node(tape, sizeof *n, "cotangent", loss, true, backward);
    n->x = x;
    n->c = c;
    return loss;
}

/* ---- running ---- */

static real *copy_of(const Tensor *x, const real *numbers) {
    real *to = mem_array(x->size, sizeof *to);
    if (numbers) memcpy(to, numbers, x->size * sizeof *to);
    else bf16_widen(to, x->value16, x->size);
    return to;
}

Outcome pass_run(Pass *p, Precision precision) {
    Outcome o = {.narrow = false};
    Tape *tape = tape_new();
    p->mode.gradients = true;
    p->mode.precision = precision;
    tape_begin(tape, p->mode);
    for (size_t i = 0; i < p->inputs; i++) p->input[i].grad_written = false;
    Tensor *y = p->run(tape, p);
    o.narrow = tensor_narrow(y);
    o.numbers[0] = copy_of(y, y->value);
    o.size[0] = y->size;
    tape_backward(tape, pass_loss(tape, y, 3));
    for (size_t i = 0; i < p->inputs; i++) {
        if (!p->input[i].needs_grad) continue;
        assert_true(p->input[i].grad_written);
        o.numbers[1 + i] = copy_of(&p->input[i], p->input[i].grad);
        o.size[1 + i] = p->input[i].size;
    }
    tape_free(tape);
    return o;
}

void outcome_free(Outcome *o) {
    for (size_t i = 0; i < COUNT(o->numbers); i++) mem_free(o->numbers[i]);
}

double apart(const real *a, const real *b, size_t n) {
    double off = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i];
        off += d * d;
        norm += (double)b[i] * (double)b[i];
    }
    return norm > 0 ? sqrt(off / norm) : sqrt(off);
}

static void check_apart(const char *name, const char *what, const Outcome *a,
                        const Outcome *b, double least, double most) {
    for (size_t i = 0; i < COUNT(a->numbers); i++) {
        if (!a->numbers[i]) continue;
        double off = apart(a->numbers[i], b->numbers[i], a->size[i]);
        if (!(off >= least && off <= most))
            fail_msg("%s: %s: %s %zu is %.3g apart, not %.3g ... %.3g", name, what,
                     i ? "gradient" : "output", i, off, least, most);
    }
}

void pass_check(Pass *p, const char *name, double most) {
    Precision in_bf16 = {.products = PRECISION_BF16};
    Outcome fp32 = pass_run(p, (Precision){0}), fast = pass_run(p, in_bf16),
            again = pass_run(p, in_bf16);
    in_bf16.plain = true;
    Outcome plain = pass_run(p, in_bf16);
    double narrow =
        fast.narrow ? ROUNDING / 2 : 1e-5; /* a rounding may go the other way */
    check_apart(name, "bf16, fp32", &fast, &fp32, ROUNDING / 32, most * ROUNDING);
    check_apart(name, "fast, plain", &fast, &plain, 0, narrow);
    check_apart(name, "bf16, bf16 again", &fast, &again, 0, 0);
    outcome_free(&fp32);
    outcome_free(&fast);
    outcome_free(&again);
    outcome_free(&plain);
}
