/* grammar: a built-in text for language models: sentences of a small
 * probabilistic grammar.
 *
 *     the dogs that every grey cat sees sleep .
 *     ( a bird that chases many mice sings ) while the foxes hide .
 *
 * A verb agrees with its noun across relative clauses, and brackets match: a model that
 * only counts neighbours gets both wrong.  Each sentence has one derivation, so the
 * entropy is known: no model's loss can be below grammar_entropy in the long run, and a
 * good one comes near.
 *
 *     clause    -> NP(n) VP(n)  |  ( clause ) link clause
 *     NP(n)     -> article(n) [adjective] noun(n) [that VP(n)  |  that NP(m) transitive(m)]
 * VP(n)     -> intransitive(n)  |  transitive(n) NP(m)            n, m: one or
 * many */
#ifndef STEADY_GRAMMAR_H
#define STEADY_GRAMMAR_H

#include "data/config.h"
#include "data/file/textbuffer.h"

/* Appends `count` lines, a sentence each; line i is a function of (seed, split, i).
 * Splits are independent draws, so that short sentences can be in several. */
void grammar_text(uint64_t seed, Split split, size_t count, TextBuffer *text);

/* Whether the line (without \n; words with one or more blanks between) is a sentence of
 * it. */
bool grammar_accepts(const char *line);

/* Mean entropy of a sentence in nats; *tokens (may be NULL): its mean number of words and
 * </s>.  Their ratio is the least mean loss a token of a word model. */
double grammar_entropy(double *tokens);

#endif
