/* language: a decoder that predicts the next token.
 *
 *     Language *lm = language_new(&config, vocab);
 *     language_initialize(lm, seed);
 *     model_start(&lm->model, NULL);
 *     Tensor *loss = language_loss(lm, tape, &mode, &tokens, &target);
 *
 * Names: embed.weight [V, D], pos_embed [context, D], blocks.N.*, norm, and head.weight
 * [V, D] where the output is not tied.  With cutoffs (Baevski and Auli 2019):
 * embed.N.weight [band, D / factor^N], embed.N.proj.weight [D, D / factor^N],
 * head.weight [clusters, D]. */
#ifndef STEADY_LANGUAGE_H
#define STEADY_LANGUAGE_H

#include "models/embedding.h"
#include "models/stack.h"

typedef struct Language {
    Model model;
    size_t vocab;
    Embedding embed;
    Stack stack;
    /* weight [V, D]; NULL: the embedding table; with bands the clusters' [bands - 1, D],
     * which are never reparametrised */
    LinearLayer head;
} Language;

Status language_check(const ModelConfig *config, size_t vocab, Err *err);
Language *language_new(const ModelConfig *config, size_t vocab);
void language_free(Language *lm);
void language_initialize(Language *lm, uint64_t seed);

/* [B, T, D] after the last norm.  caches (or NULL): [2 depth] of models/stack.h, with the
 * tokens before these. */
Tensor *language_features(Language *lm, Tape *tape, const ForwardMode *mode,
                          const TokenRows *tokens, KeyCache *caches);

/* target: a label for each of the batch x length tokens. */
Tensor *language_loss(Language *lm, Tape *tape, const ForwardMode *mode,
                      const TokenRows *tokens, const VocabTarget *target);

/* Logits (with bands: ln p) [.., V] of features [.., D]; without gradients
 * where there are bands. */
Tensor *language_output(Language *lm, Tape *tape, Tensor *x);

/* [B, T, V] */
Tensor *language_logits(Language *lm, Tape *tape, const ForwardMode *mode,
                        const TokenRows *tokens);

/* Multiply-adds x 2 of one block of `length` tokens, forward: matrix products only. */
double language_flops(const Language *lm, size_t length);

/* Bytes of activations of a training step over `rows` blocks of `length`
 * tokens: an estimate. */
double language_memory(const Language *lm, size_t length, size_t rows, bool recompute);

#endif
