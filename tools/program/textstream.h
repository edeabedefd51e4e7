/* textstream: text that is written through a FILE into memory.
 *
 *     TextStream s;
 *     if (textstream_open(&s, &err)) return err.status;
 *     fprintf(s.file, ...);
 *     if (textstream_close(&s, &err)) return err.status;      s.text, s.size
 *     free(s.text);
 *
 * FAIL_RUN where memory ends; then there is nothing to free. */
#ifndef STEADY_TEXTSTREAM_H
#define STEADY_TEXTSTREAM_H

#include <stdio.h>

#include "engine/core/base.h"

typedef struct TextStream {
    FILE *file;
    char *text; /* NUL-terminated, after textstream_close; freed by free() */
    size_t size;
} TextStream;

Status textstream_open(TextStream *stream, Err *err);
Status textstream_close(TextStream *stream, Err *err);

#endif
