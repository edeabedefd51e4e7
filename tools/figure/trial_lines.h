/* trial_lines: what a figure of trials draws of a run, row by row: a table of rows, each
 * with a function that reads its lines.  For the files of figures alone. */
#ifndef STEADY_TRIAL_LINES_H
#define STEADY_TRIAL_LINES_H

#include "tools/figure/layers.h"

typedef struct LineSource {
    const RunLog *run;
    const LayerChoice *choice;
    Metric metric;
    const char *split; /* of its evaluations */
    bool epochs;       /* x are epochs, not steps */
} LineSource;

typedef struct Line {
    double *x, *y; /* [count] owned, all finite */
    size_t count;
    const char *name; /* of the site or weight; NULL: it is of the whole run */
    bool several;     /* the row has more than this one */
    double shade;
    bool named; /* in the legend */
} Line;

/* The n-th line of a row; false: there is none. */
typedef bool ReadLine(const LineSource *source, size_t n, Line *line);

/* Why a run has no line, in a few words; what is said is of constant text. */
typedef const char *SayWhy(const LineSource *source);

typedef enum { Y_PLAIN, Y_ZERO, Y_LOG, Y_LOSS, Y_SCORE } YAxis; /* zero: from there on */

typedef struct TrialRow {
    const char *name, *label; /* label NULL: of the metric */
    ReadLine *read;
    SayWhy *why;
    YAxis axis;
    double height;
} TrialRow;

/* NULL: there is none. */
const TrialRow *trial_row_find(const char *name);

#endif
