/* Heat maps and their colour bars. */
#include <cairo.h>
#include <math.h>
#include <stdio.h>

#include "tools/chart/parts.h"

/* Left edge of column c of a heat map (c = columns: the right end). */
static double heat_edge(const HeatMap *map, const Box *box, size_t c) {
    double share = (double)c / (double)map->columns;
    if (map->x_edges) {
        double first = map->x_edges[0], last = map->x_edges[map->columns];
        share = (map->x_edges[c] - first) / (last - first);
    }
    return box->x + box->width * share;
}

static void draw_cell(cairo_t *cr, Theme theme, const HeatMap *map, double value,
                      Box cell) {
    bool known = isfinite(value);
    double share = (value - map->low) / (map->high - map->low);
    set_colour(cr, known ? colour_map(share) : theme_grid(theme), 1);
    /* No antialiasing: it would leave seams between the cells. */
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_NONE);
    cairo_rectangle(cr, cell.x, cell.y, cell.width, cell.height);
    cairo_fill(cr);
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_DEFAULT);
    if (!map->print_values || !known) return;
    char text[24];
    snprintf(text, sizeof text, "%.0f", 100 * value);
    set_colour(cr, share > 0.55 ? (Colour){0.1, 0.1, 0.1} : (Colour){1, 1, 1}, 1);
    draw_text(cr, cell.x + cell.width / 2, cell.y + cell.height / 2 + 2.6, 0.5, text);
}

/* A line across the map with its words beside it, for there is no legend. */
static void draw_heat_moment(cairo_t *cr, Theme theme, const HeatMap *map,
                             const Item *item, size_t line, Box box) {
    double first = map->x_edges[0], last = map->x_edges[map->columns];
    double x = box.x + box.width * (item->x[0] - first) / (last - first);
    if (!(x >= box.x - 0.5 && x <= box.x + box.width + 0.5)) return;
    begin_stroke(cr, &item->style);
    cairo_move_to(cr, x, box.y);
    cairo_line_to(cr, x, box.y + box.height);
    end_stroke(cr);
    if (!*item->label) return;
    set_font(cr, 7, false);
    double width = text_width(cr, item->label), right = box.x + box.width - width - 2;
    draw_text_over(cr, theme, item->style.colour, MAX(MIN(x + 3, right), box.x + 2),
                   box.y + 8 + 9 * (double)line, item->label);
}

void draw_heat(cairo_t *cr, const Chart *chart, const Panel *panel, Box box) {
    const HeatMap *map = &panel->heat->map;
    set_font(cr, 7.5, false);
    double height = box.height / (double)map->rows;
    for (size_t r = 0; r < map->rows; r++)
        for (size_t c = 0; c < map->columns; c++) {
            double left = heat_edge(map, &box, c), right = heat_edge(map, &box, c + 1);
            Box cell = {left, box.y + height * (double)r, right - left, height};
            draw_cell(cr, chart->theme, map, map->value[r * map->columns + c], cell);
        }
    size_t lines = (size_t)MAX(box.height / 9, 1);
    for (size_t i = 0, line = 0; i < panel->count && map->x_edges; i++)
        if (panel->items[i].kind == ITEM_MOMENT)
            draw_heat_moment(cr, chart->theme, map, &panel->items[i], line++ % lines,
                             box);
}

void draw_colour_bar(cairo_t *cr, const Chart *chart, const HeatParts *heat, Box box) {
    const HeatMap *map = &heat->map;
    enum { STRIPES = 128 };
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_NONE);
    for (int i = 0; i < STRIPES; i++) {
        set_colour(cr, colour_map(i / (STRIPES - 1.0)), 1);
        cairo_rectangle(cr, box.x, box.y + box.height * (1 - (i + 1) / (double)STRIPES),
                        box.width, box.height / STRIPES + 0.5);
        cairo_fill(cr);
    }
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_DEFAULT);
    Axis axis = {.low = map->low, .high = map->high};
    Ticks ticks = axis_ticks(&axis, 5);
    set_font(cr, 7.5, false);
    double widest = 0;
    for (size_t i = 0; i < ticks.count; i++) {
        double y = box.y + box.height * (1 - axis_place(&axis, ticks.at[i]));
        set_colour(cr, theme_ink(chart->theme), 1);
        draw_text(cr, box.x + box.width + 4, y + 2.7, 0, ticks.text[i]);
        widest = MAX(widest, text_width(cr, ticks.text[i]));
    }
    if (isfinite(map->bar_mark)) {
        double y = box.y + box.height * (1 - axis_place(&axis, map->bar_mark));
        set_colour(cr, chart_warning(chart), 1);
        cairo_set_line_width(cr, 1.5);
        cairo_move_to(cr, box.x - 2, y);
        cairo_line_to(cr, box.x + box.width + 2, y);
        cairo_stroke(cr);
    }
    set_font(cr, 8.5, false);
    set_colour(cr, theme_ink(chart->theme), 1);
    draw_text_upward(cr, box.x + box.width + widest + 16, box.y + box.height / 2,
                     heat->bar);
}
