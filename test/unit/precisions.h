/* precisions: runs an op, or a model, in fp32 and in bf16 and compares what comes out.
 *
 * Each operand of a product is rounded to bf16, a relative error of at most u = 2^-8
 * and of about 0.42 u in the root mean square.  Products of random operands so differ
 * by about sqrt(2) 0.42 u = 0.6 u in norm, a rounded result by one more 0.42 u; and an
 * fp32 product by less than u / 1000. */
#ifndef STEADY_TEST_PRECISIONS_H
#define STEADY_TEST_PRECISIONS_H

#include "engine/op/op.h"

#define ROUNDING 0.00390625 /* u */

enum { PASS_TENSORS = 8 };

/* What is run: out of inputs one output. */
typedef struct Pass {
    Tensor input[PASS_TENSORS];
    size_t inputs;
    TapeMode mode; /* gradients is set; precision is that of pass_run */
    Tensor *(*run)(Tape *tape, struct Pass *p);
    void *args;
} Pass;

/* N(0, std^2), with a gradient; the seed is its number. */
Tensor *pass_input(Pass *p, double std, int dims, const size_t *shape);
void pass_free(Pass *p);

/* Output and gradients of inputs for a cotangent N(0, 1), [0] and [1 ... inputs]. */
typedef struct Outcome {
    real *numbers[1 + PASS_TENSORS];
    size_t size[1 + PASS_TENSORS];
    bool narrow; /* the output */
} Outcome;

Outcome pass_run(Pass *p, Precision precision);
void outcome_free(Outcome *o);

/* |a - b| / |b| */
double apart(const real *a, const real *b, size_t n);

/* For ops in bf16: output and gradients differ from fp32 by bf16's rounding, at least
 * u / 32 and at most most u; the plain loops from the processor's units by fp32's; and
 * not at all from themselves. */
void pass_check(Pass *p, const char *name, double most);

/* A node that gives its input a random gradient: loss = sum c x. */
Tensor *pass_loss(Tape *tape, Tensor *x, uint64_t seed);

#endif
