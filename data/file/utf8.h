/* utf8: text as code points, checked strictly; and lower case without a locale.
 *
 *     for (size_t at = 0, used; at < length; at += used) {
 *         uint32_t code;
 *         used = utf8_next(text + at, length - at, &code);
 *         if (!used) return fail_at(at);
 *         ...
 *     }
 *
 * utf8_next and utf8_show are in engine/core/text.h, for messages show what files hold.
 *
 * NUL is a code point like any other: lengths count, not a terminator.  Nothing here is
 * composed or decomposed: e + U+0301 stays apart from U+00E9. */
#ifndef STEADY_UTF8_H
#define STEADY_UTF8_H

#include "engine/core/text.h"

/* Whether all of the text is well-formed; if not, *bad (may be NULL) is where the first
 * code point that is not begins. */
bool utf8_valid(const char *text, size_t length, size_t *bad);

/* Writes `code` to `out` and returns its bytes.  A surrogate or a code above U+10FFFF
 * is a caller's bug. */
size_t utf8_put(uint32_t code, char out[UTF8_BYTES]);

/* The lower-case form of one code point, of any script, as Python's str.lower() does;
 * codes without one come back as they are.  Not done, because it is not one code to one
 * code: U+0130 (i with dot, left alone) and the final form of a Greek sigma. */
uint32_t utf8_lower(uint32_t code);

/* Whether `code` is white space: those at which Python's str.split() splits. */
bool utf8_is_space(uint32_t code);

/* The next word of a text, as str.split() has them: from *at on, `word` bytes long after
 * the call, which moves *at behind it.  Bytes that are no UTF-8 are part of words.
 * False: no more words.
 *
 *     for (size_t at = 0, length; utf8_word(text, n, &at, &length);)
 *         use(text + at - length, length); */
bool utf8_word(const char *text, size_t length, size_t *at, size_t *word);

#endif
