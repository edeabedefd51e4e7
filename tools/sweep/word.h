/* word: a word of a sweep's grid, taken apart.  For tools/sweep alone.
 *
 *     Word word;
 *     if (!word_read(&word, "base,S2:{a.b,c.d}={1,2;3,4}", &err)) ...
 *     word_free(&word);          recipes base, S2; keys a.b, c.d; values "1,2" and "3,4"
 *
 * What a word says alone is checked here, what words say together in grid.c. */
#ifndef STEADY_SWEEP_WORD_H
#define STEADY_SWEEP_WORD_H

#include "engine/core/base.h"

typedef struct Texts {
    char **text;
    size_t count, room;
} Texts;

void texts_free(Texts *list);

/* Without the blanks around it, in place. */
char *text_trim(char *text);

/* Is the key, without the blanks around it, among those of a list "key, key"?  "" never
 * is. */
bool keys_have(const char *list, const char *key);

/* "demo,demo-sigma:{key,key}={value,value;value,value}", taken apart */
typedef struct Word {
    const char *text; /* as given */
    char *copy, *value;
    Texts recipes, keys; /* recipes: none: for all */
    Texts values;
} Word;

/* `text` has a "=" and stays with the caller.  FAIL_USAGE: an unknown key, a key given
 * twice, an empty value, braces that do not match.  After a failure, too: word_free. */
Status word_read(Word *word, const char *text, Err *err);
void word_free(Word *word);

/* One of its values, cut into one part for each key. */
Status word_parts(const Word *word, const char *value, Texts *parts, Err *err);

#endif
