/* report_parts: the sections of a run's report, each of which writes nothing where the
 * run has nothing for it.  For the files of the report alone. */
#ifndef STEADY_REPORT_PARTS_H
#define STEADY_REPORT_PARTS_H

#include "tools/figure/page.h"
#include "tools/run/runlog.h"

/* ---- report_facts.c: where it comes from ---- */

void report_sessions(FILE *out, const RunLog *run);
void report_data(FILE *out, const RunLog *run);
void report_events(FILE *out, const RunLog *run);

/* ---- report_numbers.c ---- */

void report_numbers(FILE *out, const RunLog *run);
void report_scores(FILE *out, const RunLog *run);
void report_heads(FILE *out, const RunLog *run);

/* "<tr><th scope=row>WHAT<td class=n>VALUE</tr>"; nothing for NaN. */
void report_fact(FILE *out, const char *what, const char *format, double value);
void report_fact_text(FILE *out, const char *what, const char *text);

/* ---- report_recipe.c ---- */

void report_recipe(FILE *out, const RunLog *run);

/* ---- report_answers.c: what the model says to examples ---- */

void report_answers(FILE *out, const RunLog *run);

#endif
