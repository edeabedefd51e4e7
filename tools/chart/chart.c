#include "tools/chart/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/core/grow.h"
#include "tools/chart/parts.h"

static double *copy(const double *from, size_t count) {
    if (!from) return NULL;
    double *to = mem_alloc(count * sizeof *to);
    if (count) memcpy(to, from, count * sizeof *to);
    return to;
}

static char **copy_names(const char *const *names, size_t count) {
    if (!names) return NULL;
    char **list = mem_alloc(count * sizeof *list);
    for (size_t i = 0; i < count; i++) list[i] = mem_strdup(names[i]);
    return list;
}

Chart *chart_new(size_t rows, size_t columns, Theme theme) {
    CHECK(rows && columns, "a chart of %zu rows and %zu columns", rows, columns);
    Chart *chart = mem_zalloc(sizeof *chart);
    chart->rows = rows;
    chart->columns = columns;
    chart->theme = theme;
    chart->panels = mem_zalloc(rows * columns * sizeof *chart->panels);
    chart->column_title = mem_zalloc(columns * sizeof *chart->column_title);
    chart->row_height = mem_zalloc(rows * sizeof *chart->row_height);
    chart->own_y = mem_zalloc(rows * sizeof *chart->own_y);
    for (size_t r = 0; r < rows; r++) chart->row_height[r] = 120;
    chart_panel_width(chart, 0);
    return chart;
}

static void heat_free(HeatParts *heat) {
    if (!heat) return;
    for (size_t i = 0; i < heat->map.rows; i++) mem_free(heat->row_names[i]);
    for (size_t i = 0; heat->column_names && i < heat->map.columns; i++)
        mem_free(heat->column_names[i]);
    mem_free(heat->row_names);
    mem_free(heat->column_names);
    mem_free((void *)heat->map.value);
    mem_free((void *)heat->map.x_edges);
    mem_free(heat);
}

void chart_free(Chart *chart) {
    if (!chart) return;
    for (size_t p = 0; p < chart->rows * chart->columns; p++) {
        Panel *panel = &chart->panels[p];
        for (size_t i = 0; i < panel->count; i++) {
            mem_free(panel->items[i].x);
            mem_free(panel->items[i].y);
            mem_free(panel->items[i].high);
        }
        mem_free(panel->items);
        heat_free(panel->heat);
    }
    mem_free(chart->panels);
    mem_free(chart->column_title);
    mem_free(chart->row_height);
    mem_free(chart->own_y);
    mem_free(chart);
}

void chart_title(Chart *chart, const char *title) {
    snprintf(chart->title, sizeof chart->title, "%s", title);
}

void chart_column_title(Chart *chart, size_t column, const char *heading,
                        const char *detail) {
    CHECK(column < chart->columns, "column %zu of %zu", column, chart->columns);
    ColumnTitle *title = &chart->column_title[column];
    snprintf(title->heading, sizeof title->heading, "%s", heading);
    snprintf(title->detail, sizeof title->detail, "%s", detail);
}

void chart_panel_width(Chart *chart, double width) {
    static const double usual[] = {380, 270, 220, 190};
    size_t last = COUNT(usual) - 1;
    chart->panel_width = width > 0 ? width : usual[MIN(chart->columns - 1, last)];
}

void chart_row_height(Chart *chart, size_t row, double height) {
    CHECK(row < chart->rows, "row %zu of %zu", row, chart->rows);
    chart->row_height[row] = height;
}

void chart_own_y(Chart *chart, size_t row) {
    CHECK(row < chart->rows, "row %zu of %zu", row, chart->rows);
    chart->own_y[row] = true;
}

Panel *chart_panel(Chart *chart, size_t row, size_t column) {
    CHECK(row < chart->rows && column < chart->columns, "panel %zu,%zu of %zu,%zu", row,
          column, chart->rows, chart->columns);
    return &chart->panels[row * chart->columns + column];
}

void panel_axes(Panel *panel, const char *x_label, const char *y_label) {
    snprintf(panel->x.label, sizeof panel->x.label, "%s", x_label);
    snprintf(panel->y.label, sizeof panel->y.label, "%s", y_label);
}

void panel_log_x(Panel *panel) { panel->x.log = true; }

void panel_whole_x(Panel *panel) { panel->x.whole = true; }

void panel_ticks_x(Panel *panel, const double *at, size_t count) {
    if (count > TICKS_MAX) return; /* too many to be read: those by the limits */
    memcpy(panel->x.given, at, count * sizeof *at);
    panel->x.given_count = count;
}

void panel_log_y(Panel *panel) { panel->y.log = true; }

static void fix(Axis *axis, double low, double high) {
    CHECK(low < high, "an axis from %g to %g", low, high);
    axis->low = low;
    axis->high = high;
    axis->fixed = true;
}

void panel_range_x(Panel *panel, double low, double high) { fix(&panel->x, low, high); }

void panel_range_y(Panel *panel, double low, double high) { fix(&panel->y, low, high); }

static Item *add(Panel *panel, ItemKind kind, size_t count, Style style,
                 const char *label) {
    GROW(panel->items, panel->count, panel->space, 1);
    Item *item = &panel->items[panel->count++];
    *item = (Item){.kind = kind, .count = count, .style = style};
    if (item->style.width == 0) item->style.width = 1.4;
    if (item->style.alpha == 0) item->style.alpha = 1;
    snprintf(item->label, sizeof item->label, "%s", label);
    return item;
}

