/* wer: word and character errors of transcripts, summed over a split.
 *
 *     Wer wer = {0};
 *     wer_add(&wer, "one two", "one too three");
 *     100 * wer_rate(&wer.words)          100: one substitution, one insertion, of two words
 *
 * A rate is (substitutions + insertions + deletions) / units of the reference, over the
 * whole split.  Words are separated by blanks; characters are code points, blanks
 * between words counting as one each, leading and trailing ones not at all. */
#ifndef STEADY_WER_H
#define STEADY_WER_H

#include "data/file/textbuffer.h"

typedef struct EditCount {
    size_t reference; /* words or characters of the references */
    size_t substitutions, insertions, deletions;
} EditCount;

typedef struct Wer {
    EditCount words, characters;
    size_t sentences, wrong; /* wrong: with an error in a word */
} Wer;

/* The fewest edits that make the hypothesis of the reference (Levenshtein); among equals,
 * those with the most substitutions. */
void wer_add(Wer *wer, const char *reference, const char *hypothesis);
void wer_merge(Wer *to, const Wer *from); /* of another part of the split */

size_t wer_edits(const EditCount *count);
/* NAN where the references are empty. */
double wer_rate(const EditCount *count);

/* Appends two sentences one below the other, words in columns, three lines; errors are in
 * capitals, a word that the other side lacks faces asterisks:
 *     REF: one TWO *****
 *     HYP: one TOO THREE
 *              S   I
 * The words are as they are but for capitals of ASCII letters. */
void wer_align(const char *reference, const char *hypothesis, TextBuffer *text);

#endif
