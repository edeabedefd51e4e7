#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/chart/parts.h"

#define EDGE 10.0 /* free space around all */
#define ROW_GAP 12.0
#define HEADING 13.0
#define COLUMN_GAP 20.0
#define TICK_GAP 4.0
#define SWATCH 15.0
#define LEGEND_STEP 12.5
#define BAR_WIDTH 9.0
#define FONT 8.0

enum { TITLE_MOST = 300, LINES_MOST = 4 };

/* Heights of what is above the panels. */
typedef struct Head {
    double title, heading, detail;
} Head;

typedef struct Layout {
    Head head;
    Box *box;       /* [rows * columns] the panels */
    Axis *x, *y;    /* [rows * columns] */
    double *gutter; /* [columns] width of tick texts left of the column */
    double right;   /* where legends and colour bars begin */
    double width, height;
} Layout;

static const Panel *panel_at(const Chart *chart, size_t row, size_t column) {
    return &chart->panels[row * chart->columns + column];
}

/* The first column of a row whose panel is drawn: it has the y axis's words. */
static size_t first_shown(const Chart *chart, size_t row) {
    size_t c = 0;
    while (c + 1 < chart->columns && panel_at(chart, row, c)->hidden) c++;
    return c;
}

static bool shows_y_ticks(const Chart *chart, size_t row, size_t column) {
    return column == first_shown(chart, row) || chart->own_y[row] ||
           panel_at(chart, row, column)->heat;
}

/* Under the last panel of a column; heat maps each have their own. */
static bool shows_x_ticks(const Chart *chart, size_t row, size_t column) {
    if (panel_at(chart, row, column)->heat) return true;
    for (size_t r = row + 1; r < chart->rows; r++)
        if (!panel_at(chart, r, column)->hidden) return false;
    return true;
}

static bool row_is_hidden(const Chart *chart, size_t row) {
    for (size_t c = 0; c < chart->columns; c++)
        if (!panel_at(chart, row, c)->hidden) return false;
    return true;
}

/* The first row that is drawn; 0 if none is. */
static size_t first_row(const Chart *chart) {
    size_t r = 0;
    while (r < chart->rows && row_is_hidden(chart, r)) r++;
    return r < chart->rows ? r : 0;
}

static bool row_has_heading(const Chart *chart, size_t row) {
    for (size_t c = 0; c < chart->columns; c++)
        if (*panel_at(chart, row, c)->heading) return true;
    return false;
}

static double tick_space(cairo_t *cr, const Chart *chart, const Layout *layout,
                         size_t row, size_t column) {
    const Panel *panel = panel_at(chart, row, column);
    if (panel->hidden || !shows_y_ticks(chart, row, column)) return 0;
    double widest = 0;
    if (panel->heat) {
        for (size_t i = 0; i < panel->heat->map.rows; i++)
            widest = MAX(widest, text_width(cr, panel->heat->row_names[i]));
        return widest + TICK_GAP;
    }
    Ticks ticks = axis_ticks(&layout->y[row * chart->columns + column],
                             TICKS_HIGH(chart->row_height[row]));
    for (size_t i = 0; i < ticks.count; i++)
        widest = MAX(widest, text_width(cr, ticks.text[i]));
    return widest + TICK_GAP;
}

/* The next item of a row with a label that no item before it has; false: no more. */
typedef struct LegendWalk {
    size_t column, item;
} LegendWalk;

static bool labelled(const Item *item) { return *item->label && item->kind != ITEM_NOTE; }

static bool seen_before(const Chart *chart, size_t row, LegendWalk walk) {
    const char *label = panel_at(chart, row, walk.column)->items[walk.item].label;
    for (size_t c = 0; c <= walk.column; c++) {
        const Panel *panel = panel_at(chart, row, c);
        size_t end = c == walk.column ? walk.item : panel->count;
        for (size_t i = 0; i < end; i++)
            if (labelled(&panel->items[i]) && !strcmp(panel->items[i].label, label))
                return true;
    }
    return false;
}

static const Item *legend_next(const Chart *chart, size_t row, LegendWalk *walk) {
    for (; walk->column < chart->columns; walk->column++, walk->item = 0) {
        const Panel *panel = panel_at(chart, row, walk->column);
        while (walk->item < panel->count) {
            const Item *item = &panel->items[walk->item];
            bool wanted = labelled(item) && !seen_before(chart, row, *walk);
            walk->item++;
            if (wanted) return item;
        }
    }
    return NULL;
}

static const HeatParts *row_heat(const Chart *chart, size_t row) {
    for (size_t c = 0; c < chart->columns; c++)
        if (panel_at(chart, row, c)->heat) return panel_at(chart, row, c)->heat;
    return NULL;
}

