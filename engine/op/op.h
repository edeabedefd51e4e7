/* op: the catalogue of differentiable ops.
 *
 * Each op computes at once, returns a new tensor of the tape's step, and records how to
 * go back.  Shapes are checked (CHECK: a wrong shape is the caller's bug).  Letters: B
 * batch, T queries, S keys, D width, H heads, K head width, R rows, I inputs, O outputs.
 * Backward formulas open each op's file. */
#ifndef STEADY_OP_H
#define STEADY_OP_H

#include "engine/core/tape.h"

typedef struct Ranks Ranks; /* engine/dist/ranks.h */

/* A factor borrowed by op_linear: one number, or one for each output row of W.  The op
 * never knows which reparametrisation it comes from (engine/reparam). */
typedef struct Scale {
    const real *value; /* [count] */
    size_t count;      /* 1 or O */
} Scale;

/* Does a product of so many rows with a matrix of this scale (NULL: none) read bf16 in
 * this pass?  For fewer than 48 rows it does not pay, the double build has no bf16, and
 * keep_reparam leaves out what has a scale. */
bool product_in_bf16(const Tape *tape, const Scale *scale, size_t rows);

/* y[.., O] = scale (x[.., I] W^T) + b.   W [O, ...] of O*I numbers, b [O] or NULL, scale
 * or NULL for 1.  W.grad collects dL/d(scale W), not dL/dW: reparam_fold turns one into
 * the other once a step. */
Tensor *op_linear(Tape *tape, Tensor *x, Tensor *w, Tensor *b, const Scale *scale);

/* y[.., I] = scale x[.., O] W   W [O, I], scale: one number, or NULL.
 * W.grad as op_linear's. */
Tensor *op_linear_transposed(Tape *tape, Tensor *x, Tensor *w, const Scale *scale);

/* What is done to x on its way into the product. */
typedef enum {
    INTAKE_NONE,
    INTAKE_GELU, /* as op_gelu */
    INTAKE_RELU, /* as op_relu */
    INTAKE_NORM, /* as op_layer_norm, with gain, bias, eps */
} Intake;

/* Looks at what a product reads, which op_linear_fused keeps nowhere. */
typedef struct Viewer {
    void (*see)(void *context, const real *p);
    void *context;
} Viewer;

typedef struct LinearArgs {
    Tensor *x, *w, *b;  /* as op_linear takes them */
    const Scale *scale; /* or NULL */
    Intake intake;
    Tensor *gain, *bias; /* [I], of INTAKE_NORM */
    double eps;
    Tensor *residual; /* [.., O] or NULL */
    double alpha;     /* of the residual; 1 but in DeepNorm */
    const real *keep; /* [B] from drop_path_factors, or NULL: 1 */
    double dropout;   /* of the product, in training: op_dropout's, with its ... */
    uint32_t site;    /* ... site and */
    size_t first_example;
    const Viewer *viewer; /* is shown f(x) [rows, in] in the forward pass; or NULL */
    bool last;            /* a recomputed block ends here: its output is not made again */
    bool narrow;          /* y may be: only products and what precedes them read it.
                  * It is where the product is in bf16; no residual, keep or dropout */
    bool passing; /* the caller lets y go (tape_let_go), where the product is in bf16 */
} LinearArgs;

/* y = alpha residual + keep_b dropout(scale (f(x) W^T) + b): op_linear fused with what
 * precedes and follows it in a block.  f(x) is not kept.
 *
 * Where product_in_bf16 the product and its two gradients read f(x), W and dy rounded to
 * bf16, and the backward pass of INTAKE_NORM the normalised x: with it, and with
 * INTAKE_NONE, x may be let go afterwards.  x may be narrow with INTAKE_NONE, INTAKE_GELU
 * and INTAKE_RELU; then so is its gradient, and the product must be in bf16. */
Tensor *op_linear_fused(Tape *tape, const LinearArgs *args);

/* Where queries, keys or values are: columns [column, column + H K) of x
 * [B, T, columns]. */
typedef struct Slice {
    Tensor *x;
    size_t column;
} Slice;

/* What attention measures of itself, for each head, over all its examples
 * and valid queries. */
