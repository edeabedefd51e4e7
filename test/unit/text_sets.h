/* text_sets: sets of texts for tests: files in a folder, a configuration,
 * what must be there. */
#ifndef TEST_TEXT_SETS_H
#define TEST_TEXT_SETS_H

#include <stddef.h>

#include "data/text/set.h"

void texts_put(const char *root, const char *name, const char *text);

DataConfig texts_config(const char *root, bool pairs, TokenKind kind);

void texts_put_pairs(const char *root, const char *source, const char *target);

void texts_must_open(Texts *texts, const DataConfig *config);

void texts_refuse(const DataConfig *config, const char *part);

void texts_expect_text(const Texts *t, size_t side, const uint32_t *ids, size_t count,
                       const char *expected);

void texts_expect_pair(const Texts *t, Split split, size_t i, const char *source,
                       const char *target);

/* One note, and no other, has each of the two parts. */
void texts_expect_note(const TextSet *set, size_t count, const char *part,
                       const char *more);

void texts_expect_no_notes(const TextSet *set);

#endif
