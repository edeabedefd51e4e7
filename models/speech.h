/* speech: an encoder of speech to letters: connectionist temporal classification
 * over log-mel rows.
 *
 *     Speech *speech = speech_new(&config, 80, SPEECH_LABELS);
 *     speech_initialize(speech, seed);
 *     model_start(&speech->model, NULL);
 *     SpeechRows rows = {x, frames, .before = frames_before_same(longest, 7, 3)};
 *     Tensor *logits = speech_logits(speech, tape, &mode, &rows);    [B, ceil(T / 3), labels]
 *
 * The model of the paper's Appendix E: masked normalisation -> convolution of 7 rows, 3
 * apart, to 2 D channels -> GLU -> dropout -> positions -> blocks without biases ->
 * norm (pre) -> linear.
 *
 * Names: input_norm.{weight,bias} [1], conv.weight [2 D, filters, 7], conv.bias [2 D],
 * pos_embed [context, D] (learned positions), blocks.N.*, blocks.N.attn.shift [1], norm,
 * head.{weight,bias}. */
#ifndef STEADY_SPEECH_H
#define STEADY_SPEECH_H

#include "models/stack.h"

enum { SPEECH_KERNEL = 7, SPEECH_STRIDE = 3 };

typedef struct Speech {
    Model model;
    size_t filters, labels;
    Param *norm_scale, *norm_shift;
    LinearLayer conv; /* reparametrised with model.reparam_front alone */
    Param *position;  /* NULL: none that is learned */
    Stack stack;
    LinearLayer head;
} Speech;

/* model.dropout acts in three places: behind the front end, on attention's probabilities
 * and on the MLP's hidden units; not behind the branches. */
Status speech_check(const ModelConfig *config, size_t filters, size_t labels, Err *err);
Speech *speech_new(const ModelConfig *config, size_t filters, size_t labels);
void speech_free(Speech *speech);

/* Blocks as block_initialize says; convolution and head uniform within
 * sqrt(3/fan_in), their biases within 1/sqrt(fan_in); both, where they are under sigma or
 * spectral, as the blocks' matrices. */
void speech_initialize(Speech *speech, uint64_t seed);

/* A batch of utterances; all is borrowed until the backward pass is over. */
typedef struct SpeechRows {
    Tensor *x;            /* [B, T, filters] zeros behind each utterance's end */
    const size_t *frames; /* [B] each <= T */
    size_t before; /* zero rows in front: frames_before_same of the padded length */
    const size_t *each_before; /* [B] or NULL: of each utterance's own length */
} SpeechRows;

/* Rows of logits that an utterance of so many frames has. */
static inline size_t speech_rows(size_t frames) { return frames / SPEECH_STRIDE; }

/* [B, ceil(T / 3), labels]; those of utterance b behind
 * speech_rows(frames[b]) mean nothing. */
Tensor *speech_logits(Speech *speech, Tape *tape, const ForwardMode *mode,
                      const SpeechRows *rows);

/* Multiply-adds x 2 of the forward pass over one utterance: matrix products only. */
double speech_flops(const Speech *speech, size_t frames);

/* Bytes of activations of a training step over `count` utterances of
 * `frames`: an estimate. */
double speech_memory(const Speech *speech, double frames, double count, bool recompute);

#endif
