/* translator: an encoder and a decoder that looks at what the encoder made (fairseq's
 * transformer; Vaswani et al. 2017).
 *
 *     Translator *t = translator_new(&config, source_vocab, target_vocab, positions);
 *     translator_initialize(t, seed);
 *     model_start(&t->model, NULL);
 *     Tensor *loss = translator_loss(t, tape, &mode, &source, &input, &target);
 *
 * Names: encoder.embed.weight, encoder.blocks.N.*, encoder.norm, decoder.embed.weight,
 * decoder.blocks.N.* with cross.*, decoder.norm, decoder.head.weight (tied = none); tied
 * = all has one embed.weight.  Sequences are padded behind. */
#ifndef STEADY_TRANSLATOR_H
#define STEADY_TRANSLATOR_H

#include "models/embedding.h"
#include "models/stack.h"

typedef struct Translator {
    Model model;
    size_t source_vocab, target_vocab;
    Embedding source, target;
    Stack encoder, decoder;
    LinearLayer head; /* weight [V, D]; NULL: the decoder's table */
} Translator;

/* DeepNorm's numbers for N encoder and M decoder blocks (Wang et al. 2022): encoder
 * .81 (N^4 M)^(1/16) and .87 (N^4 M)^(-1/16), decoder (3 M)^(1/4) and (12 M)^(-1/4). */
typedef struct DeepNorm {
    double encoder_alpha, encoder_beta, decoder_alpha, decoder_beta;
} DeepNorm;
DeepNorm deepnorm_pair(size_t encoder, size_t decoder);

Status translator_check(const ModelConfig *config, size_t source_vocab,
                        size_t target_vocab, Err *err);
/* positions: rows of learned positions, on both sides. */
Translator *translator_new(const ModelConfig *config, size_t source_vocab,
                           size_t target_vocab, size_t positions);
void translator_free(Translator *t);
/* pad: the row of the tables that starts as zeros. */
void translator_initialize(Translator *t, uint64_t seed, size_t pad);

/* [B, S, D]: what the decoder looks at. */
Tensor *translator_encode(Translator *t, Tape *tape, const ForwardMode *mode,
                          const TokenRows *source);

/* [B, T, D].  caches (or NULL): [2 decoder depth] of models/stack.h; once they hold the
 * memory's keys, `memory` may be NULL. */
Tensor *translator_decode(Translator *t, Tape *tape, const ForwardMode *mode,
                          Tensor *memory, const size_t *memory_count,
                          const TokenRows *input, KeyCache *caches);

Tensor *translator_loss(Translator *t, Tape *tape, const ForwardMode *mode,
                        const TokenRows *source, const TokenRows *input,
                        const VocabTarget *target);

/* Logits [.., V] of the decoder's vectors [.., D]. */
Tensor *translator_output(Translator *t, Tape *tape, Tensor *x);

/* Multiply-adds x 2 of one pair of S source and T target tokens, forward:
 * matrix products only. */
double translator_flops(const Translator *t, double source, double target);

/* Bytes of activations of a training step over so many source and target
 * tokens: an estimate. */
double translator_memory(const Translator *t, double source, double target,
                         bool recompute);

#endif
