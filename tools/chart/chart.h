/* chart: panels in rows and columns, drawn by cairo as PNG (twice the resolution), SVG or
 * PDF.  It knows nothing of runs; tools/figure/figures.h turns runs into charts.
 *
 *     Chart *chart = chart_new(2, 1, THEME_LIGHT);
 *     Panel *panel = chart_panel(chart, 0, 0);
 *     panel_axes(panel, "", "training loss");
 *     panel_line(panel, step, loss, n, (Style){.colour = chart_palette(chart, 0)}, "baseline");
 *     if (chart_write(chart, "loss.png", NULL, &err)) ...
 *     chart_free(chart);
 *
 * Panels of one column share the x axis, and those of one row the y axis unless
 * chart_own_y() says otherwise.  A legend stands at the right of each row and lists every
 * label of the row once.  Points beyond the y axis are counted at its end ("3 values
 * above the axis").  NaN breaks a line; a log axis skips what is not positive.
 * Everything that is passed in is copied. */
#ifndef STEADY_CHART_H
#define STEADY_CHART_H

#include "engine/core/base.h"

typedef enum { THEME_LIGHT, THEME_DARK } Theme;
typedef enum { HUE_BLUE, HUE_ORANGE, HUE_GREEN, HUE_PURPLE, HUE_COUNT } Hue;
typedef enum {
    MARK_NONE,
    MARK_DOT,
    MARK_RING,
    MARK_CROSS,
    MARK_SQUARE,
    MARK_DIAMOND,
    MARK_TRIANGLE
} Mark;

typedef struct Colour {
    double r, g, b; /* 0..1, sRGB */
} Colour;

/* Of a dashed line. */
typedef enum { DASH_EVEN, DASH_LONG, DASH_DOTS, DASH_DOT, DASH_DOT_DOT, DASH_COUNT } Dash;

typedef struct Style {
    Colour colour;
    double width; /* points; 0: 1.4; negative: marks without a line */
    double alpha; /* 0: opaque */
    bool dashed;
    Dash dash;
    Mark mark;
} Style;

typedef struct Chart Chart;
typedef struct Panel Panel;

Chart *chart_new(size_t rows, size_t columns, Theme theme);
void chart_free(Chart *chart);

void chart_title(Chart *chart, const char *title);
/* Above a column: a heading, and a grey line below it (both may be ""). */
void chart_column_title(Chart *chart, size_t column, const char *heading,
                        const char *detail);
/* Size of a panel in points; width 0: from the number of columns. */
void chart_panel_width(Chart *chart, double width);
void chart_row_height(Chart *chart, size_t row, double height);
void chart_own_y(Chart *chart, size_t row);

Panel *chart_panel(Chart *chart, size_t row, size_t column);
void panel_axes(Panel *panel, const char *x_label, const char *y_label);
void panel_log_x(Panel *panel);
void panel_log_y(Panel *panel);
/* Ticks at whole numbers alone: x counts something. */
void panel_whole_x(Panel *panel);
/* Ticks at these places alone, ascending: values that were swept.  [count] */
void panel_ticks_x(Panel *panel, const double *at, size_t count);
/* Fixed limits; without them they come from the data with a little air.  Those of x are
 * the limits of the whole column, wider if the data of its other panels is. */
void panel_range_x(Panel *panel, double low, double high);
void panel_range_y(Panel *panel, double low, double high);

/* label "": not in the legend.  x, y: [count].  A line of one point is a dot. */
void panel_line(Panel *panel, const double *x, const double *y, size_t count, Style style,
                const char *label);
/* The same, but without a say in the limits of the y axis (a noisy curve behind
 * another). */
void panel_line_behind(Panel *panel, const double *x, const double *y, size_t count,
                       Style style, const char *label);
/* Filled between low and high: [count] each. */
void panel_band(Panel *panel, const double *x, const double *low, const double *high,
                size_t count, Style style, const char *label);
/* An upright bar with caps at each x: the interval of a mean.  NaN: none there. */
void panel_bars(Panel *panel, const double *x, const double *low, const double *high,
                size_t count, Style style, const char *label);
/* Filled over the whole width between two heights. */
void panel_zone(Panel *panel, double low, double high, Style style, const char *label);
/* Dashed line over the whole width; the legend says what it is. */
void panel_level(Panel *panel, double y, Colour colour, const char *text);
/* The same with dashes of its own, where several such lines are to be told apart. */
void panel_level_dash(Panel *panel, double y, Colour colour, Dash dash, const char *text);
/* A thin line over the whole height at x, behind what else there is, with its mark at the
 * top; outside the limits nothing. */
void panel_moment(Panel *panel, double x, Style style, const char *label);
/* A ring at a point, and a small text near it, where it covers no line. */
void panel_note(Panel *panel, double x, double y, Colour colour, const char *text);
/* A bold line above the panel, where the heading of its column does not say enough. */
void panel_heading(Panel *panel, const char *text);
/* Where no line has more than one point the panel says that. */
void panel_say_sparse(Panel *panel);
/* Nothing of the panel is drawn: rows need not be equally long, and a row of which all
 * are hidden takes no room. */
void panel_hide(Panel *panel);
/* Grey text in the middle of a panel that has nothing to show. */
void panel_empty(Panel *panel, const char *text);

typedef struct HeatMap {
    const double *value; /* [rows, columns], row 0 at the top; NaN: hatched */
    size_t rows, columns;
    double low, high; /* ends of the colour bar */
    const char *bar;  /* label of the colour bar */
    double bar_mark;  /* a line across the bar, e.g. where collapse begins; NaN: none */
    const char *const *row_names; /* [rows] */
    const char *const
        *column_names;     /* [columns], or NULL: numbers, then x_edges is used */
    const double *x_edges; /* [columns + 1] ascending */
    bool print_values;     /* as per cent, in the cells */
} HeatMap;

/* Makes the panel a heat map; of other items only moments are drawn in it, with their
 * labels, where it has x_edges. */
void panel_heat(Panel *panel, const HeatMap *heat);

/* Colours.  Palette: eight hues that colour-blind readers can tell apart (six of Okabe
 * and Ito, grey, violet; test_palette simulates their sight). */
Colour chart_palette(const Chart *chart, size_t i);
/* One hue for depth 0 (first layer) to 1 (last): the deeper, the lighter, as in
 * the paper's figures. */
Colour chart_ramp(const Chart *chart, Hue hue, double depth);
Colour chart_ink(const Chart *chart);
Colour chart_warning(const Chart *chart); /* of collapse zones and crosses */
/* 0..1 to a perceptually uniform map: lightness grows evenly, dark violet to yellow. */
Colour colour_map(double value);

/* Moving mean of a noisy curve over 1/25 of its points, at most (short curves stay as
 * they are); NaN is left out, and stays NaN.  The caller frees with mem_free. */
double *chart_smooth(const double *value, size_t count);

/* By the ending of the path: .png, .svg or .pdf.  Another ending is FAIL_USAGE, a path
 * that cannot be written FAIL_RUN; what was there stays then.  `root`: the run folder
 * that the figure belongs to, or NULL (data/file/openfile.h). */
Status chart_write(const Chart *chart, const char *path, const char *root, Err *err);
/* FAIL_USAGE for a name with another ending, before there is anything to draw. */
Status chart_check_name(const char *path, Err *err);
/* The same into memory: `ending` is ".png", ".svg" or ".pdf".  Zero-terminated; the
 * caller frees with mem_free. */
char *chart_render(const Chart *chart, const char *ending, size_t *size, Err *err);

#endif
