#include <math.h>

#include "tools/chart/parts.h"

void draw_mark(cairo_t *cr, const Style *style, double x, double y) {
    const double size = 2.6;
    cairo_new_path(cr);
    set_colour(cr, style->colour, style->alpha);
    switch (style->mark) {
    case MARK_NONE: break;
    case MARK_DOT:
        cairo_arc(cr, x, y, size * 0.8, 0, 2 * M_PI);
        cairo_fill(cr);
        break;
    case MARK_RING:
        cairo_set_line_width(cr, 1.2);
        cairo_arc(cr, x, y, size * 1.3, 0, 2 * M_PI);
        cairo_stroke(cr);
        break;
    case MARK_CROSS:
        cairo_set_line_width(cr, 1.7);
        cairo_move_to(cr, x - size, y - size);
        cairo_line_to(cr, x + size, y + size);
        cairo_move_to(cr, x - size, y + size);
        cairo_line_to(cr, x + size, y - size);
        cairo_stroke(cr);
        break;
    case MARK_SQUARE:
        cairo_rectangle(cr, x - 0.75 * size, y - 0.75 * size, 1.5 * size, 1.5 * size);
        cairo_fill(cr);
        break;
    case MARK_DIAMOND:
        cairo_move_to(cr, x, y - 1.2 * size);
        cairo_line_to(cr, x + 1.2 * size, y);
        cairo_line_to(cr, x, y + 1.2 * size);
        cairo_line_to(cr, x - 1.2 * size, y);
        cairo_fill(cr);
        break;
    case MARK_TRIANGLE:
        cairo_move_to(cr, x, y - 1.1 * size);
        cairo_line_to(cr, x + 1.1 * size, y + 0.8 * size);
        cairo_line_to(cr, x - 1.1 * size, y + 0.8 * size);
        cairo_fill(cr);
        break;
    }
}

/* From numbers to places in the box. */
typedef struct Frame {
    const Axis *x, *y;
    Box box;
} Frame;

static double place_x(const Frame *frame, double value) {
    return frame->box.x + frame->box.width * axis_place(frame->x, value);
}

/* Far outside is clipped here too: cairo's coordinates end at 2^23. */
static double place_y(const Frame *frame, double value) {
    double y = axis_place(frame->y, value);
    if (isfinite(y)) y = MIN(MAX(y, -3), 4);
    else if (!isnan(y)) y = y > 0 ? 4 : -3;
    return frame->box.y + frame->box.height * (1 - y);
}

void begin_stroke(cairo_t *cr, const Style *style) {
    static const struct {
        double length[6];
        int count;
    } dashes[DASH_COUNT] = {[DASH_EVEN] = {{3.5, 2.5}, 2},
                            [DASH_LONG] = {{8, 2.5}, 2},
                            [DASH_DOTS] = {{1, 2}, 2},
                            [DASH_DOT] = {{6, 2, 1, 2}, 4},
                            [DASH_DOT_DOT] = {{6, 2, 1, 2, 1, 2}, 6}};
    set_colour(cr, style->colour, style->alpha);
    cairo_set_line_width(cr, style->width);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(cr, dashes[style->dash].length,
                   style->dashed ? dashes[style->dash].count : 0, 0);
}

void end_stroke(cairo_t *cr) {
    cairo_stroke(cr);
    cairo_set_dash(cr, NULL, 0, 0);
}

/* A line of very many points: the lowest and highest of every third of a point's
 * width. */
typedef struct Bucket {
    double x, low, high; /* low > high: nothing in it has a place */
} Bucket;

static bool is_empty(const Bucket *bucket) { return !(bucket->low <= bucket->high); }

static Bucket bucket_of(const Frame *frame, const Item *item, size_t from, size_t to) {
    Bucket bucket = {NAN, INFINITY, -INFINITY};
    for (size_t i = from; i < to; i++) {
        double x = place_x(frame, item->x[i]), y = place_y(frame, item->y[i]);
        if (isnan(x) || isnan(y)) continue;
        if (isnan(bucket.x)) bucket.x = x;
        bucket.low = MIN(bucket.low, y);
        bucket.high = MAX(bucket.high, y);
    }
    return bucket;
}

