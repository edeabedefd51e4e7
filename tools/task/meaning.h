/* meaning: what weights mean and their shapes do not show: heads, where norms are,
 * temperature, the pixels' mean, names of classes, the vocabulary.
 *
 *     TextBuffer own = {0};
 *     meaning_describe(task, 0, &own);                      "model.heads=4\nclass.0=cat\n..."
 *     meaning_check(of_the_file, own.text, path, "", &err);
 *
 * Checkpoints and exports keep it in their metadata, "meaning"; train.init and
 * --checkpoint FILE compare it where it is there: a file of another program is
 * judged by its shapes. */
#ifndef STEADY_MEANING_H
#define STEADY_MEANING_H

#include "data/file/textbuffer.h"
#include "tools/task/task.h"

/* Rows and columns of patches, "8x8": for transfer (tools/task/transfer.h), and not
 * compared, since shapes show what of it matters. */
#define MEANING_PATCHES "patches"

/* A line for each fact, added to text.  temperature: of attention by now; 0: the
 * recipe's. */
void meaning_describe(const Task *task, double temperature, TextBuffer *text);

/* A line for one fact: what a task's `describe` adds. */
void meaning_add(TextBuffer *text, const char *name, const char *value);
void meaning_add_number(TextBuffer *text, const char *name, double value);

/* FAIL_DATA where both have a fact and not the same: the first four are named, and
 * `advice` comes behind.  NULL: the file says nothing, which fits. */
Status meaning_check(const char *file, const char *own, const char *path,
                     const char *advice, Err *err);

/* The same of what a checkpoint says; `root` as checkpoint_fact has it. */
Status meaning_check_file(const Task *task, const char *path, const char *root,
                          const char *advice, Err *err);

#endif
