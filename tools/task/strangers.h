/* strangers: what of an input the vocabulary lacks, said on stderr: the first at once
 * with its place, and at the end how many there were.
 *
 *     Strangers strangers = strangers_of(tokenizer);
 *     strangers_see(&strangers, "standard input", 3, line, length);
 *     strangers_end(&strangers); */
#ifndef STEADY_STRANGERS_H
#define STEADY_STRANGERS_H

#include "data/text/tokenizer.h"

enum { STRANGERS_NAMED = 5 };

typedef struct Strangers {
    const Tokenizer *tokenizer;
    size_t count;      /* all that were seen */
    StringMap tokens;  /* the first few of them, each once */
    const char *where; /* of the present line */
    size_t line;       /* 0: it has no number */
} Strangers;

Strangers strangers_of(const Tokenizer *tokenizer);
/* Returns how many of the line's tokens are unknown. */
size_t strangers_see(Strangers *s, const char *where, size_t line, const char *text,
                     size_t length);
void strangers_end(Strangers *s); /* frees it */

#endif
