/* edge: what a panel says of points that it does not show as a curve: those outside its
 * axis, and lines of a single point (tools/chart/parts.h). */
#include <math.h>
#include <stdio.h>

#include "tools/chart/parts.h"

/* Points of a line that are above (or below) the axis. */
static size_t outside(const Item *item, const Axis *y, bool above) {
    size_t count = 0;
    for (size_t i = 0; i < item->count; i++) {
        double place = axis_place(y, item->y[i]);
        count += above ? place > 1.001 : place < -0.001;
    }
    return count;
}

/* A curve and its moving mean leave the axis together: the line with most counts. */
static void outside_text(const Panel *panel, const Axis *y, bool above,
                         char text[EDGE_TEXT]) {
    size_t most = 0;
    for (size_t i = 0; i < panel->count; i++)
        if (panel->items[i].kind == ITEM_LINE)
            most = MAX(most, outside(&panel->items[i], y, above));
    *text = 0;
    if (most)
        text_format(text, EDGE_TEXT, "%zu value%s %s the axis", most,
                    most == 1 ? "" : "s", above ? "above" : "below");
}

size_t item_points(const Item *item) {
    size_t count = 0;
    for (size_t i = 0; i < item->count; i++)
        count += isfinite(item->y[i]) && isfinite(item->x[i]);
    return count;
}

bool panel_is_sparse(const Panel *panel) {
    bool any = false;
    for (size_t i = 0; i < panel->count; i++) {
        if (panel->items[i].kind != ITEM_LINE || panel->items[i].style.width < 0)
            continue;
        size_t points = item_points(&panel->items[i]);
        if (points > 1) return false;
        any |= points == 1;
    }
    return any;
}

void panel_edge_texts(const Panel *panel, const Axis *y, char above[EDGE_TEXT],
                      char below[EDGE_TEXT]) {
    outside_text(panel, y, true, above);
    outside_text(panel, y, false, below);
}

static void draw_right(cairo_t *cr, Theme theme, const Box *box, double baseline,
                       const char *text) {
    if (!*text) return;
    double x = box->x + box->width - text_width(cr, text) - 2;
    draw_text_over(cr, theme, theme_soft(theme), x, baseline, text);
}

void draw_edges(cairo_t *cr, Theme theme, const Panel *panel, const Axis *y,
                const Box *box) {
    char above[EDGE_TEXT], below[EDGE_TEXT];
    panel_edge_texts(panel, y, above, below);
    set_font(cr, 7, false);
    draw_right(cr, theme, box, box->y + 8, above);
    draw_right(cr, theme, box, box->y + box->height - 4, below);
    if (panel->says_sparse && panel_is_sparse(panel))
        draw_right(cr, theme, box, box->y + (*above ? 18 : 8), "one point only");
}
