/* site: a place where attention happens, and what it showed of itself in a step.
 *
 * Entropy and the largest logit come out of attention itself, in every forward pass.
 * What costs something more is measured where a probe is due (ForwardMode.measure,
 * models/look.h) and is a sum over examples: pieces of a batch and ranks add up. */
#ifndef STEADY_SITE_H
#define STEADY_SITE_H

#include "engine/op/op.h"

struct LinearLayer;

typedef enum {
    MEASURE_NOTHING,
    MEASURE_INPUTS, /* what queries, keys and values are made of */
    MEASURE_HEADS   /* that, each head's weights and bound, the rank of the output */
} MeasureLevel;

/* What the weights of a head say (models/heads.h). */
typedef struct HeadWeights { /* Q, P and M: see there */
    /* |[Q b_Q]^T [P b_P]|_2: largest singular value, with the biases as one more column
     * (of the input: a one).  Without biases |M|_2.  For the bounds of logits and entropy
     * (Zhai et al. 2023, Theorem 3.1). */
    double pair;
    double sec;         /* of M: sum of the 4 largest sigma_i^2 over that of all */
    double stable_rank; /* of M: |M|_F^2 / |M|_2^2, from 1 to min(K, D) */
} HeadWeights;

/* Of x: what queries (cross attention's memory: keys and values) are made of, behind the
 * norm that may stand before the product, with `shift`, without padding. */
typedef struct Measured {
    MeasureLevel level; /* what this step was asked for */
    double temperature;
    double *sums; /* [count], by MeasuredSum: adds up over pieces and ranks */
    size_t count;
    double largest[2];    /* |x|^2 of the input, of the memory: a maximum over them */
    double bias[2];       /* largest over heads: |b_Q|, |b_P| */
    HeadWeights *weights; /* [heads], of MEASURE_HEADS */
} Measured;

/* Places in Measured.sums; behind them bound [heads], input's total [D], memory's [D]. */
typedef enum {
    SUM_TOKENS,
    SUM_SQUARES,
    SUM_MEMORY_TOKENS,
    SUM_MEMORY_SQUARES,
    SUM_QUERIES, /* that the bounds are of */
    SUM_RANKS,   /* of the output of each example, */
    SUM_EXAMPLES,
    SUM_FIXED
} MeasuredSum;

typedef struct Site {
    char name[100];      /* "blocks.0.attn" */
    size_t heads, width; /* width: of all heads */
    bool cross;          /* keys come from the memory */
    double temperature;  /* its own; 0: the forward pass's (models/temperature.h) */
    /* The layers that make queries and keys, and the rows where these begin in them. */
    const struct LinearLayer *query, *key;
    size_t query_row, key_row;
    AttentionStats stats; /* of the last forward pass */
    double *entropy;      /* [heads] mean over the queries gathered since the reset */
    double *largest;      /* [heads] */
    double uniform;       /* what the entropy would be, were attention uniform */
    double weight;        /* queries gathered */
    double keys;          /* most keys, padding included */
    Measured measured;    /* since the reset */
} Site;

/* Where the sum of x [D] of the input, or of the memory, is in Measured.sums. */
size_t site_total(const Site *site, bool memory);

/* ---- what was measured, as means; NaN: it was not ---- */

/* Of the input, or with `memory` of cross attention's memory: mean of |x|^2, its largest,
 * and the share of it in the common direction, |mean x|^2 / mean |x|^2. */
double site_input(const Site *site, bool memory);
double site_input_largest(const Site *site, bool memory);
double site_common(const Site *site, bool memory);

/* Mean over the queries of Theorem 3.1's bound of head h's entropy. */
double site_bound(const Site *site, size_t head);

/* Mean over examples of the participation ratio of attention's output [T, D]. */
double site_rank(const Site *site);

#endif