static Bucket *buckets_new(const Frame *frame, const Item *item, size_t *count) {
    *count = (size_t)(3 * frame->box.width);
    Bucket *buckets = mem_alloc(*count * sizeof *buckets);
    for (size_t b = 0; b < *count; b++)
        buckets[b] = bucket_of(frame, item, b * item->count / *count,
                               (b + 1) * item->count / *count);
    return buckets;
}

static void trace_dense(cairo_t *cr, const Bucket *buckets, size_t count) {
    for (size_t b = 0; b < count; b++) {
        const Bucket *bucket = &buckets[b];
        if (is_empty(bucket)) {
            cairo_new_sub_path(cr);
            continue;
        }
        cairo_line_to(cr, bucket->x, b % 2 ? bucket->low : bucket->high);
        cairo_line_to(cr, bucket->x, b % 2 ? bucket->high : bucket->low);
    }
}

static void trace(cairo_t *cr, const Frame *frame, const Item *item) {
    bool open = false;
    for (size_t i = 0; i < item->count; i++) {
        double x = place_x(frame, item->x[i]), y = place_y(frame, item->y[i]);
        bool good = !isnan(x) && !isnan(y);
        if (good && open) cairo_line_to(cr, x, y);
        else if (good) cairo_move_to(cr, x, y);
        open = good;
    }
}

static bool is_shown(const Frame *frame, const Item *item, size_t i) {
    return i < item->count && !isnan(place_x(frame, item->x[i])) &&
           !isnan(place_y(frame, item->y[i]));
}

/* A line without marks needs two neighbours; a number alone is a dot. */
static bool is_alone(const Frame *frame, const Item *item, size_t i) {
    return is_shown(frame, item, i) && !is_shown(frame, item, i + 1) &&
           !(i && is_shown(frame, item, i - 1));
}

static void draw_dots(cairo_t *cr, const Frame *frame, const Item *item) {
    Style style = item->style;
    style.mark = MARK_DOT;
    if (item_points(item) == 1) style.alpha = 1; /* of a pale line, too */
    for (size_t i = 0; i < item->count; i++)
        if (is_alone(frame, item, i))
            draw_mark(cr, &style, place_x(frame, item->x[i]), place_y(frame, item->y[i]));
}

static void draw_dense(cairo_t *cr, const Frame *frame, const Item *item) {
    size_t count;
    Bucket *buckets = buckets_new(frame, item, &count);
    trace_dense(cr, buckets, count);
    end_stroke(cr);
    Style dot = item->style;
    dot.mark = MARK_DOT;
    for (size_t b = 0; b < count && item->style.mark == MARK_NONE; b++)
        if (!is_empty(&buckets[b]) && (b == 0 || is_empty(&buckets[b - 1])) &&
            (b + 1 == count || is_empty(&buckets[b + 1])))
            draw_mark(cr, &dot, buckets[b].x, (buckets[b].low + buckets[b].high) / 2);
    mem_free(buckets);
}

static void draw_sparse(cairo_t *cr, const Frame *frame, const Item *item) {
    trace(cr, frame, item);
    end_stroke(cr);
    if (item->style.mark == MARK_NONE) draw_dots(cr, frame, item);
}

static void draw_line(cairo_t *cr, const Frame *frame, const Item *item) {
    bool dense = (double)item->count > 8 * frame->box.width;
    if (item->style.width > 0) {
        begin_stroke(cr, &item->style);
        cairo_new_path(cr);
        (dense ? draw_dense : draw_sparse)(cr, frame, item);
    }
    for (size_t i = 0; i < item->count && item->style.mark != MARK_NONE; i++) {
        double x = place_x(frame, item->x[i]), y = place_y(frame, item->y[i]);
        if (is_shown(frame, item, i)) draw_mark(cr, &item->style, x, y);
    }
}

