/* Gradient cases of ops that look at a batch as a whole (gradcheck.h). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gradcheck.h"

/* ---- batch norm ---- */

typedef struct NormCase {
    bool bias, relu;
    Tensor mean, var;
} NormCase;

static Tensor *run_batch_norm(Tape *tape, GradCase *c) {
    NormCase *n = c->args;
    BatchNormArgs args = {.x = c->input[0], .gain = c->input[1], .eps = 1e-5};
    args.bias = n->bias ? c->input[2] : NULL;
    args.relu = n->relu, args.momentum = 0.1, args.mean = &n->mean, args.var = &n->var;
    return op_batch_norm(tape, &args);
}

static void batch_norm_case(bool training, bool bias, bool relu, size_t rows, size_t n) {
    real *running = mem_alloc(2 * n * sizeof *running);
    NormCase args = {.bias = bias, .relu = relu};
    GradCase c = {.name = "batch_norm", .run = run_batch_norm, .args = &args};
    c.mode.training = training;
    tensor_set_shape(&args.mean, 1, &n);
    tensor_set_shape(&args.var, 1, &n);
    args.mean.value = running, args.var.value = running + n;
    for (size_t j = 0; j < n; j++) running[j] = 0.1 * (double)j, running[n + j] = 0.7;
    grad_input(&c, "x", 1, SHAPE(rows, n));
    grad_input(&c, "gain", 1, SHAPE(n));
    if (bias) {
        grad_input(&c, "bias", 1, SHAPE(n));
        /* far from the kink: half of the columns are positive, half are 0 */
        for (size_t j = 0; relu && j < n; j++) c.input[2]->value[j] = j % 2 ? 40 : -40;
    }
    grad_check(&c);
    mem_free(running);
}

void grad_case_batch_norm(void **state) {
    (void)state;
    for (int training = 0; training < 2; training++) {
        batch_norm_case(training, false, false, 6, 5);
        batch_norm_case(training, true, false, 4, 3);
        batch_norm_case(training, true, true, 7, 4);
        batch_norm_case(training, true, false, 130, 70); /* several threads and strips */
    }
}

/* ---- NT-Xent ---- */

static Tensor *run_nt_xent(Tape *tape, GradCase *c) {
    return op_nt_xent(tape, c->input[0], c->args);
}

void grad_case_nt_xent(void **state) {
    (void)state;
    static const size_t ROWS[] = {2, 4, 14, 150};
    for (size_t i = 0; i < COUNT(ROWS); i++)
        for (int divided = 0; divided < 2; divided++) {
            NtXentArgs args = {.temperature = divided ? 0.1 : 0.5,
                               .divisor = divided ? 64 : 0};
            GradCase c = {.name = "nt_xent", .run = run_nt_xent, .args = &args};
            grad_input(&c, "h", 1, SHAPE(ROWS[i], 5));
            grad_check(&c);
        }
}
