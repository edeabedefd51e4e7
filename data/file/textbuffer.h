/* textbuffer: text that grows.
 *
 *     TextBuffer line = {0};
 *     text_append(&line, "He", 2);
 *     text_append_code(&line, 0xE9);
 *     puts(line.text);
 *     text_free(&line);
 *
 * `text` ends with a NUL that `length` does not count (the text may hold others), and is
 * NULL before the first call.  Emptied with text_clear it keeps its memory. */
#ifndef STEADY_TEXTBUFFER_H
#define STEADY_TEXTBUFFER_H

#include "engine/core/base.h"

typedef struct TextBuffer {
    char *text;
    size_t length;
    size_t capacity;
} TextBuffer;

/* `bytes` must not lie in the buffer itself. */
void text_append(TextBuffer *buffer, const char *bytes, size_t length);
void text_append_format(TextBuffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_append_byte(TextBuffer *buffer, char byte);
void text_append_code(TextBuffer *buffer, uint32_t code); /* as UTF-8; see utf8_put */
/* As UTF-8 whatever it is: backslashes and bytes that are no UTF-8 as \xNN. */
void text_append_escaped(TextBuffer *buffer, const char *text);
void text_unescape(char *text);      /* the other way round, in place */
void text_clear(TextBuffer *buffer); /* "", also where text was NULL */
void text_free(TextBuffer *buffer);  /* back to {0} */

#endif