static void trace_bar(cairo_t *cr, double x, double low, double high) {
    const double cap = 2.2;
    cairo_move_to(cr, x, low);
    cairo_line_to(cr, x, high);
    cairo_move_to(cr, x - cap, low);
    cairo_line_to(cr, x + cap, low);
    cairo_move_to(cr, x - cap, high);
    cairo_line_to(cr, x + cap, high);
}

static void draw_bars(cairo_t *cr, const Frame *frame, const Item *item) {
    begin_stroke(cr, &item->style);
    cairo_new_path(cr);
    for (size_t i = 0; i < item->count; i++) {
        double x = place_x(frame, item->x[i]);
        double low = place_y(frame, item->y[i]), high = place_y(frame, item->high[i]);
        if (!isnan(x) && !isnan(low) && !isnan(high)) trace_bar(cr, x, low, high);
    }
    end_stroke(cr);
}

/* Each run of points without NaN is one filled shape. */
static void draw_band(cairo_t *cr, const Frame *frame, const Item *item) {
    set_colour(cr, item->style.colour, item->style.alpha);
    for (size_t i = 0; i < item->count;) {
        size_t from = i;
        while (i < item->count && !isnan(place_x(frame, item->x[i])) &&
               !isnan(place_y(frame, item->y[i])) &&
               !isnan(place_y(frame, item->high[i])))
            i++;
        cairo_new_path(cr);
        for (size_t j = from; j < i; j++)
            cairo_line_to(cr, place_x(frame, item->x[j]), place_y(frame, item->high[j]));
        for (size_t j = i; j > from; j--)
            cairo_line_to(cr, place_x(frame, item->x[j - 1]),
                          place_y(frame, item->y[j - 1]));
        cairo_fill(cr);
        if (i == from) i++;
    }
}

static void draw_zone(cairo_t *cr, const Frame *frame, const Item *item) {
    double top = MAX(place_y(frame, item->high[0]), frame->box.y);
    double bottom = MIN(place_y(frame, item->y[0]), frame->box.y + frame->box.height);
    if (!(bottom > top)) return;
    set_colour(cr, item->style.colour, item->style.alpha);
    cairo_rectangle(cr, frame->box.x, top, frame->box.width, bottom - top);
    cairo_fill(cr);
}

/* Does the line from a to b cross the box, whose corner is its origin? */
static bool crosses(const Box *box, double ax, double ay, double bx, double by) {
    double from = 0, to = 1, dx = bx - ax, dy = by - ay;
    const double start[2] = {ax - box->x, ay - box->y}, way[2] = {dx, dy},
                 size[2] = {box->width, box->height};
    for (int i = 0; i < 2; i++) {
        if (way[i] == 0 && (start[i] < 0 || start[i] > size[i])) return false;
        if (way[i] == 0) continue;
        double first = -start[i] / way[i], second = (size[i] - start[i]) / way[i];
        from = fmax(from, fmin(first, second));
        to = fmin(to, fmax(first, second));
    }
    return from <= to;
}

/* Pieces of lines, and levels, that a text in the box would cover. */
static size_t crowd(const Panel *panel, const Frame *frame, const Box *text) {
    size_t count = 0;
    for (size_t i = 0; i < panel->count; i++) {
        const Item *item = &panel->items[i];
        double x = NAN, y = NAN;
        bool line = item->kind == ITEM_LINE, level = item->kind == ITEM_LEVEL;
        size_t stride = 1 + item->count / 2000; /* of a long line so many are enough */
        for (size_t j = 0; (line || level) && j < item->count; j += stride) {
            double next_x = line ? place_x(frame, item->x[j]) : frame->box.x;
            double next_y = place_y(frame, item->y[j]);
            double end =
                line ? (isfinite(x + y) ? x : next_x) : frame->box.x + frame->box.width;
            double height = line && isfinite(x + y) ? y : next_y;
            if (isfinite(next_x + next_y))
                count += crosses(text, end, height, next_x, next_y);
            x = next_x, y = next_y;
        }
    }
    return count;
}

