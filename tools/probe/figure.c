#include "tools/probe/figure.h"

#include <math.h>
#include <string.h>

#include "tools/figure/parts.h"
#include "tools/probe/figure_parts.h"

enum { ROWS_MOST = 8 };

/* The rows that some column has something to paint in. */
static size_t choose_rows(Drawing d, const LayerKind *kinds, size_t columns,
                          const FigureRow **rows) {
    const FigureRow *row = d.count > 1 ? figure_step_rows : figure_depth_rows;
    size_t count = 0;
    for (; row->paint; row++) {
        bool any = false;
        for (size_t c = 0; c < columns; c++) {
            d.kind = kinds[c];
            any |= row->paint(&d);
        }
        if (any) rows[count++] = row;
    }
    CHECK(count <= ROWS_MOST, "%zu rows", count);
    return count;
}

/* Those that have attention; without any attention at all one column of weights. */
static size_t choose_columns(const Probed *p, LayerKind *kinds) {
    size_t count = 0;
    for (LayerKind k = 0; k < KIND_COUNT; k++) {
        bool any = false;
        for (size_t i = 0; i < p->sites; i++) any |= layer_kind(p->site[i].name) == k;
        if (any) kinds[count++] = k;
    }
    if (!count) kinds[count++] = KIND_PLAIN;
    return count;
}

static void draw_panel(Drawing *d, Chart *chart, const FigureRow *row, size_t r, size_t c,
                       bool last) {
    d->panel = chart_panel(chart, r, c);
    const char *x = d->count > 1 ? "optimizer step"
                                 : "block (× before and after the "
                                   "blocks)";
    panel_axes(d->panel, last ? x : "", c ? "" : row->label);
    if (d->count == 1) figure_depth_range(d);
    if (row->log) panel_log_y(d->panel);
    if (!row->paint(d)) panel_empty(d->panel, "none");
}

Chart *probe_figure(Probed *const *p, size_t count, const RunLog *run,
                    const char *title) {
    LayerKind kinds[KIND_COUNT];
    const FigureRow *rows[ROWS_MOST + 1];
    size_t columns = choose_columns(p[0], kinds);
    Drawing d = {.probed = p, .count = count};
    size_t height = choose_rows(d, kinds, columns, rows);
    Chart *chart = chart_new(MAX(height, (size_t)1), columns, THEME_LIGHT);
    chart_title(chart, title);
    chart_panel_width(chart, columns > 1 ? 230 : 380);
    d.chart = chart;
    for (size_t c = 0; c < columns; c++) {
        d.kind = kinds[c];
        if (columns > 1) chart_column_title(chart, c, layer_kinds[kinds[c]].label, "");
        for (size_t r = 0; r < height; r++) {
            draw_panel(&d, chart, rows[r], r, c, r + 1 == height);
            if (run && count > 1) figure_events(chart, d.panel, run, !r && !c);
        }
    }
    for (size_t r = 0; r < height; r++) chart_row_height(chart, r, 125);
    return chart;
}
