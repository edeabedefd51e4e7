/* textmarks: what a file of text is when it is no UTF-8, and what is odd in one that is.
 *
 *     const char *kind = textmarks_kind(bytes, size);     "UTF-16, not UTF-8; ...", or NULL
 *     textmarks_note(&file, &set->facts);                 carriage returns, marks inside ... */
#ifndef STEADY_TEXTMARKS_H
#define STEADY_TEXTMARKS_H

#include "data/facts.h"
#include "data/file/textfile.h"

/* What a file that is no UTF-8 is instead, by its first bytes, and what to do; NULL: not known. */
const char *textmarks_kind(const char *bytes, size_t size);

/* Notes, each with a count and the first line: lines that end in \r\n, a \r elsewhere, byte order
 * marks inside the text, replacement characters, line ends of other kinds. */
void textmarks_note(const TextFile *file, DataFacts *facts);

#endif
