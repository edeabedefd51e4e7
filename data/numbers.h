/* numbers: a built-in set for translation: numbers in German and in English words.
 *
 *     345      drei hundert fünf und vierzig      three hundred forty five
 *
 * German compounds are parted into the words that they are made of, so that some 40 words a
 * side are all there is to know; what has to be learned is that ones and tens change places, that
 * "und" has no counterpart, and that "ein" and "eins" are both "one".  Each number has exactly
 * one right answer.
 *
 *     numbers_text(seed, SPLIT_TRAIN, 10000, &source, &target); */
#ifndef STEADY_NUMBERS_H
#define STEADY_NUMBERS_H

#include "data/dataset.h"
#include "data/textbuffer.h"

#define NUMBERS_END 1000000

/* Appends `count` lines to each side, of 1 to 6 digits equally often; line i is a function of (seed,
 * split, i).  A number belongs to one split alone (four in five to training), whatever the seed;
 * within a split it may come again. */
void numbers_text(uint64_t seed, Split split, size_t count, TextBuffer *source,
                  TextBuffer *target);

Split numbers_split(size_t n);

/* Append 0 <= n < NUMBERS_END in words. */
void numbers_german(size_t n, TextBuffer *words);
void numbers_english(size_t n, TextBuffer *words);

#endif
