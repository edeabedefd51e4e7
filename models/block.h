/* block: one transformer block, for every architecture; the configuration is data.
 *
 *   pre       x += f(LN x)           post      x = LN(x + f(x))
 *   none      x += f(x)              deepnorm  x = LN(alpha x + f(x))
 *
 * with f self-attention, then the MLP.  Dropout and drop path act on f's output. */
#ifndef STEADY_BLOCK_H
#define STEADY_BLOCK_H

#include "models/layer.h"

typedef struct Block {
    size_t index;
    double alpha; /* deepnorm; 1 elsewhere */
    double dropout, drop_path;
    Activation activation;
    NormPlace norm;
    NormLayer norm1, norm2;
    LinearLayer qkv[3]; /* 1, 2 or 3 of them, by grouping */
    QkvGrouping grouping;
    LinearLayer proj, fc1, fc2;
    Site site;
    char attn_scope[100], mlp_scope[100];
} Block;

/* What DeepNorm multiplies the residual (alpha) and some initial weights (beta) by, in a stack
 * of `depth` blocks that stands alone (Wang et al. 2022): (2N)^(1/4), (8N)^(-1/4). */
double deepnorm_alpha(size_t depth);
double deepnorm_beta(size_t depth);

/* Registers parameters blocks.N.*; eps is that of LayerNorm. */
void block_build(Model *model, Block *block, size_t index, double eps);

/* Weights N(0, init_std^2), biases 0, norms 1 and 0; deepnorm scales v, proj, fc1, fc2. */
void block_initialize(const Model *model, Block *block, uint64_t seed);

/* x [B, T, D] -> [B, T, D] */
Tensor *block_forward(Tape *tape, Block *block, const ForwardMode *mode, Tensor *x);

/* x [B, T, D] -> [B, D]: what block_forward makes of the first token.  For a last block of
 * which nothing else is read: keys and values of all tokens, all else of one. */
Tensor *block_forward_first(Tape *tape, Block *block, const ForwardMode *mode, Tensor *x);

#endif
