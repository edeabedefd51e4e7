/* bpe: byte pair encoding of words, as subword-nmt 0.3 learns and applies it (Sennrich et
 * al.  2016), files of its version 0.2.
 *
 *     Bpe *bpe = bpe_learn(&words, 8000);
 *     bpe_split(bpe, "unhappy", 7, &pieces);      "un@@ happy"
 *     bpe_free(bpe);
 *
 * U+0020 alone separates words: a tab, a no-break space, U+3000 are letters like any
 * other.  A word is its code points, the last with </w> behind it.  Learning merges
 * the pair that is most frequent (of equals the largest, as strings) until there are
 * enough merges or none is there twice.  Splitting makes the merges in the order in
 * which they were learned. */
#ifndef STEADY_BPE_H
#define STEADY_BPE_H

#include <stdio.h>

#include "data/file/stringmap.h"

typedef struct Bpe Bpe;

/* words: each with its count. */
Bpe *bpe_learn(const StringMap *words, size_t merges);

/* Of a pair that comes twice the first counts (learning never makes one).  FAIL_DATA with
 * file and line: no header, a line that is not a pair, a symbol with \r, which ends lines
 * (bpe_write could not keep it, nor is it in any word).  `root`: of
 * data/file/openfile.h. */
Bpe *bpe_load(const char *path, const char *root, Err *err);
/* Whether it could be written is for the caller to see (ferror, fclose). */
void bpe_write(const Bpe *bpe, FILE *file);
void bpe_free(Bpe *bpe);

size_t bpe_merge_count(const Bpe *bpe);
bool bpe_same(const Bpe *a, const Bpe *b); /* the same merges in the same order */
/* Continues `hash` (facts_hash) by the merges: the same number where bpe_same holds. */
uint64_t bpe_hash(const Bpe *bpe, uint64_t hash);

/* The next word of a line, as utf8_word finds it, but as subword-nmt has words: what is
 * between U+0020 (and \r and \n, where Python ends a line).  False: no more words. */
bool bpe_word(const char *line, size_t length, size_t *at, size_t *word);

/* Appends the word's pieces, separated by blanks, all but the last ending in @@. */
void bpe_split(const Bpe *bpe, const char *word, size_t length, TextBuffer *pieces);

#endif
