/* nearest: the valid word that a mistyped one was probably meant to be.
 *
 *     nearest_distance("widht", "width")  ->  1
 *     nearest_word("senntence", names)    ->  "sentence" */
#ifndef STEADY_NEAREST_H
#define STEADY_NEAREST_H

#include <stddef.h>

/* Damerau-Levenshtein distance (optimal string alignment): how many letters to insert,
 * remove or change, or neighbours to swap.  Only the first 63 letters count. */
size_t nearest_distance(const char *a, const char *b);

/* The first of the nearest names; `names` ends with NULL.  NULL for an empty list. */
const char *nearest_word(const char *word, const char *const *names);

#endif