static double legend_width(cairo_t *cr, const Chart *chart, size_t row) {
    if (row_heat(chart, row)) return BAR_WIDTH + 44;
    double widest = 0;
    LegendWalk walk = {0};
    for (const Item *item; (item = legend_next(chart, row, &walk));)
        widest = MAX(widest, SWATCH + 5 + text_width(cr, item->label));
    return widest > 0 ? widest + 10 : 0;
}

/* From the top of a row to that of the next one: its panels or, if it is longer, its
 * legend. */
static double row_step(const Chart *chart, size_t row) {
    double legend = 0;
    LegendWalk walk = {0};
    while (!row_heat(chart, row) && legend_next(chart, row, &walk)) legend += LEGEND_STEP;
    return MAX(chart->row_height[row] + ROW_GAP, legend + ROW_GAP / 2);
}

/* ---- titles, in as many lines as they need ---- */

#define TITLE_STEP 14.0
#define HEADING_STEP 11.5
#define DETAIL_STEP 9.5

/* Bytes of the first line of a text: as many words as fit into `room`, broken behind a
 * space or a comma; a word that is too long has a line of its own. */
static size_t line_length(cairo_t *cr, const char *text, double room) {
    size_t fits = 0, length = strlen(text);
    char part[TITLE_MOST];
    for (size_t i = 1; i <= length && i < sizeof part; i++) {
        if (i < length && text[i - 1] != ' ' && text[i - 1] != ',') continue;
        snprintf(part, sizeof part, "%.*s", (int)i, text);
        if (fits && text_width(cr, part) > room) return fits;
        fits = i;
    }
    return fits;
}

/* From the baseline y on; returns how many lines there are.  y NaN: nothing is drawn. */
static size_t draw_lines(cairo_t *cr, double x, double y, double step, double room,
                         const char *text) {
    size_t lines = 0;
    while (*text && lines < LINES_MOST) {
        size_t length = line_length(cr, text, room);
        char part[TITLE_MOST];
        bool cut = lines + 1 == LINES_MOST && text[length];
        snprintf(part, sizeof part, "%.*s%s", (int)length, text, cut ? "…" : "");
        if (!isnan(y)) draw_text(cr, x, y + step * (double)lines, 0, part);
        text += length;
        lines++;
    }
    return lines;
}

static double column_room(const Chart *chart) {
    return chart->panel_width + (chart->columns > 1 ? COLUMN_GAP - 8 : 60);
}

static double title_room(const Chart *chart) {
    return (double)chart->columns * (chart->panel_width + COLUMN_GAP) + 40;
}

static Head head_of(cairo_t *cr, const Chart *chart) {
    Head head = {0, 0, 0};
    set_font(cr, 11, true);
    head.title =
        TITLE_STEP * (double)draw_lines(cr, 0, NAN, 0, title_room(chart), chart->title);
    if (head.title > 0) head.title += 6;
    for (size_t c = 0; c < chart->columns; c++) {
        const ColumnTitle *title = &chart->column_title[c];
        set_font(cr, 9, true);
        size_t lines = draw_lines(cr, 0, NAN, 0, column_room(chart), title->heading);
        head.heading = fmax(head.heading, HEADING_STEP * (double)lines);
        set_font(cr, 7.5, false);
        lines = draw_lines(cr, 0, NAN, 0, column_room(chart), title->detail);
        head.detail = fmax(head.detail, DETAIL_STEP * (double)lines);
    }
    return head;
}

static double head_height(const Head *head) {
    bool any = head->heading > 0 || head->detail > 0;
    return head->title + head->heading + head->detail + (any ? 5 : 0);
}

static bool row_has_label(const Chart *chart, size_t row) {
    for (size_t c = 0; c < chart->columns; c++)
        if (!panel_at(chart, row, c)->hidden && *panel_at(chart, row, c)->y.label)
            return true;
    return false;
}