typedef struct AttentionStats {
    double *entropy; /* [H] mean row entropy, nats; pre-allocated by the caller */
    double *largest; /* [H] largest logit q.k scale, after temperature */
    size_t keys;     /* S */
    size_t queries;  /* valid ones of all examples: what the means are over */
    double uniform;  /* mean of ln(open keys): the entropy of uniform attention, nats */
} AttentionStats;

/* Keys, and queries, that dropout has masks for. */
enum { ATTENTION_MASKED = 131072 };

typedef struct AttentionArgs {
    Slice q, k, v;
    size_t heads, head_width;
    size_t outputs;          /* only the first so many queries have one; 0: all T */
    size_t keys;             /* S: only the first so many rows of k and v are there (and
                              * then have no gradient); 0: all */
    double temperature;      /* tau: softmax(q.k / (sqrt(K) tau)) */
    bool causal;             /* query i sees keys 0 ... i + S - T */
    const size_t *key_count; /* [B] keys that are not padding, or NULL: all S */
    const size_t
        *query_count;      /* [B] queries that are not padding (for the stats), or NULL */
    AttentionStats *stats; /* or NULL */
    double dropout; /* of probabilities, in training, of up to ATTENTION_MASKED keys;
                     * entropy is measured before it */
    uint32_t site;  /* numbers its masks; */
    size_t first_example; /* as op_dropout. A mask belongs to (example, head, query, key),
                           * whatever S, T and B are */
    bool narrow; /* y may be: only products read it.  It is where product_in_bf16 */
} AttentionArgs;

/* y[B, T or outputs, H K] = softmax(q k^T / (sqrt(K) tau)) v for each head (Vaswani et
 * al. 2017).  Queries without an output are measured all the same.  A row without an open
 * key gives 0.  T x S is never held: rows of queries go through in blocks, their
 * log-sum-exp is kept, and the probabilities are made again in the backward pass.
 *
 * Where product_in_bf16 (of q's rows; not with keep_attention, nor with `keys`), or q, k
 * or v is narrow, products read q, k, v, p, dy and ds rounded to bf16; softmax and
 * entropy are in fp32. */
Tensor *op_attention(Tape *tape, const AttentionArgs *args);

/* y = gain (x - mean) / sqrt(var + eps) + bias over the last dimension. gain, bias
 * [D]. */
Tensor *op_layer_norm(Tape *tape, Tensor *x, Tensor *gain, Tensor *bias, double eps);

/* In a pass in bf16: y may be let go (tape_let_go), and so may x afterwards: its
 * backward pass reads (x - mean) / sqrt(var + eps) rounded to bf16. */
Tensor *op_layer_norm_passing(Tape *tape, Tensor *x, Tensor *gain, Tensor *bias,
                              double eps);

Tensor *op_gelu(Tape *tape, Tensor *x); /* x Phi(x), the exact one */
Tensor *op_relu(Tape *tape, Tensor *x); /* max(x, 0) */

/* y[.., d] = x[.., d] sigmoid(x[.., D + d])   x [.., 2 D] -> [.., D]
 * (Dauphin et al. 2017) */
Tensor *op_glu(Tape *tape, Tensor *x);

/* y = x + a   a [1] */
Tensor *op_add_scalar(Tape *tape, Tensor *x, Tensor *a);

/* Sequences with padding: frame_count [B], each <= T, or NULL: all T; borrowed until the
 * backward pass is over.  Frames after it are never read and have no gradient. */

/* y = scale (x - mean) / (std + eps) + bias, mean and (biased) std over the valid frames
 * and all channels of an utterance; 0 at padding.  x [B, T, C], scale and bias [1].  An
 * utterance of one value throughout, std = 0, gives y = bias. */
Tensor *op_masked_norm(Tape *tape, Tensor *x, const size_t *frame_count, Tensor *scale,
                       Tensor *bias, double eps);

/* Windows of `kernel` frames, `stride` apart, of x [B, T, C] with `before` zero frames in
 * front and as many as are needed behind; zeros at padding. */
typedef struct FramesArgs {
    Tensor *x;
    size_t kernel, stride, before;
    const size_t *each_before; /* [B] for each utterance its own, or NULL: `before` */
    const size_t *frame_count;
} FramesArgs;

/* y[b, t, c kernel + k] = x[b, t stride + k - before, c] ->
 * [B, ceil(T / stride), C kernel] */
