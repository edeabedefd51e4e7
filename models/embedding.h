/* embedding: tokens in, vectors out; and the matrix that makes logits of them again.
 *
 *     x[b, t] = scale table[id] + position[t]
 *
 * Sinusoidal positions (Vaswani et al. 2017 as fairseq has them) count from 2:
 *     [sin(p w) | cos(p w)],  w_k = 10000^(-k / (D/2 - 1)) */
#ifndef STEADY_EMBEDDING_H
#define STEADY_EMBEDDING_H

#include "models/layer.h"

/* Sequences of tokens, padded behind: ids [batch, length]. */
typedef struct TokenRows {
    const uint32_t *ids; /* borrowed until the backward pass is over */
    size_t batch, length;
    const size_t *count; /* [batch] tokens that are not padding; NULL: all */
} TokenRows;

typedef struct Embedding {
    Param *table; /* [V, D]; borrowed where it is shared; NULL: bands */
    Param *bands[BANDS_MAX], *projs[BANDS_MAX]; /* adaptive: [n_i, d_i], [D, d_i] */
    size_t band_count;                          /* 0: one table */
    Param *position;                            /* [rows, D] learned, or NULL */
    real *sines; /* [sine_rows, D], made as far as they are needed */
    size_t sine_rows;
    bool sinusoidal, owns_table;
    double scale;
    const ModelConfig *config; /* the model's; its dropout may change between steps */
    uint32_t site;             /* number of the dropout mask */
} Embedding;

/* Registers PREFIXembed.weight [vocab, D] (not where `shared` is given), or with cutoffs
 * PREFIXembed.N.weight [n_N, d_N] and PREFIXembed.N.proj.weight [D, d_N], d_N = D /
 * factor^N; and, when learned, PREFIXpos_embed [rows, D]. */
void embedding_build(Model *model, Embedding *e, const char *prefix, size_t vocab,
                     size_t rows, Param *shared);
void embedding_release(Embedding *e);

/* The bands as op_adaptive_embedding takes them; returns how many. */
size_t embedding_bands(const Embedding *e, Band bands[BANDS_MAX]);

/* Vectors N(0, 1/D) with sinusoidal positions or `unit`, else N(0, init_std^2); row `pad`
 * 0 (SIZE_MAX: there is none); bands N(0, 1/d_i), their projections uniform as Xavier's;
 * learned positions N(0, init_std^2). */
void embedding_initialize(const Model *model, Embedding *e, uint64_t seed, bool unit,
                          size_t pad);

/* Tokens, the first of each row at position `first`: -> [batch, length, D], dropout
 * included. */
Tensor *embedding_forward(Tape *tape, Embedding *e, const ForwardMode *mode,
                          const TokenRows *tokens, size_t first);

#endif
