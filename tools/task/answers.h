/* answers: what a model says to some examples of a split, and where it is wrong -
 * RUN/answers.json, for reports, and a line or two of the training log.
 *
 *     {"step": 400, "split": "val",
 *      "texts": [{"title": "sample", "rows": [["text", "First Citizen: ..."]]}],
 *      "note": "The first 4 of 500 sentences.",                     which texts these are
 *      "confusion": {"classes": ["cat", "dog"], "counts": [[40, 2], [5, 33]]},
 *      "pictures": [{"item": 12, "label": "cat", "class": "dog", "share": 0.71,
 *                    "size": [1, 28, 28], "pixels": "00ff..."}],
 *      "mistakes": [...]}                                  the same, the surest first
 *
 * counts[i][j]: examples of class i that are taken for class j.  pixels: two hexadecimal
 * digits each, rows from the top, channels interleaved.  A task fills in the members that
 * it has, from the evaluation that was made anyway or by a few examples more; the file is
 * of the last evaluation.  Ranks but the first have no answers. */
#ifndef STEADY_ANSWERS_H
#define STEADY_ANSWERS_H

#include <jansson.h>

#include "engine/core/base.h"

enum { ANSWER_TEXT = 160, ANSWER_SIDE = 64, ANSWER_PICTURES = 12, ANSWER_CLASSES = 100 };

/* A text with its rows: a label and a value each, an even number of strings and NULL. */
void answers_add_text(json_t *answers, const char *title, ...) __attribute__((sentinel));

/* Which texts these are, a sentence or two: "The first 4 of 500 sentences." */
void answers_note(json_t *answers, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line of the log; taken out before the file is written. */
void answers_add_line(json_t *answers, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* counts: [classes, classes]; names: NULL: their numbers. */
void answers_add_confusion(json_t *answers, char *const *names, const double *counts,
                           size_t classes);

/* Cuts a text to ANSWER_TEXT bytes at most, between characters; line ends become
 * blanks. */
void answer_cut(const char *text, char out[ANSWER_TEXT + 4]);

#endif