static Layout layout_new(cairo_t *cr, const Chart *chart) {
    size_t rows = chart->rows, columns = chart->columns;
    Layout layout = {.head = head_of(cr, chart),
                     .box = mem_zalloc(rows * columns * sizeof(Box)),
                     .x = mem_zalloc(rows * columns * sizeof(Axis)),
                     .y = mem_zalloc(rows * columns * sizeof(Axis)),
                     .gutter = mem_zalloc(columns * sizeof(double))};
    chart_axes(chart, layout.x, layout.y);
    double above = head_height(&layout.head);
    set_font(cr, FONT, false);
    double left = EDGE, legend = 0;
    for (size_t r = 0; r < rows; r++) {
        if (row_has_label(chart, r)) left = EDGE + 14;
        legend = MAX(legend, legend_width(cr, chart, r));
    }
    for (size_t c = 0; c < columns; c++) {
        for (size_t r = 0; r < rows; r++)
            layout.gutter[c] =
                MAX(layout.gutter[c], tick_space(cr, chart, &layout, r, c));
        left += layout.gutter[c];
        for (size_t r = 0; r < rows && c; r++) /* the label of a row that begins here */
            if (!row_is_hidden(chart, r) && first_shown(chart, r) == c) {
                left += 14;
                break;
            }
        double top = EDGE + above;
        for (size_t r = 0; r < rows; r++) {
            if (row_is_hidden(chart, r)) continue;
            if (row_has_heading(chart, r)) top += HEADING;
            layout.box[r * columns + c] =
                (Box){left, top, chart->panel_width, chart->row_height[r]};
            top += row_step(chart, r);
            if (panel_at(chart, r, c)->heat && r + 1 < rows) top += 26;
        }
        layout.height = MAX(layout.height, top);
        left += chart->panel_width + COLUMN_GAP;
    }
    layout.right = left - COLUMN_GAP + 12;
    layout.width = layout.right + legend + (legend > 0 ? 0 : 4);
    layout.height += 24;
    return layout;
}

static void layout_free(Layout *layout) {
    mem_free(layout->box);
    mem_free(layout->x);
    mem_free(layout->y);
    mem_free(layout->gutter);
}

static void draw_heat_names(cairo_t *cr, const HeatParts *heat, Box box) {
    double height = box.height / (double)heat->map.rows;
    double width = box.width / (double)heat->map.columns;
    size_t stride = (size_t)ceil(10 / height);
    for (size_t r = 0; r < heat->map.rows; r += stride)
        draw_text(cr, box.x - TICK_GAP, box.y + height * ((double)r + 0.5) + 2.8, 1,
                  heat->row_names[r]);
    stride = (size_t)ceil(14 / width);
    for (size_t c = 0; heat->column_names && c < heat->map.columns; c += stride)
        draw_text(cr, box.x + width * ((double)c + 0.5), box.y + box.height + 11, 0.5,
                  heat->column_names[c]);
}

static void draw_x_texts(cairo_t *cr, const Axis *axis, Box box) {
    Ticks ticks = axis_ticks(axis, TICKS_WIDE(box.width));
    double free_from = box.x - 30;
    for (size_t i = 0; i < ticks.count; i++) {
        double x = box.x + box.width * axis_place(axis, ticks.at[i]);
        double half = text_width(cr, ticks.text[i]) / 2;
        if (x - half < free_from) continue; /* would touch its neighbour */
        draw_text(cr, x, box.y + box.height + 11, 0.5, ticks.text[i]);
        free_from = x + half + 4;
    }
}

static void draw_tick_texts(cairo_t *cr, const Chart *chart, const Layout *layout,
                            size_t row, size_t column) {
    size_t p = row * chart->columns + column;
    const Panel *panel = &chart->panels[p];
    Box box = layout->box[p];
    set_font(cr, FONT, false);
    set_colour(cr, theme_ink(chart->theme), 1);
    if (panel->heat) draw_heat_names(cr, panel->heat, box);
    if (shows_y_ticks(chart, row, column) && !panel->heat) {
        Ticks ticks = axis_ticks(&layout->y[p], TICKS_HIGH(box.height));
        for (size_t i = 0; i < ticks.count; i++)
            draw_text(cr, box.x - TICK_GAP,
                      box.y + box.height * (1 - axis_place(&layout->y[p], ticks.at[i])) +
                          2.8,
                      1, ticks.text[i]);
    }
    if (!shows_x_ticks(chart, row, column)) return;
    if (!panel->heat || panel->heat->map.x_edges) draw_x_texts(cr, &layout->x[p], box);
    set_font(cr, 8.5, false);
    draw_text(cr, box.x + box.width / 2, box.y + box.height + 24, 0.5, panel->x.label);
}

static void draw_y_label(cairo_t *cr, const Chart *chart, const Layout *layout,
                         size_t row) {
    size_t c = first_shown(chart, row);
    Box box = layout->box[row * chart->columns + c];
    const char *label = panel_at(chart, row, c)->y.label;
    double size = 8.5, room = box.height + ROW_GAP - 4; /* not into its neighbours' */
    for (set_font(cr, size, false); size > 5.5 && text_width(cr, label) > room;)
        set_font(cr, size -= 0.25, false);
    set_colour(cr, theme_ink(chart->theme), 1);
    if (!panel_at(chart, row, c)->hidden)
        draw_text_upward(cr, box.x - layout->gutter[c] - 6, box.y + box.height / 2,
                         label);
}