void panel_line(Panel *panel, const double *x, const double *y, size_t count, Style style,
                const char *label) {
    Item *item = add(panel, ITEM_LINE, count, style, label);
    item->x = copy(x, count);
    item->y = copy(y, count);
}

void panel_line_behind(Panel *panel, const double *x, const double *y, size_t count,
                       Style style, const char *label) {
    panel_line(panel, x, y, count, style, label);
    panel->items[panel->count - 1].behind = true;
}

void panel_band(Panel *panel, const double *x, const double *low, const double *high,
                size_t count, Style style, const char *label) {
    Item *item = add(panel, ITEM_BAND, count, style, label);
    item->x = copy(x, count);
    item->y = copy(low, count);
    item->high = copy(high, count);
}

void panel_bars(Panel *panel, const double *x, const double *low, const double *high,
                size_t count, Style style, const char *label) {
    panel_band(panel, x, low, high, count, style, label);
    panel->items[panel->count - 1].kind = ITEM_BARS;
}

void panel_zone(Panel *panel, double low, double high, Style style, const char *label) {
    Item *item = add(panel, ITEM_ZONE, 1, style, label);
    item->y = copy(&low, 1);
    item->high = copy(&high, 1);
}

void panel_level(Panel *panel, double y, Colour colour, const char *text) {
    panel_level_dash(panel, y, colour, DASH_EVEN, text);
}

void panel_level_dash(Panel *panel, double y, Colour colour, Dash dash,
                      const char *text) {
    Style style = {.colour = colour, .width = 0.9, .dashed = true, .dash = dash};
    Item *item = add(panel, ITEM_LEVEL, 1, style, text);
    item->y = copy(&y, 1);
}

void panel_moment(Panel *panel, double x, Style style, const char *label) {
    if (style.width == 0) style.width = 0.8;
    Item *item = add(panel, ITEM_MOMENT, 1, style, label);
    item->x = copy(&x, 1);
}

void panel_note(Panel *panel, double x, double y, Colour colour, const char *text) {
    Item *item = add(panel, ITEM_NOTE, 1, (Style){.colour = colour}, text);
    item->x = copy(&x, 1);
    item->y = copy(&y, 1);
}

void panel_heading(Panel *panel, const char *text) {
    snprintf(panel->heading, sizeof panel->heading, "%s", text);
}

void panel_say_sparse(Panel *panel) { panel->says_sparse = true; }

void panel_hide(Panel *panel) { panel->hidden = true; }

void panel_empty(Panel *panel, const char *text) {
    snprintf(panel->empty, sizeof panel->empty, "%s", text);
}

void panel_heat(Panel *panel, const HeatMap *heat) {
    CHECK(!panel->heat && heat->rows && heat->columns && heat->low < heat->high,
          "a heat map of %zu x %zu from %g to %g", heat->rows, heat->columns, heat->low,
          heat->high);
    HeatParts *parts = mem_zalloc(sizeof *parts);
    parts->map = *heat;
    parts->map.value = copy(heat->value, heat->rows * heat->columns);
    parts->map.x_edges = copy(heat->x_edges, heat->columns + 1);
    parts->row_names = copy_names(heat->row_names, heat->rows);
    parts->column_names = copy_names(heat->column_names, heat->columns);
    snprintf(parts->bar, sizeof parts->bar, "%s", heat->bar);
    panel->heat = parts;
}

static double finite_or_0(double value) { return isfinite(value) ? value : 0; }

/* A window of values that moves forward.  Its sum is only added to, never subtracted
 * from: a huge value that has left it would leave its rounding error for ever. */
typedef struct Window {
    const double *value;
    size_t from, middle, to; /* from <= middle <= to */
    double *older;           /* [i] of from..middle: the sum of i..middle */
    double newer;            /* the sum of middle..to */
    size_t seen;             /* finite values of from..to */
} Window;

/* from and to never decrease; from < to. */
static void window_move(Window *window, size_t from, size_t to) {
    const double *value = window->value;
    for (; window->to < to; window->to++) {
        window->seen += isfinite(value[window->to]) != 0;
        window->newer += finite_or_0(value[window->to]);
    }
    for (; window->from < from; window->from++)
        window->seen -= isfinite(value[window->from]) != 0;
    if (from < window->middle) return;
    double sum = 0;
    for (size_t i = to; i-- > from;) window->older[i] = sum += finite_or_0(value[i]);
    window->middle = to;
    window->newer = 0;
}

/* At the start the window shrinks evenly, so that a steep descent is not bent. */
double *chart_smooth(const double *value, size_t count) {
    size_t half = count / 50;
    double *mean = mem_alloc(count * sizeof *mean);
    Window window = {.value = value, .older = mem_alloc(count * sizeof(double))};
    for (size_t i = 0; i < count; i++) {
        size_t reach = MIN(half, MAX(i, half / 8));
        window_move(&window, i > reach ? i - reach : 0, MIN(i + reach + 1, count));
        double sum = window.older[window.from] + window.newer;
        mean[i] = isfinite(value[i]) ? sum / (double)window.seen : NAN;
    }
    mem_free(window.older);
    return mean;
}
