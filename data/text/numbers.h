/* numbers: built-in pairs of sentences, numbers in German and in English words.
 *
 *     345021   drei hundert fünf und vierzig tausend ein und zwanzig
 *              three hundred forty five thousand twenty one
 *
 * Units come before tens in one language and after them in the other, so a model has to
 * attend to the right word; there is one right answer.  Splits share no number. */
#ifndef STEADY_NUMBERS_H
#define STEADY_NUMBERS_H

#include "data/config.h"
#include "data/file/textbuffer.h"

enum { NUMBERS_END = 1000000 }; /* 0 ... 999999 */

void numbers_german(size_t number, TextBuffer *text);
void numbers_english(size_t number, TextBuffer *text);
/* one in ten is val's, one in ten test's; 0 is training's */
Split numbers_split(size_t number);

/* `count` numbers of one to six digits, a line each on both sides; never 0, whose word
 * no other number has. */
void numbers_text(uint64_t seed, Split split, size_t count, TextBuffer *source,
                  TextBuffer *target);

#endif
