/* sheet: a table of texts whose columns are aligned.  For tools/sweep alone.
 *
 *     Sheet sheet = sheet_new(2, 2);
 *     sheet.left[0] = true;
 *     sheet_put(&sheet, 0, 0, "recipe"), sheet_put(&sheet, 0, 1, "score"), ...
 *     sheet_print(&sheet, stdout);
 *     sheet_free(&sheet); */
#ifndef STEADY_SHEET_H
#define STEADY_SHEET_H

#include <stdio.h>

#include "engine/core/base.h"

typedef struct Sheet {
    size_t rows, columns; /* row 0: titles */
    char **text;          /* [rows, columns] */
    bool *left;           /* [columns] aligned to the left */
    size_t next;          /* where sheet_add puts the next text */
} Sheet;

Sheet sheet_new(size_t rows, size_t columns);
/* Once for each place.  The text is copied. */
void sheet_put(Sheet *sheet, size_t row, size_t column, const char *text);
/* The same from left to right and from top to bottom. */
void sheet_add(Sheet *sheet, const char *text);
void sheet_print(const Sheet *sheet, FILE *out);     /* "" is shown as "-" */
void sheet_print_csv(const Sheet *sheet, FILE *out); /* RFC 4180 */
void sheet_free(Sheet *sheet);

#endif