Tensor *op_frames(Tape *tape, const FramesArgs *args);

/* `before` of "SAME" padding: half, rounded down, of
 *   max(0, (ceil(T / stride) - 1) stride + kernel - T)
 * It moves by up to stride / 2 frames with T, padding included, so that neighbours in the
 * batch shift an utterance; (kernel - 1) / 2, the largest that it becomes, does not. */
size_t frames_before_same(size_t length, size_t kernel, size_t stride);

/* y[b, t, o] = b[o] + sum_ck w[o, c, k] frames[b, t, c, k]   w [O, C, kernel], b [O] or
 * NULL -> [B, ceil(T / stride), O].  Output frames behind an utterance's end are made of
 * the bias and what windows still reach: mask them further on. */
Tensor *op_conv1d(Tape *tape, const FramesArgs *args, Tensor *w, Tensor *b,
                  const Scale *scale);

/* Pictures [B, C, Y, X] to rows [B, (Y/P)(X/P), C P P] of pixels in order (C, y, x). */
Tensor *op_patchify(Tape *tape, Tensor *x, size_t patch);

/* x [B, T, D], token of D numbers -> [B, T + 1, D] with the token first. */
Tensor *op_prepend_token(Tape *tape, Tensor *x, Tensor *token);

/* y[b, t, :] = scale table[ids[b, t], :]   table [V, D], ids [B, T] each < V ->
 * [B, T, D].  ids are borrowed until the backward pass is over. */
Tensor *op_embedding(Tape *tape, Tensor *table, const uint32_t *ids, size_t batch,
                     size_t length, double scale);

/* y[b, t, :] = x[b, t, :] + position[t, :]   x [B, T, D], position [.., D] of T rows or
 * more: the first T are added and have a gradient. */
Tensor *op_add_position(Tape *tape, Tensor *x, Tensor *position);

/* y[b, :] = x[b, index, :] */
Tensor *op_take_token(Tape *tape, Tensor *x, size_t index);

/* y[b, :] = mean over t >= first of x[b, t, :] */
Tensor *op_mean_tokens(Tape *tape, Tensor *x, size_t first);

/* y[0, i, :] = x[rows[i], :]   x [.., D] seen as rows; rows [count] in rising order,
 * borrowed until the backward pass is over -> [1, count, D].  count may be 0. */
Tensor *op_take_rows(Tape *tape, Tensor *x, const size_t *rows, size_t count);

/* Rows, by where they go: part [.., D] of count rows. */
typedef struct RowPart {
    Tensor *x;
    const size_t *rows; /* [count] borrowed until the backward pass is over */
    size_t count;       /* may be 0 */
} RowPart;

/* y[rows_p[i], :] = x_p[i, :], y [batch, length, D]: each of its rows is in one part. */
Tensor *op_merge_rows(Tape *tape, const RowPart *parts, size_t count, size_t batch,
                      size_t length);

/* y = alpha a + b, one shape.  alpha is 1 but in DeepNorm. */
Tensor *op_add(Tape *tape, Tensor *a, Tensor *b, double alpha);

/* Training only, else x itself: each number is kept with probability 1 - p (p to 16 bits)
 * and divided by it.
 * `site` keeps the masks of different places apart; `first_example` is the number of x[0]
 * in the optimizer step, so that micro-batches get the masks of the whole batch. */
Tensor *op_dropout(Tape *tape, Tensor *x, double p, uint32_t site, size_t first_example);

/* The same where x's rows are examples: row i is number first_row + rows[i] (NULL: + i)
 * of the optimizer step.  rows are borrowed until the backward pass is over. */
Tensor *op_dropout_rows(Tape *tape, Tensor *x, double p, uint32_t site, size_t first_row,
                        const size_t *rows);

/* The same for whole examples: x[b, ...] is kept or dropped as one (Huang et al.
 * 2016). */
Tensor *op_drop_path(Tape *tape, Tensor *x, double p, uint32_t site,
                     size_t first_example);

/* The factors that op_drop_path multiplies by, [B], 0 or 1 / (1 - p), in the tape's
 * memory; NULL where it does nothing. */
const real *drop_path_factors(Tape *tape, size_t batch, double p, uint32_t site,
                              size_t first_example);

