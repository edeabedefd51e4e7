/* sampling: a text that a language model continues, token by token.
 *
 *     Sampling s;
 *     sampling_begin(&s, task, tape, &mode);
 *     if (!sampling_read(&s, "Once", "the prompt", &err))
 *         for (size_t i = 0; i < tokens; i++) sampling_next(&s, temperature, top_k, dice, i);
 *     tokenizer_decode(s.tokenizer, s.ids.ids, s.ids.count, &text);
 *     sampling_end(&s); */
#ifndef STEADY_SAMPLING_H
#define STEADY_SAMPLING_H

#include "engine/core/rng.h"
#include "models/generation.h"
#include "tools/task/language/language.h"

typedef struct Sampling {
    Language *lm;
    const Tokenizer *tokenizer;
    Tape *tape;
    ForwardMode mode;
    Generation *generation;
    IdList ids; /* all tokens so far */
    real *logits;
} Sampling;

void sampling_begin(Sampling *s, Task *task, Tape *tape, const ForwardMode *mode);

/* The prompt's tokens (NULL or "": what a line begins behind), once.  `where` names it in
 * errors: FAIL_USAGE, FAIL_DATA as tokenizer_encode has it. */
Status sampling_read(Sampling *s, const char *prompt, const char *where, Err *err);

/* One token more; `number` is its place in the stream of `dice`. */
void sampling_next(Sampling *s, double temperature, size_t top_k, Rng dice,
                   size_t number);

void sampling_end(Sampling *s);

#endif
