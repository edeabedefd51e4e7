/* stack: blocks one upon another, and the norm behind them: an encoder or a decoder. */
#ifndef STEADY_STACK_H
#define STEADY_STACK_H

#include "models/block.h"

typedef struct Stack {
    BlockSpec spec;
    Block *blocks;  /* [spec.depth] */
    NormLayer norm; /* after the last block (pre), else the identity */
} Stack;

void stack_build(Model *model, Stack *stack, const BlockSpec *spec);
void stack_release(Stack *stack);
void stack_initialize(const Model *model, Stack *stack, uint64_t seed);

/* x [B, T, D] through the first `depth` blocks, without the norm; `input` is borrowed
 * until the backward pass is over.  caches (or NULL): [2 depth], of block i
 * self-attention's at 2 i, cross attention's behind it. */
Tensor *stack_run(Tape *tape, Stack *stack, size_t depth, const ForwardMode *mode,
                  const BlockInput *input, KeyCache *caches, Tensor *x);

/* All blocks and the norm. */
Tensor *stack_forward(Tape *tape, Stack *stack, const ForwardMode *mode,
                      const BlockInput *input, KeyCache *caches, Tensor *x);

/* Multiply-adds x 2 of the forward pass over `tokens` tokens that look at `keys` keys
 * each in self-attention and at `memory` in cross attention, whose keys and values are
 * made once for memory_tokens: matrix products only. */
double stack_flops(const Stack *stack, double tokens, double keys, double memory,
                   double memory_tokens);

/* Numbers that a training step keeps for its backward pass over `tokens` tokens and
 * a memory of `memory_tokens`: what blocks hold (with recomputation their inputs,
 * and one block), and the largest gradients of activations.  An estimate, mostly
 * within 15 per cent. */
double stack_memory(const Stack *stack, double tokens, double memory_tokens,
                    bool recompute);

#endif