typedef struct Spot {
    double x, baseline; /* left end of the text */
} Spot;

/* Of places all over the panel, those near (x, y) first, the one where a text covers
 * least: nothing, where there is any such place. */
static Spot quietest(const Panel *panel, const Frame *frame, double x, double y,
                     double width) {
    enum { ACROSS = 9, DOWN = 14 };
    const Box *box = &frame->box;
    double least = INFINITY, room = fmax(box->width - width - 6, 0);
    Spot best = {box->x + 3, box->y + 9};
    for (size_t i = 0; i < ACROSS * DOWN; i++) {
        Spot spot = {box->x + 3 + room * (double)(i % ACROSS) / (ACROSS - 1),
                     box->y + 9 + (box->height - 12) * (double)(i / ACROSS) / (DOWN - 1)};
        Box text = {spot.x - 2, spot.baseline - 8, width + 4, 11};
        bool on = x > text.x - 5 && x < text.x + text.width + 5 && y > text.y - 5 &&
                  y < text.y + text.height + 5; /* the ring itself */
        double far = hypot(spot.x + width / 2 - x, spot.baseline - 3 - y);
        double cost = far + 1e5 * (double)(crowd(panel, frame, &text) + on);
        if (cost >= least) continue;
        least = cost;
        best = spot;
    }
    return best;
}

/* What it is, the legend says. */
static void draw_level(cairo_t *cr, const Frame *frame, const Item *item) {
    double y = place_y(frame, item->y[0]);
    const Box *box = &frame->box;
    if (!(y >= box->y - 0.5 && y <= box->y + box->height + 0.5)) return;
    begin_stroke(cr, &item->style);
    cairo_move_to(cr, box->x, y);
    cairo_line_to(cr, box->x + box->width, y);
    end_stroke(cr);
}

static void draw_moment(cairo_t *cr, const Frame *frame, const Item *item) {
    double x = place_x(frame, item->x[0]);
    const Box *box = &frame->box;
    if (!(x >= box->x - 0.5 && x <= box->x + box->width + 0.5)) return;
    begin_stroke(cr, &item->style);
    cairo_move_to(cr, x, box->y);
    cairo_line_to(cr, x, box->y + box->height);
    end_stroke(cr);
    draw_mark(cr, &item->style, x, box->y + 4);
}

static void draw_note(cairo_t *cr, Theme theme, const Frame *frame, const Panel *panel,
                      const Item *item) {
    double x = place_x(frame, item->x[0]), y = place_y(frame, item->y[0]);
    if (isnan(x) || isnan(y)) return;
    Style ring = item->style;
    ring.mark = MARK_RING;
    draw_mark(cr, &ring, x, y);
    set_font(cr, 7, false);
    Spot spot = quietest(panel, frame, x, y, text_width(cr, item->label));
    draw_text_over(cr, theme, item->style.colour, spot.x, spot.baseline, item->label);
}

static void draw_grid(cairo_t *cr, Theme theme, const Frame *frame, const Ticks *xs,
                      const Ticks *ys) {
    const Box *box = &frame->box;
    set_colour(cr, theme_grid(theme), 1);
    cairo_set_line_width(cr, 0.6);
    for (size_t i = 0; i < xs->count; i++) {
        double x = place_x(frame, xs->at[i]);
        cairo_move_to(cr, x, box->y);
        cairo_line_to(cr, x, box->y + box->height);
    }
    for (size_t i = 0; i < ys->count; i++) {
        double y = place_y(frame, ys->at[i]);
        cairo_move_to(cr, box->x, y);
        cairo_line_to(cr, box->x + box->width, y);
    }
    cairo_stroke(cr);
    cairo_set_line_width(cr, 0.3);
    for (size_t i = 0; i < ys->minor_count; i++) {
        double y = place_y(frame, ys->minor[i]);
        cairo_move_to(cr, box->x, y);
        cairo_line_to(cr, box->x + box->width, y);
    }
    for (size_t i = 0; i < xs->minor_count; i++) {
        double x = place_x(frame, xs->minor[i]);
        cairo_move_to(cr, x, box->y);
        cairo_line_to(cr, x, box->y + box->height);
    }
    cairo_stroke(cr);
}

