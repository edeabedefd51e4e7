/* stray: what was given in the place of a recipe, and what to write instead: a run, the
 * user's data, the word of a kind of task.
 *
 *     if (stray_check("runs/first", &err)) ...     "... is a run, not a recipe; ..."
 */
#ifndef STEADY_STRAY_H
#define STEADY_STRAY_H

#include "engine/core/base.h"

/* FAIL_USAGE where `name` is a folder. */
Status stray_check(const char *name, Err *err);

/* For a file that could not be read as a recipe and does not end in .ini: it may be data.
 * Extends the text of *err. */
Status stray_file(const char *name, Err *err);

/* "; `steady recipes speech` lists those of that kind" where the word is in the heading
 * of a task or is a data.source; else "". */
void stray_hint(const char *word, char *text, size_t size);

#endif