static void draw_legend(cairo_t *cr, const Chart *chart, const Layout *layout,
                        size_t row) {
    Box box = layout->box[row * chart->columns];
    const HeatParts *heat = row_heat(chart, row);
    if (heat) {
        draw_colour_bar(cr, chart, heat,
                        (Box){layout->right, box.y, BAR_WIDTH, box.height});
        return;
    }
    LegendWalk walk = {0};
    double y = box.y + 6;
    for (const Item *item; (item = legend_next(chart, row, &walk)); y += LEGEND_STEP) {
        draw_swatch(cr, item, layout->right, y, SWATCH);
        set_font(cr, FONT, false);
        set_colour(cr, theme_ink(chart->theme), 1);
        draw_text(cr, layout->right + SWATCH + 5, y + 2.8, 0, item->label);
    }
}

/* At most as wide as its column: in smaller letters if it must be. */
static void draw_fitted(cairo_t *cr, const Chart *chart, double size, bool bold, double x,
                        double y, const char *text) {
    double room = chart->columns > 1 ? chart->panel_width + COLUMN_GAP - 6 : INFINITY;
    set_font(cr, size, bold);
    for (; size > 5 && text_width(cr, text) > room; size -= 0.25)
        set_font(cr, size, bold);
    draw_text(cr, x, y, 0, text);
}

static void draw_heading(cairo_t *cr, const Chart *chart, const Panel *panel, Box box) {
    set_colour(cr, theme_ink(chart->theme), 1);
    draw_fitted(cr, chart, 8.5, true, box.x, box.y - 6, panel->heading);
}

static void draw_titles(cairo_t *cr, const Chart *chart, const Layout *layout) {
    const Head *head = &layout->head;
    const Box *box = layout->box + first_row(chart) * chart->columns;
    double y = EDGE + head->title + 9;
    set_colour(cr, theme_ink(chart->theme), 1);
    set_font(cr, 11, true);
    draw_lines(cr, box[0].x, EDGE + 10, TITLE_STEP, title_room(chart), chart->title);
    for (size_t c = 0; c < chart->columns; c++) {
        const ColumnTitle *title = &chart->column_title[c];
        double x = box[c].x, room = column_room(chart);
        set_colour(cr, theme_ink(chart->theme), 1);
        set_font(cr, 9, true);
        draw_lines(cr, x, y, HEADING_STEP, room, title->heading);
        set_colour(cr, theme_soft(chart->theme), 1);
        set_font(cr, 7.5, false);
        draw_lines(cr, x, y + head->heading, DETAIL_STEP, room, title->detail);
    }
}

static void draw_chart(cairo_t *cr, const Chart *chart, const Layout *layout) {
    set_colour(cr, theme_paper(chart->theme), 1);
    cairo_paint(cr);
    for (size_t r = 0; r < chart->rows; r++) {
        if (row_is_hidden(chart, r)) continue;
        for (size_t c = 0; c < chart->columns; c++) {
            size_t p = r * chart->columns + c;
            const Panel *panel = &chart->panels[p];
            if (panel->hidden) continue;
            draw_heading(cr, chart, panel, layout->box[p]);
            if (panel->heat) draw_heat(cr, chart, panel, layout->box[p]);
            else
                draw_panel(cr, chart, panel, &layout->x[p], &layout->y[p],
                           layout->box[p]);
            draw_tick_texts(cr, chart, layout, r, c);
        }
        draw_y_label(cr, chart, layout, r);
        draw_legend(cr, chart, layout, r);
    }
    draw_titles(cr, chart, layout);
}

static Layout measure(const Chart *chart) {
    cairo_surface_t *scratch = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cr = cairo_create(scratch);
    Layout layout = layout_new(cr, chart);
    cairo_destroy(cr);
    cairo_surface_destroy(scratch);
    return layout;
}

typedef struct Drawing {
    const Chart *chart;
    const Layout *layout;
} Drawing;

static void draw_all(cairo_t *cr, const void *what) {
    const Drawing *drawing = what;
    draw_chart(cr, drawing->chart, drawing->layout);
}

char *chart_render(const Chart *chart, const char *ending, size_t *size, Err *err) {
    Layout layout = measure(chart);
    Drawing drawing = {chart, &layout};
    Paper paper = {layout.width, layout.height, draw_all, &drawing};
    char *data = paper_render(&paper, ending, size, err);
    layout_free(&layout);
    return data;
}

Status chart_write(const Chart *chart, const char *path, const char *root, Err *err) {
    Err own = ERR_NONE;
    if (!err) err = &own;
    size_t size = 0;
    char *data = chart_render(chart, paper_ending(path), &size, err);
    return paper_save(data, size, path, root, err);
}
