/* nearest: the valid word that a mistyped one was probably meant to be, or none.
 *
 *     nearest_distance("widht", "width")  ->  1
 *     nearest_word("senntence", names)    ->  "sentence"
 *     nearest_word("frobnicate", names)   ->  NULL
 *
 * Capitals count as small letters, and - as _. */
#ifndef STEADY_NEAREST_H
#define STEADY_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* Damerau-Levenshtein distance (optimal string alignment): how many letters to insert,
 * remove or change, or neighbours to swap.  Only the first 63 letters count. */
size_t nearest_distance(const char *a, const char *b);

/* Are they one word, capitals and _ aside? */
bool nearest_same(const char *a, const char *b);

/* So many slips still leave `word` near to a name: a third of its letters, 1 to 4. */
size_t nearest_slips(const char *word);

/* The distance of a name that is near; 2 of one that `word` (three letters at least) is
 * the beginning of; SIZE_MAX of all others. */
size_t nearest_reach(const char *word, const char *name);

/* The first of the nearest names; `names` ends with NULL.  NULL: none is near. */
const char *nearest_word(const char *word, const char *const *names);

/* "; did you mean NAME?", for the end of a message; "" where it is NULL. */
enum { NEAREST_HINT = 160 };
const char *nearest_hint(const char *nearest, char hint[NEAREST_HINT]);

#endif
