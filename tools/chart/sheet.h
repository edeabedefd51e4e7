/* sheet: a contact sheet, pictures in rows and columns.
 *
 *     Image images[2 * 3] = ...;
 *     Sheet sheet = {.rows = 2, .columns = 3, .image = images, .column_names = names};
 *     sheet_write(&sheet, "sheet.png", &err);
 *
 * Not for: curves (tools/chart/chart.h). */
#ifndef STEADY_SHEET_H
#define STEADY_SHEET_H

#include "data/picture/image.h"
#include "tools/chart/chart.h"

typedef struct Sheet {
    const char *title, *detail; /* above all, the second in grey; NULL or "": none */
    size_t rows, columns;
    const Image *image;              /* [rows, columns]; pixels NULL: an empty place */
    const char *const *row_names;    /* [rows] at the left; NULL: none */
    const char *const *column_names; /* [columns] above; NULL: none */
    Theme theme;
} Sheet;

/* Pictures of one or two channels are grey, of three and more RGB; each fills its place
 * as far as its shape lets it, enlarged as squares.  By the ending of the path, as
 * chart_write. */
Status sheet_write(const Sheet *sheet, const char *path, Err *err);

#endif
