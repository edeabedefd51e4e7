/* text: UTF-8 as code points, and what messages show of texts from outside
 * (data/file/utf8.h has the rest). */
#ifndef STEADY_TEXT_H
#define STEADY_TEXT_H

#include "engine/core/base.h"

#define UTF8_BYTES 4 /* the longest code point */

/* Reads the code point at `text`; the bytes that it takes (1 ... 4), or 0 where none of
 * the `length` bytes begin one: a stray or missing continuation, an overlong form, a
 * surrogate, more than U+10FFFF, or length 0.  `code` is written only on success. */
size_t utf8_next(const char *text, size_t length, uint32_t *code);

/* Text for a message, NUL-terminated, of at most `size` bytes: control characters and
 * bytes that are no UTF-8 become \xNN, what does not fit "..." at the end of a whole code
 * point.  size >= 8. */
void utf8_show(const char *text, size_t length, char *out, size_t size);

#endif