static void draw_spines(cairo_t *cr, Theme theme, const Box *box) {
    set_colour(cr, theme_soft(theme), 1);
    cairo_set_line_width(cr, 0.8);
    cairo_move_to(cr, box->x, box->y);
    cairo_line_to(cr, box->x, box->y + box->height);
    cairo_line_to(cr, box->x + box->width, box->y + box->height);
    cairo_stroke(cr);
}

static void draw_item(cairo_t *cr, Theme theme, const Frame *frame, const Panel *panel,
                      const Item *item) {
    switch (item->kind) {
    case ITEM_LINE: draw_line(cr, frame, item); break;
    case ITEM_BAND: draw_band(cr, frame, item); break;
    case ITEM_BARS: draw_bars(cr, frame, item); break;
    case ITEM_ZONE: draw_zone(cr, frame, item); break;
    case ITEM_LEVEL: draw_level(cr, frame, item); break;
    case ITEM_NOTE: draw_note(cr, theme, frame, panel, item); break;
    case ITEM_MOMENT: draw_moment(cr, frame, item); break;
    }
}

static void draw_empty(cairo_t *cr, Theme theme, const Box *box, const char *text) {
    set_font(cr, 8, false);
    set_colour(cr, theme_soft(theme), 1);
    draw_text(cr, box->x + box->width / 2, box->y + box->height / 2 + 3, 0.5, text);
}

void draw_panel(cairo_t *cr, const Chart *chart, const Panel *panel, const Axis *x,
                const Axis *y, Box box) {
    /* Areas first, then lines, then words. */
    static const ItemKind order[] = {ITEM_ZONE, ITEM_BAND,  ITEM_MOMENT, ITEM_BARS,
                                     ITEM_LINE, ITEM_LEVEL, ITEM_NOTE};
    Frame frame = {x, y, box};
    Ticks xs = axis_ticks(x, TICKS_WIDE(box.width)),
          ys = axis_ticks(y, TICKS_HIGH(box.height));
    draw_grid(cr, chart->theme, &frame, &xs, &ys);
    cairo_save(cr);
    cairo_rectangle(cr, box.x - 5, box.y - 1, box.width + 10, box.height + 5);
    cairo_clip(cr);
    for (size_t k = 0; k < COUNT(order); k++)
        for (size_t i = 0; i < panel->count; i++)
            if (panel->items[i].kind == order[k])
                draw_item(cr, chart->theme, &frame, panel, &panel->items[i]);
    cairo_restore(cr);
    draw_edges(cr, chart->theme, panel, y, &box);
    draw_spines(cr, chart->theme, &box);
    if (*panel->empty) draw_empty(cr, chart->theme, &box, panel->empty);
}

void draw_swatch(cairo_t *cr, const Item *item, double x, double y, double width) {
    if (item->kind == ITEM_BAND || item->kind == ITEM_ZONE) {
        set_colour(cr, item->style.colour, item->style.alpha);
        cairo_rectangle(cr, x, y - 3.5, width, 7);
        cairo_fill(cr);
        return;
    }
    if (item->kind == ITEM_BARS) {
        begin_stroke(cr, &item->style);
        trace_bar(cr, x + width / 2, y + 4, y - 4);
        end_stroke(cr);
        return;
    }
    if (item->style.width > 0) {
        begin_stroke(cr, &item->style);
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, x + width, y);
        end_stroke(cr);
    }
    draw_mark(cr, &item->style, x + width / 2, y);
}
