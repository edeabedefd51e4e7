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

enum { LINE_HEIGHT = 9, LINES_MOST = 16 };

/* Lines of words in a map, and where the last word of each ends. */
typedef struct Words {
    double end[LINES_MOST];
    size_t lines;
} Words;

static Words words_of(Box box) {
    double lines = fmin(fmax(box.height / LINE_HEIGHT, 1), LINES_MOST);
    Words words = {.lines = (size_t)lines};
    for (size_t i = 0; i < words.lines; i++) words.end[i] = box.x;
    return words;
}

/* The first line with room from x on; where there is none, the one with most. */
static size_t line_at(const Words *words, double x) {
    size_t best = 0;
    for (size_t i = 0; i < words->lines; i++) {
        if (words->end[i] <= x) return i;
        if (words->end[i] < words->end[best]) best = i;
    }
    return best;
}

/* A line across the map with its words beside it, for there is no legend. */
static void draw_heat_moment(cairo_t *cr, Theme theme, const HeatMap *map,
                             const Item *item, Words *words, Box box) {
    double first = map->x_edges[0], last = map->x_edges[map->columns];
    double x = box.x + box.width * (item->x[0] - first) / (last - first);
    if (!(x >= box.x - 0.5 && x <= box.x + box.width + 0.5)) return;
    begin_stroke(cr, &item->style);
    cairo_move_to(cr, x, box.y);
    cairo_line_to(cr, x, box.y + box.height);
    end_stroke(cr);
    draw_mark(cr, &item->style, x, box.y + 4);
    if (!*item->label) return;
    set_font(cr, 7, false);
    double width = text_width(cr, item->label), right = box.x + box.width - width - 2;
    double left = MAX(MIN(x + 5, right), box.x + 2);
    size_t line = line_at(words, left);
    words->end[line] = left + width + 4;
    draw_text_over(cr, theme, theme_ink(theme), left,
                   box.y + 8 + LINE_HEIGHT * (double)line, item->label);
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
    Words words = words_of(box);
    for (size_t i = 0; i < panel->count && map->x_edges; i++)
        if (panel->items[i].kind == ITEM_MOMENT)
            draw_heat_moment(cr, chart->theme, map, &panel->items[i], &words, box);
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
