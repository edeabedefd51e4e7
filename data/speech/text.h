/* text: transcripts as labels of CTC, and back.
 *
 *     if (speech_clean(line, length, &text, &err)) return err.status;       "Don't  GO" -> "don't go"
 *     speech_encode(text.text, labels);                  with a word boundary on each side
 *     speech_read_path(best, frames, &text);             what a sequence of best labels says
 *
 * " " is 0 (the word boundary), "'" is 1, a ... z are 2 ... 27, the blank of CTC is
 * 28. */
#ifndef STEADY_SPEECH_TEXT_H
#define STEADY_SPEECH_TEXT_H

#include "data/file/textbuffer.h"

enum {
    SPEECH_BOUNDARY = 0,
    SPEECH_APOSTROPHE = 1,
    SPEECH_A = 2,
    SPEECH_BLANK = 28,
    SPEECH_LABELS = 29
};

/* Sets `clean` to the text in lower case with one blank between words, none at its ends.
 * FAIL_DATA: a character without a label, named. */
Status speech_clean(const char *text, size_t length, TextBuffer *clean, Err *err);

/* Labels of a clean text, which are strlen + 2. */
size_t speech_encode(const char *clean, uint32_t *labels);

/* Rows that CTC needs: one a label, and one more between two equal ones. */
size_t speech_rows_needed(const uint32_t *labels, size_t count);

/* Greedy decoding's last step: repeats become one, blanks go, boundaries at the ends
 * go. */
void speech_read_path(const uint32_t *best, size_t count, TextBuffer *text);

#endif
