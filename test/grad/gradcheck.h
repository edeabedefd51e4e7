/* gradcheck: is an op's backward pass the derivative of its forward pass?
 *
 * With a random cotangent c and a random direction d in one input, the slope of <c,
 * op(x)> along d is taken twice: from the backward pass, and by the five-point rule
 *     (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h,    h = 1e-3
 * whose error is far below 1e-9 in double for the inputs of these tests.  The two must
 * agree, sign included, to 1e-7 of |gradient| (d has entries of variance 1, so that is
 * the slope's typical size). */
#ifndef STEADY_TEST_GRADCHECK_H
#define STEADY_TEST_GRADCHECK_H

#include "engine/op/op.h"

enum { GRAD_INPUTS_MAX = 8 };
#define GRAD_TOLERANCE 1e-7

typedef struct GradCase {
    const char *name;
    Tensor *input[GRAD_INPUTS_MAX];
    const char *input_name[GRAD_INPUTS_MAX];
    size_t inputs;
    TapeMode mode; /* training, seed, step; gradients is set by the check */
    Tensor *(*run)(Tape *tape, struct GradCase *c);
    void *args; /* the case's own */
} GradCase;

/* An input of the case: values N(0, std^2) (seed of its own), a name for messages. */
Tensor *grad_input(GradCase *c, const char *name, double std, int dims,
                   const size_t *shape);

/* dims and shape of grad_input: SHAPE(3, 2, 5). */
#define SHAPE(...)                                                                       \
    (int)COUNT(((size_t[]){__VA_ARGS__})), (size_t[]) { __VA_ARGS__ }

/* W = W_hat / scale, for ops that multiply by the scale: they leave dL/dW_hat in W.grad,
 * so its backward copies it. */
Tensor *grad_unscale(Tape *tape, Tensor *w_hat, const Scale *scale);

/* Moves numbers that are nearer to `kink` than `distance` away from it. */
void grad_avoid(Tensor *x, double kink, double distance);

/* Checks each input: alone and with all others, used once and used twice (so that
 * adding into a gradient is tried too).  Fails the cmocka test with op, input and
 * figures.  Frees inputs. */
void grad_check(GradCase *c);

/* Each op of engine/op/list.h has one of these, defined beside its cases. */
#define DECLARE_CASE(op) void grad_case_##op(void **state);
#include "engine/op/list.h"
OP_LIST(DECLARE_CASE)

/* The five-point rule for any function of one number. */
double five_point(double (*f)(double t, void *context), void *context);

#endif
