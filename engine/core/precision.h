/* precision: what large products read (train.precision of a recipe).
 *
 *     tape_begin(tape, (TapeMode){.precision = {.products = PRECISION_BF16}});
 *
 * With PRECISION_BF16 both operands of a product are rounded to bf16 (8 bits of
 * significand), and sums are in fp32.  Weights, their gradients, the optimizer, norms,
 * softmax, entropy and losses stay `real`.  All zero is fp32: products of `real`, as
 * always.  The double build has no bf16 and ignores this. */
#ifndef STEADY_PRECISION_H
#define STEADY_PRECISION_H

#include <stdbool.h>

typedef enum { PRECISION_FP32, PRECISION_BF16 } PrecisionKind;

typedef struct Precision {
    PrecisionKind products;
    /* with PRECISION_BF16, what stays in fp32 (train.bf16_keep) */
    bool keep_attention; /* attention's two products, and q, k and v */
    bool keep_reparam;   /* products of layers with a reparametrised weight */
    bool plain;          /* by plain loops, whatever units the processor has */
} Precision;

#endif