/* Layer drop (Fan et al. 2020): is the block of this site left out?  One draw, true with
 * probability p, for all examples of a forward pass (TapeMode.pass: a micro-batch of a
 * rank); in training only.  What is kept is not rescaled. */
bool layer_dropped(const Tape *tape, double p, uint32_t site);

/* Targets of a classification loss over K classes; the arrays are borrowed until the
 * backward pass is over.  Row r's target distribution is
 *   (1 - smoothing) (mix_r [label_r] + (1 - mix_r) [other_r]) + smoothing / K */
typedef struct Target {
    const size_t *label; /* [R] each < K */
    const size_t *other; /* [R] or NULL: no mixing */
    const real *mix;     /* [R] or NULL: 1 */
    double smoothing;    /* 0 <= smoothing < 1 */
    double divisor;      /* the loss is the sum over rows divided by this; 0: R */
} Target;

/* loss [1] = - sum_r sum_k target_rk ln softmax(logits_r)_k / divisor, in nats. */
Tensor *op_cross_entropy(Tape *tape, Tensor *logits, const Target *target);

/* Tokens to be predicted; the arrays are borrowed until the backward pass is over.  Row
 * r's target distribution over the V tokens is (1 - smoothing) [label_r] + smoothing /
 * V. */
typedef struct VocabTarget {
    const uint32_t *label; /* [R] each < V, or `ignore`: that row counts for nothing */
    uint32_t ignore;
    double smoothing; /* 0 <= smoothing < 1 */
    double divisor;   /* > 0: the loss is the sum over rows divided by this */
    double *nll;      /* set to the sum over counted rows of -ln p_label; or NULL */
    size_t *right;    /* set to how many rows have the (first) largest logit at their
                       * label; or NULL */
} VocabTarget;

/* loss [1] = - sum_r sum_v target_rv ln softmax(z_r)_v / divisor, z = scale (x W^T) + b,
 * nats.  x [.., D] of R rows, W [V, D], b [V] or NULL, scale or NULL: as op_linear and
 * op_cross_entropy, but the product is made for the rows that count alone, and one [R, V]
 * buffer holds the logits and then their gradient; without gradients not even that.
 * W.grad collects dL/d(scale W), as op_linear's does. */
Tensor *op_vocab_loss(Tape *tape, Tensor *x, Tensor *w, Tensor *bias, const Scale *scale,
                      const VocabTarget *target);

/* Vocabularies in bands, the rarer the narrower (Baevski and Auli 2019).  Band i has the
 * tokens behind those of bands 0 ... i - 1. */
typedef struct Band {
    Tensor *table;      /* [n_i, d_i] */
    Tensor *proj;       /* [D, d_i] */
    const Scale *scale; /* of proj: one number, or NULL */
} Band;

enum { BANDS_MAX = 8 };

/* y[b, t, :] = scale table_i[w - first_i] proj_i^T, w = ids[b, t] of band i -> [B, T, D].
 * bands [count], count <= BANDS_MAX, and ids are borrowed until the
 * backward pass is over. */
Tensor *op_adaptive_embedding(Tape *tape, const Band *bands, size_t count,
                              const uint32_t *ids, size_t batch, size_t length,
                              double scale);

typedef struct AdaptiveArgs {
    const Band *bands; /* [count], 2 or more; proj of band 0 is not used: d_0 = D */
    size_t count;
    Tensor *clusters; /* [count - 1, D] */
    double dropout;   /* of the tails' projected features, in training */
    uint32_t site;    /* of band 1; band i has site + i - 1 */
    size_t first_row; /* number of x's first row in the optimizer step, for the masks */
} AdaptiveArgs;

/* loss [1] = - sum_r ln p(label_r) / divisor, in nats, with p(w) = p_0(w)
 * in band 0, and else
 *   p(w) = p_0(band of w) p_i(w)
 *   p_0 = softmax(x [table_0; clusters]^T),  p_i = softmax(dropout(x proj_i) table_i^T)
 * Tables and projections may be those of op_adaptive_embedding.  A band is looked at for
 * its own labels only.  target as op_vocab_loss takes it, without smoothing; a row is
 * right where p_0's largest is the label, or its band and p_i's largest the label. */
