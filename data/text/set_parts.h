/* set_parts: what opening texts (data/text/set.c), their items (items.c), pairs of lines
 * (pairs.c) and what is said of both (notes.c, overlap.c) share. */
#ifndef STEADY_TEXT_SET_PARTS_H
#define STEADY_TEXT_SET_PARTS_H

#include "data/text/set.h"

/* Appends line i's tokens; FAIL_DATA with file and line. */
Status textset_encode(TextSet *set, const Texts *t, size_t side, const TextFile *file,
                      size_t i, IdList *ids, Err *err);

/* ---- pairs ---- */

/* Takes files[1] over. */
Status pairs_fill(TextSet *set, const Texts *t, TextFile files[2], Err *err);
/* Keeps `limit` pairs, the value of `key`, drawn over all of them, in their order. */
void pairs_limit(TextSet *set, const char *key, size_t limit);
/* A validation split of round(fraction n) pairs, drawn over all of them;
 * both keep their order. */
TextSet *pairs_cut(TextSet *train, double fraction);

/* ---- what is said ---- */

/* Counts, hash and the share of <unk>, once the split is what it will be. */
void textnotes_finish(const Texts *t, TextSet *set, Split split);
/* The hash continued over pair i: ids of both sides and the target as in
 * the file. */
uint64_t textnotes_hash_pair(uint64_t hash, const TextSet *set, size_t i);
/* Notes of val and test on what of them is in the training text, too. */
void textnotes_overlap(Texts *t);

#endif
