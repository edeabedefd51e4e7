/* tok13a: the tokenizer "13a" of mteval-v13a and sacreBLEU, for scores that
 * others can compare.
 *
 *     TextBuffer words = {0};
 *     tok13a("It costs 1,000.50!", 18, &words);      "It costs 1,000.50 !"
 *     text_free(&words);
 *
 * In order: "<skipped>" goes, "-\n" joins, newlines become spaces, &quot; &amp; &lt;
 * &gt; become their characters, a space is put at both ends; then, each from left to
 * right without overlap,
 *     punctuation but ' , - .      is set apart
 *     . or , after no digit        is set apart, and so is . or , before no digit
 *     - after a digit              is set apart
 * and tokens are separated by white space.
 *
 * Not for: what a model reads. */
#ifndef STEADY_TOK13A_H
#define STEADY_TOK13A_H

#include "data/file/textbuffer.h"

/* Sets `tokens` to the tokens of the line with one space between each two.  Bytes that
 * are no UTF-8 go through as they are. */
void tok13a(const char *line, size_t length, TextBuffer *tokens);

#endif
