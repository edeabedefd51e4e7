/* text: words on a chart (tools/chart/parts.h). */
#include <math.h>
#include <string.h>

#include "data/file/utf8.h"
#include "tools/chart/parts.h"

void set_colour(cairo_t *cr, Colour colour, double alpha) {
    cairo_set_source_rgba(cr, colour.r, colour.g, colour.b, alpha);
}

/* Texts are as wide on every surface and at every scale as where they were measured. */
void set_font(cairo_t *cr, double size, bool bold) {
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(cr, options);
    cairo_font_options_destroy(options);
    cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, size);
}

enum { TEXT_SHOWN = 400 };

/* Names of runs need not be UTF-8, and cairo then draws nothing at all any more. */
static const char *shown(const char *text, char room[TEXT_SHOWN]) {
    size_t bad;
    if (utf8_valid(text, strlen(text), &bad)) return text;
    utf8_show(text, strlen(text), room, TEXT_SHOWN);
    return room;
}

double text_width(cairo_t *cr, const char *text) {
    char room[TEXT_SHOWN];
    cairo_text_extents_t extents;
    cairo_text_extents(cr, shown(text, room), &extents);
    return extents.x_advance;
}

void draw_text(cairo_t *cr, double x, double y, double align, const char *text) {
    cairo_move_to(cr, x - align * text_width(cr, text), y);
    char room[TEXT_SHOWN];
    cairo_show_text(cr, shown(text, room));
    cairo_new_path(cr);
}

void draw_text_upward(cairo_t *cr, double x, double y, const char *text) {
    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_rotate(cr, -M_PI / 2);
    draw_text(cr, 0, 0, 0.5, text);
    cairo_restore(cr);
}

/* Text with an edge of the paper's colour, so that it reads on top of lines. */
void draw_text_over(cairo_t *cr, Theme theme, Colour colour, double x, double y,
                    const char *text) {
    cairo_move_to(cr, x, y);
    char room[TEXT_SHOWN];
    cairo_text_path(cr, shown(text, room));
    set_colour(cr, theme_paper(theme), 0.85);
    cairo_set_line_width(cr, 2.5);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke(cr);
    set_colour(cr, colour, 1);
    draw_text(cr, x, y, 0, text);
}
