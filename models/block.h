/* block: one transformer block, for every architecture; the configuration is data.
 *
 *   pre       x += f(LN x)           post      x = LN(x + f(x))
 *   none      x += f(x)              deepnorm  x = LN(alpha x + f(x))
 *
 * with f self-attention, then (in a decoder that has a memory to look at) cross
 * attention, then the MLP.  Dropout and drop path act on f's output; layer drop leaves
 * all branches out, norms behind them stay. */
#ifndef STEADY_BLOCK_H
#define STEADY_BLOCK_H

#include "models/key_cache.h"
#include "models/layer.h"

/* What the blocks of one stack have in common, and blocks of other stacks have not. */
typedef struct BlockSpec {
    const char *prefix; /* of names: "", "encoder.", "decoder." */
    size_t depth;       /* blocks in the stack */
    bool causal;        /* a query sees no later keys */
    bool cross;         /* has cross attention */
    double alpha;       /* deepnorm: what the residual is multiplied by */
    double beta;        /* deepnorm: what initial v, proj, fc1, fc2 are multiplied by */
    double eps;         /* of LayerNorm */
    bool bare;      /* no biases, but one learned number (`shift`) that is added to what
                         * queries, keys and values are made of */
    bool droppable; /* the model's layer_drop leaves blocks out of forward passes */
    uint32_t site;  /* numbers of the random masks begin here; SITES_A_BLOCK each */
} BlockSpec;

enum { SITES_A_BLOCK = 8, SITES_A_STACK = 1 << 20 };

/* The spec of a stack that stands alone, deepnorm's numbers included. */
BlockSpec block_spec_alone(const ModelConfig *config, bool causal, double eps);

/* Attention's side of a block: queries, keys and values in, one product out. */
typedef struct AttentionPart {
    LinearLayer in[3]; /* self: qkv, qk + v, q + k + v; cross: q + kv, q + k + v */
    size_t in_count;
    LinearLayer proj;
    NormLayer norm;
    Param *shift; /* [1], or NULL: 0 */
    Site site;
} AttentionPart;

typedef struct Block {
    size_t index;
    uint32_t first_site;
    double alpha;              /* deepnorm; 1 elsewhere */
    const ModelConfig *config; /* the model's; its dropouts may change between steps */
    size_t depth;              /* blocks of the stack */
    bool droppable;            /* config->layer_drop acts */
    Activation activation;
    NormPlace place;
    bool causal, has_cross;
    AttentionPart self, cross;
    NormLayer norm; /* of the MLP */
    LinearLayer fc1, fc2;
    char mlp_scope[100];
} Block;

/* What a block reads besides x; all may be zero. */
typedef struct BlockInput {
    const size_t *count;        /* [B] tokens of x that are not padding, or NULL: all */
    Tensor *memory;             /* [B, S, D] what cross attention looks at */
    const size_t *memory_count; /* [B] or NULL */
    KeyCache *self, *cross;     /* decoding token by token; NULL: no cache */
} BlockInput;

/* DeepNorm (Wang et al. 2022) for a stack of `depth` blocks that stands alone:
 * (2N)^(1/4), (8N)^(-1/4). */
double deepnorm_alpha(size_t depth);
double deepnorm_beta(size_t depth);

/* Registers parameters PREFIXblocks.N.* */
void block_build(Model *model, Block *block, const BlockSpec *spec, size_t index);

/* INIT_NORMAL: weights N(0, init_std^2), biases 0; deepnorm scales v, proj, fc1, fc2 by
 * beta (under sigma-reparametrisation that cancels where v is a matrix of its own; in a
 * joint one the values of W-hat stay beta times shorter than its queries and keys).
 * INIT_FAIRSEQ: q, k, v uniform as Xavier's with gain 1/sqrt(2), proj with gain 1, the
 * others and the biases of q, k, v uniform within 1/sqrt(fan_in); with deepnorm all
 * are normal as Xavier's with gain beta (q and k: 1) and biases 0.  INIT_UNIFORM:
 * weights uniform within 1/sqrt(fan_in), biases 0; deepnorm as with INIT_NORMAL.
 * INIT_MOCOV3: weights uniform as Xavier's, within sqrt(6 / (fan_in + fan_out)), with q,
 * k and v as matrices of their own; biases 0; deepnorm as with INIT_NORMAL.  Norms 1
 * and 0, shift 0. */
void block_initialize(const Model *model, Block *block, const BlockSpec *spec,
                      uint64_t seed);

/* x [B, T, D] -> [B, T, D] */
Tensor *block_forward(Tape *tape, Block *block, const ForwardMode *mode,
                      const BlockInput *input, Tensor *x);

/* x [B, T, D] -> [B, D]: what block_forward makes of the first token.  For a last block
 * of which nothing else is read: keys and values of all tokens, all else of one. */
Tensor *block_forward_first(Tape *tape, Block *block, const ForwardMode *mode, Tensor *x);

#endif
