/* column: what tables and CSV of a sweep have of a cell.  For tools/sweep alone. */
#ifndef STEADY_SWEEP_COLUMN_H
#define STEADY_SWEEP_COLUMN_H

#include "tools/sweep/sheet.h"
#include "tools/sweep/sweep.h"

enum { COLUMN_TEXT = 200, COLUMNS_MOST = 32 + METRIC_COUNT, SCORE_DIGITS = 2 };

/* Text of one cell of the table; "" is shown as "-". */
typedef void CellText(const SweepCell *cell, char text[COLUMN_TEXT]);

/* A column is a text, or a number of the result. */
typedef struct Column {
    const char *title; /* of a metric: its key */
    CellText *text;    /* NULL: a number */
    size_t offset;     /* of the number in SweepCell */
    double factor;     /* tables; CSV has the number itself */
    int digits;
    bool left, optional; /* optional: left out where it is empty */
    bool fails;          /* shown where there is a criterion */
    bool scores;         /* of a metric; in column.c: one for each that asks for one */
    Metric metric;
} Column;

/* Into all[COLUMNS_MOST]; how many.  Of a table those that have something to say. */
size_t columns_of_table(const Sweep *sweep, Column *all);
size_t columns_of_csv(Column *all);

/* Names of the numbers that a criterion can ask for, into names[COLUMNS_MOST +
 * METRIC_COUNT]: those of the CSV, and scores by their keys; how many. */
size_t column_names(const char **names);
/* Where the number of that name is in a SweepCell; SIZE_MAX: there is none. */
size_t column_offset(const char *name);
/* From that number to the one that people read: 100 of a share, 1; 0: it is that of the
 * run's metric, or there is no such name. */
double column_factor(const char *name);

void column_title(const Column *column, char text[COLUMN_TEXT]);
/* As people read it: "cer %". */
void column_score_title(Metric metric, char text[COLUMN_TEXT]);
void column_cell(const Column *column, const SweepCell *cell, char text[COLUMN_TEXT]);
void column_csv(const Column *column, const SweepCell *cell, char text[COLUMN_TEXT]);
void column_number(double x, double factor, int digits, char text[COLUMN_TEXT]);

/* A key that has a column of its own. */
typedef struct SweepKey {
    size_t axis, key;
} SweepKey;

/* Keys of the swept axes, or of all, but for the axis `left_out`; the recipe where there
 * is none.  Freed with mem_free. */
SweepKey *sweep_keys(const Sweep *sweep, size_t left_out, bool all, size_t *count);
/* Their names into row 0, their values of a cell into another row. */
void sweep_put_keys(Sheet *sheet, const Sweep *sweep, const SweepKey *keys, size_t count,
                    size_t row, size_t cell);

/* The table over seeds (seeds.c), a part of sweep_print. */
void sweep_print_seeds(const Sweep *sweep, size_t seeds, FILE *out);

/* Where there is a criterion: failures by method, and what it says (failures.c). */
void sweep_print_failures(const Sweep *sweep, FILE *out);
void sweep_print_criterion(const Sweep *sweep, FILE *out);

/* The result that says what kind of score there is: of the first cell that says it best
 * (sweep_scored_as). */
const SweepResult *sweep_scored(const Sweep *sweep);

#endif
