/* generation: decoders run token by token over key caches, for beam search and sampling.
 *
 *     Generation *g = generation_of_pairs(t, tape, &mode, &source);
 *     beam_search(...  (BeamModel){vocab, generation_step, g} ...);
 *     generation_free(g);
 *
 * What they give is what the whole sequence run at once gives, to rounding. */
#ifndef STEADY_GENERATION_H
#define STEADY_GENERATION_H

#include "models/language.h"
#include "models/translator.h"

typedef struct Generation Generation;

/* Encodes the sources; the first step has a row for each of them.  The tape is used
 * without gradients and begun anew by each step. */
Generation *generation_of_pairs(Translator *t, Tape *tape, const ForwardMode *mode,
                                const TokenRows *source);

/* One sequence of a language model, nothing read yet. */
Generation *generation_of_text(Language *lm, Tape *tape, const ForwardMode *mode);
void generation_free(Generation *g);

/* Row i continues with token[i] where row from[i] of the last step stood; log_prob
 * [rows, V].  The shape of BeamModel's step (models/beam.h). */
void generation_step(void *generation, size_t rows, const uint32_t *token,
                     const size_t *from, real *log_prob);

/* Reads `count` tokens; logits [V] of what follows the last.  Learned positions have an
 * end: where they are used up, FALSE, and nothing was read. */
bool generation_read(Generation *g, const uint32_t *ids, size_t count, real *logits);

#endif
