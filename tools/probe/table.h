/* table: rows of text in aligned columns: the first to the left, numbers to the right.
 *
 *     Table t = {0};
 *     table_heading(&t, "tensor|shape|norm");       several: lines of one heading
 *     table_add(&t, "%s", name);
 *     table_add_number(&t, 3, 0.5);                 "0.5"; NaN: "-"
 *     table_end_row(&t);
 *     table_print(&t, stdout);
 *     table_free(&t);
 *
 * A column without anything but "" and "-" is left out with its heading. */
#ifndef STEADY_TABLE_H
#define STEADY_TABLE_H

#include <stdio.h>

#include "engine/core/base.h"

typedef struct Table {
    char **cell; /* row by row, each row begins at start[row] */
    size_t cells, room;
    size_t *start, rows, row_room;
    size_t headings; /* the first so many rows */
    bool open;       /* a row that has not ended */
} Table;

void table_heading(Table *t, const char *cells); /* separated by | */
void table_add(Table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* With so many significant digits, and an exponent only far from 1. */
void table_add_number(Table *t, int digits, double x);
void table_end_row(Table *t);
void table_print(const Table *t, FILE *out);
void table_free(Table *t);

/* "0.0123", "12.3", "4.6e+05"; "-" for what is not finite. */
void table_number(char text[32], int digits, double x);

#endif
