/* textmarks: what is odd in a text, though it is UTF-8.
 *
 *     textmarks_note(&file, &set->facts);              carriage returns, marks inside ...
 */
#ifndef STEADY_TEXTMARKS_H
#define STEADY_TEXTMARKS_H

#include "data/facts.h"
#include "data/file/textfile.h"

/* Notes, each with a count and the first line: lines that end in \r\n, a \r elsewhere,
 * byte order marks inside the text, replacement characters, line ends of other kinds. */
void textmarks_note(const TextFile *file, DataFacts *facts);

#endif