Tensor *op_adaptive_loss(Tape *tape, Tensor *x, const AdaptiveArgs *args,
                         const VocabTarget *target);

/* ---- losses and norms that look at a batch as a whole ----
 * `ranks` is who has a part of the batch, in a training pass: then all of them run the op
 * together, each on rows of its own, and the numbers are those of one process with all
 * rows.  NULL: this process alone.  The pass that searches for a non-finite number
 * (TapeMode.watch) looks at this rank's rows alone. */

typedef struct BatchNormArgs {
    Tensor *x;          /* [R, C] */
    Tensor *gain;       /* [C] */
    Tensor *bias;       /* [C], or NULL: 0 */
    Tensor *mean, *var; /* [C] running ones, buffers; a training pass moves them */
    double eps;         /* 1e-5 in PyTorch */
    double momentum;    /* share of the new in the running ones; 0.1 in PyTorch */
    bool relu;          /* max(y, 0) instead of y */
    Ranks *ranks;
} BatchNormArgs;

/* y = gain (x - mean) / sqrt(var + eps) + bias, column by column (Ioffe and Szegedy
 * 2015).  In training mean and (biased) var are those of the R rows of all ranks, 2 at
 * least (CHECK), and
 *   mean := (1 - momentum) mean + momentum mean(x)
 *   var  := (1 - momentum) var  + momentum sum (x - mean(x))^2 / (R - 1)
 * else they are the running ones.  A column of equal numbers gives y = bias. */
Tensor *op_batch_norm(Tape *tape, const BatchNormArgs *args);

/* What the loss saw of its embeddings, of this pass. */
typedef struct NtXentStats {
    size_t rows;  /* 2M, of all ranks */
    size_t right; /* of this rank's rows: those that are nearer to their partner than to
                   * any other row */
    double std;   /* of the normalised embeddings: the standard deviation over all ranks'
                   * rows, mean over the D columns.  0: all are the same point;
                   * 1 / sqrt(D) or just below: they fill the sphere */
} NtXentStats;

typedef struct NtXentArgs {
    double temperature; /* > 0 */
    double divisor;     /* the loss is the sum over rows divided by this; 0: 2M */
    NtXentStats *stats; /* or NULL */
    Ranks *ranks;
} NtXentArgs;

/* Normalised temperature-scaled cross entropy (Chen et al. 2020), in nats, of embeddings
 * h [2N, D]: row i < N is one view of picture i, row N + i the other.  With z = h / |h|,
 * p(i) the partner of row i, and M pictures on all ranks,
 *   loss [1] = sum over own rows i of (ln sum_{k != i} e^(z_i.z_k / t) - z_i.z_p(i) / t)
 *              / divisor
 * k going over all 2M rows; the losses of the ranks add up to that of one process.  Its
 * gradient in the tape must be the same on all ranks (1 where losses are added up).
 * Between 0 and ln(2M - 1) + 2 / t; equal embeddings give ln(2M - 1), M = 1 gives 0.  An
 * h of length below 1e-12 is z = 0 and has no gradient.  [2N, 2M] is never held: blocks
 * of rows go through, in the backward pass once more. */
Tensor *op_nt_xent(Tape *tape, Tensor *h, const NtXentArgs *args);

/* Transcripts; the arrays are borrowed until the backward pass is over. */
typedef struct CtcTarget {
    const uint32_t *label; /* [B, length] utterance b's come first in row b; each < V */
    size_t length;         /* L */
    const size_t *label_count; /* [B] each <= L; may be 0 */
    const size_t *frame_count; /* [B] each <= T, or NULL: all T */
    uint32_t blank;            /* the class between labels; no label */
    double divisor; /* > 0: the loss is the sum over utterances divided by this */
    double *each;   /* [B] set to each utterance's -ln P; or NULL */
} CtcTarget;

/* loss [1] = - sum_b ln P(labels_b | logits_b) / divisor, in nats (Graves et al. 2006),
 * with P the sum over the alignments of softmax(logits) that spell the labels; logits
 * [B, T, V].  Frames behind frame_count count for nothing.  An utterance that ctc_fits
 * (engine/kern/ctc.h) denies is the caller's bug: ask before. */
Tensor *op_ctc(Tape *tape, Tensor *logits, const CtcTarget *target);

#endif
