/* grammar: built-in text for a language model: English sentences in which a verb agrees with a
 * noun that may stand far before it.
 *
 *     the dogs that the cat near the trees sees run .
 *
 *   S  -> NP(n) VP(n) .                        n: singular or plural
 *   NP -> the N(n) | the N(n) near NP | the N(n) that NP(m) T(m)
 *   VP -> I(n) | T(n) NP                       T: takes an object, I: takes none
 *
 * Whether a sentence is right can be told (grammar_accepts).  Splits share no sentence. */
#ifndef STEADY_GRAMMAR_H
#define STEADY_GRAMMAR_H

#include "data/dataset.h"
#include "data/textbuffer.h"

/* `count` sentences, a line each. */
void grammar_text(uint64_t seed, Split split, size_t count, TextBuffer *text);

/* Is the line (its words parted by single blanks) a sentence of the grammar? */
bool grammar_accepts(const char *line, size_t length);

#endif
