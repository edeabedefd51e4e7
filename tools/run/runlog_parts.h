/* runlog_parts: what the files of runlog share. */
#ifndef STEADY_RUNLOG_PARTS_H
#define STEADY_RUNLOG_PARTS_H

#include "tools/run/runlog.h"

#define CELLS_LEAST ((size_t)64 << 20) /* numbers that any log may take: 512 MB */

/* One row of a run into the arrays, which have room for `space` rows. */
typedef void RowReader(RunLog *run, const json_t *row, double step, size_t space);

/* ---- runlog_brief.c ---- */

enum { BRIEF_WHOLE = 1 << 20, BRIEF_SAMPLES = 1000 };

/* A log of up to BRIEF_WHOLE bytes as it is; of a longer one (`cut`) its first rows, its
 * last rows, and rows at `samples` places between, spread evenly.  For mem_free. */
char *runlog_brief(const char *path, const char *root, size_t samples, size_t *size,
                   bool *cut, Err *err);

/* ---- runlog_value.c ---- */

double *runlog_nans(size_t count);

/* NaN for what is no number, or larger than any that a run logs; 0 for what is
 * smaller. */
double runlog_number_in(const json_t *value);
double runlog_number(const json_t *row, const char *key);
const char *runlog_text(const json_t *row, const char *key); /* NULL: no text */

/* ---- runlog_recipe.c ---- */

/* run->settings of a recipe's text; lines that are no settings are passed over. */
void runlog_read_settings(RunLog *run, const char *text);

/* ---- runlog_probe.c ---- */

RowReader runlog_read_probe;
void runlog_sort_sharpness(RunLog *run); /* when all rows are read */
void runlog_free_probe(RunLog *run);

#endif
