/* parts: what a chart is made of.  For the files of the chart module alone: chart.c
 * fills it, axis.c chooses limits and ticks, panel.c paints one panel, text.c words,
 * draw.c lays panels out, paper.c makes files of what is painted. */
#ifndef STEADY_CHART_PARTS_H
#define STEADY_CHART_PARTS_H

#include <cairo.h>

#include "tools/chart/chart.h"

#define TICKS_MAX 24

typedef enum {
    ITEM_LINE,
    ITEM_BAND,
    ITEM_BARS,
    ITEM_ZONE,
    ITEM_LEVEL,
    ITEM_NOTE,
    ITEM_MOMENT
} ItemKind;

typedef struct Item {
    ItemKind kind;
    /* [count]; zone: y[0], high[0]; level and note: [1]; moment: x[0] */
    double *x, *y, *high;
    size_t count;
    Style style;
    bool behind; /* no say in the y limits */
    char label[96];
} Item;

typedef struct Axis {
    double low, high;
    bool log, fixed, whole;  /* whole: ticks at whole numbers alone */
    double given[TICKS_MAX]; /* [given_count] ticks; 0: by the limits */
    size_t given_count;
    char label[96];
} Axis;

typedef struct HeatParts {
    HeatMap map; /* its pointers are owned copies */
    char **row_names, **column_names;
    char bar[96];
} HeatParts;

struct Panel {
    Item *items;
    size_t count, space;
    Axis x, y;
    HeatParts *heat;
    char empty[96], heading[96];
    bool hidden, says_sparse;
};

typedef struct ColumnTitle {
    char heading[256], detail[240];
} ColumnTitle;

struct Chart {
    size_t rows, columns;
    Theme theme;
    char title[200];
    ColumnTitle *column_title; /* [columns] */
    double *row_height;        /* [rows] points */
    bool *own_y;               /* [rows] */
    double panel_width;
    Panel *panels; /* [rows, columns] */
};

typedef struct Box {
    double x, y, width, height;
} Box;

/* How many ticks a length in points has room for. */
#define TICKS_WIDE(width) ((size_t)((width) / 44))
#define TICKS_HIGH(height) ((size_t)((height) / 19))

typedef struct Ticks {
    size_t count, minor_count;
    double at[TICKS_MAX];
    char text[TICKS_MAX][24];
    double minor[10 * TICKS_MAX];
} Ticks;

/* Limits of the axes with those that are shared made equal. */
void chart_axes(const Chart *chart, Axis *x, Axis *y); /* [rows * columns] each */
Ticks axis_ticks(const Axis *axis, size_t about);
/* 0..1 along the axis; NaN where a log axis has no place. */
double axis_place(const Axis *axis, double value);

/* Text.  align: 0 left, 0.5 middle, 1 right; the baseline is at y. */
void draw_text(cairo_t *cr, double x, double y, double align, const char *text);
void draw_text_upward(cairo_t *cr, double x, double y, const char *text);
double text_width(cairo_t *cr, const char *text);
void set_font(cairo_t *cr, double size, bool bold);
void set_colour(cairo_t *cr, Colour colour, double alpha);
/* Over what is there already, with a halo of paper; the left end of the baseline. */
void draw_text_over(cairo_t *cr, Theme theme, Colour colour, double x, double y,
                    const char *text);

/* Around a path: the width, colour and dashes of a style. */
void begin_stroke(cairo_t *cr, const Style *style);
void end_stroke(cairo_t *cr);
void draw_mark(cairo_t *cr, const Style *style, double x, double y);

Colour theme_paper(Theme theme);
Colour theme_grid(Theme theme);
Colour theme_soft(Theme theme); /* secondary text */
Colour theme_ink(Theme theme);

/* ---- edge.c ---- */

enum { EDGE_TEXT = 48 };

/* Points of a line that are finite. */
size_t item_points(const Item *item);
/* Has no line of the panel more than one point, and one has it? */
bool panel_is_sparse(const Panel *panel);
/* "12 values above the axis", or "": what the axis cuts off. */
void panel_edge_texts(const Panel *panel, const Axis *y, char above[EDGE_TEXT],
                      char below[EDGE_TEXT]);
/* These at the right side of the panel. */
void draw_edges(cairo_t *cr, Theme theme, const Panel *panel, const Axis *y,
                const Box *box);

void draw_panel(cairo_t *cr, const Chart *chart, const Panel *panel, const Axis *x,
                const Axis *y, Box box);
void draw_heat(cairo_t *cr, const Chart *chart, const Panel *panel, Box box);
void draw_colour_bar(cairo_t *cr, const Chart *chart, const HeatParts *heat, Box box);
/* The little picture of an item in a legend, around the middle (x..x+width, y). */
void draw_swatch(cairo_t *cr, const Item *item, double x, double y, double width);

/* ---- files (paper.c) ---- */

/* A sheet of so many points, and who paints it. */
typedef struct Paper {
    double width, height;
    void (*paint)(cairo_t *cr, const void *what);
    const void *what;
} Paper;

/* The ending of a path, ".png"; "": it has none. */
const char *paper_ending(const char *path);
/* The file, zero-terminated, for the caller to free; NULL: err says why. */
char *paper_render(const Paper *paper, const char *ending, size_t *size, Err *err);
/* Writes and frees it; NULL is what failed before, and gets the path in front. */
Status paper_save(char *data, size_t size, const char *path, const char *root, Err *err);

#endif
