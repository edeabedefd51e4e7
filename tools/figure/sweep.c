/* The figure of a sweep: a number against the swept rate, one line a method. */
#include <math.h>
#include <string.h>

#include "engine/core/sort.h"
#include "tools/figure/figures.h"

typedef struct SweepLine {
    double *rate, *mean, *low, *high; /* [count] rates ascending */
    size_t count;
} SweepLine;

static bool is_of(const SweepPoint *point, const char *method) {
    return !strcmp(point->method, method);
}

/* ---- limits ---- */

/* Where a panel ends that is capped: chance, or what is not far above it. */
static double ceiling_of(const SweepPanel *panel) {
    double top = panel->chance;
    for (size_t i = 0; i < panel->count; i++)
        if (panel->points[i].score < 1.5 * panel->chance)
            top = fmax(top, panel->points[i].score);
    return top;
}

static bool is_capped(const SweepPanel *panel) { return panel->cap && panel->chance > 0; }

/* Height for cells without a number: the worst that any cell has. */
static double worst(const SweepPanel *panel) {
    double height = NAN;
    for (size_t i = 0; i < panel->count; i++) {
        double y = panel->points[i].score;
        if (!isfinite(y)) continue;
        height = panel->lower ? fmax(height, y) : fmin(height, y);
    }
    if (is_capped(panel)) return ceiling_of(panel);
    return isfinite(height) ? height : 1;
}

static double shown(const SweepPanel *panel, double y) {
    return is_capped(panel) && y > ceiling_of(panel) ? ceiling_of(panel) : y;
}

static bool all_positive(const SweepPanel *panel) {
    for (size_t i = 0; i < panel->count; i++)
        if (!(panel->points[i].rate > 0)) return false;
    return true;
}

/* ---- methods ---- */

static bool is_first(const SweepPanel *panel, size_t i) {
    for (size_t j = 0; j < i; j++)
        if (is_of(&panel->points[j], panel->points[i].method)) return false;
    return true;
}

static size_t method_count(const SweepPanel *panel) {
    size_t count = 0;
    for (size_t i = 0; i < panel->count; i++) count += is_first(panel, i);
    return count;
}

/* All rates of a panel, ascending; how many. */
static size_t rates_of(const SweepPanel *panel, const char *method, double *rate) {
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < panel->count; i++)
        if (!method || is_of(&panel->points[i], method))
            rate[count++] = panel->points[i].rate;
    sort_numbers(rate, count);
    for (size_t i = 0; i < count; i++)
        if (!kept || rate[kept - 1] != rate[i]) rate[kept++] = rate[i];
    return kept;
}

/* Bars of methods at the same rate would hide each other: the m-th of n lines is moved by
 * a fiftieth of the axis from the one before, by less where two rates are close. */
static double shift_of(const SweepPanel *panel, size_t m, bool log_x) {
    double *rate = mem_alloc((panel->count + 1) * sizeof *rate), least = INFINITY;
    size_t count = rates_of(panel, NULL, rate), methods = method_count(panel);
    for (size_t i = 0; i < count && log_x; i++) rate[i] = log(rate[i]);
    for (size_t i = 1; i < count; i++) least = fmin(least, rate[i] - rate[i - 1]);
    double range = count ? rate[count - 1] - rate[0] : 0;
    mem_free(rate);
    if (methods < 2 || !isfinite(least)) return 0;
    double step = fmin(range / 50, least / 3 / (double)(methods - 1));
    return step * ((double)m - (double)(methods - 1) / 2);
}

static double moved(double rate, double shift, bool log_x) {
    return log_x ? rate * exp(shift) : rate + shift;
}

static SweepLine line_new(const SweepPanel *panel, const char *method) {
    size_t room = (panel->count + 1) * sizeof(double);
    SweepLine line = {mem_alloc(room), mem_alloc(room), mem_alloc(room), mem_alloc(room),
                      0};
    double *y = mem_alloc(room);
    line.count = rates_of(panel, method, line.rate);
    for (size_t j = 0; j < line.count; j++) {
        size_t n = 0;
        double sum = 0;
        for (size_t i = 0; i < panel->count; i++) {
            const SweepPoint *point = &panel->points[i];
            if (!is_of(point, method) || point->rate != line.rate[j]) continue;
            if (isfinite(point->score)) sum += y[n++] = shown(panel, point->score);
        }
        line.mean[j] = n ? sum / (double)n : NAN;
        line.low[j] = line.high[j] = NAN;
        if (n && panel->interval) panel->interval(y, n, &line.low[j], &line.high[j]);
    }
    mem_free(y);
    return line;
}

static void line_free(SweepLine *line) {
    mem_free(line->rate);
    mem_free(line->mean);
    mem_free(line->low);
    mem_free(line->high);
}

/* ---- drawing ---- */

#define PALE 0.5 /* dots of single runs; seen on dark paper, too */

typedef struct Brush {
    Panel *panel;
    Colour colour;
    double shift;
    bool log_x;
} Brush;

static void paint_runs(const Brush *brush, const SweepPanel *panel, const char *method) {
    double height = worst(panel);
    for (size_t i = 0; i < panel->count; i++) {
        const SweepPoint *point = &panel->points[i];
        if (!is_of(point, method)) continue;
        double y = isfinite(point->score) ? shown(panel, point->score) : height;
        if (point->failed && is_capped(panel)) y = height;
        double x = moved(point->rate, brush->shift, brush->log_x);
        Style style = {.colour = brush->colour, .width = -1, .mark = MARK_CROSS};
        if (!point->failed) style.mark = point->flawed ? MARK_RING : MARK_DOT;
        if (style.mark == MARK_DOT) style.alpha = PALE;
        if (point->failed || isfinite(point->score))
            panel_line(brush->panel, &x, &y, 1, style, "");
    }
}

static void paint_method(const Brush *brush, const SweepPanel *panel, const char *method,
                         Mark mark) {
    SweepLine line = line_new(panel, method);
    for (size_t j = 0; j < line.count; j++)
        line.rate[j] = moved(line.rate[j], brush->shift, brush->log_x);
    panel_bars(brush->panel, line.rate, line.low, line.high, line.count,
               (Style){.colour = brush->colour, .width = 1}, "");
    panel_line(brush->panel, line.rate, line.mean, line.count,
               (Style){.colour = brush->colour, .width = 1.7, .mark = mark}, method);
    line_free(&line);
    paint_runs(brush, panel, method);
}

/* A line of the legend alone. */
static void explain_mark(const Chart *chart, Panel *panel, Mark mark, const char *text) {
    double nowhere = NAN;
    Style style = {.colour = chart_ink(chart), .width = -1, .mark = mark};
    if (mark == MARK_DOT) style.alpha = PALE;
    panel_line(panel, &nowhere, &nowhere, 1, style, text);
}

/* "95 % interval of the mean (n = 3 to 5)": of how many runs the means are. */
static void interval_text(const SweepPanel *what, char text[96]) {
    size_t fewest = SIZE_MAX, most = 0;
    for (size_t i = 0; i < what->count; i++) {
        size_t n = 0;
        for (size_t j = 0; j < what->count; j++)
            n += is_of(&what->points[j], what->points[i].method) &&
                 what->points[j].rate == what->points[i].rate &&
                 isfinite(what->points[j].score);
        if (n) fewest = MIN(fewest, n);
        most = MAX(most, n);
    }
    if (fewest < most)
        text_format(text, 96, "95 %% interval of the mean (n = %zu to %zu)", fewest,
                    most);
    else text_format(text, 96, "95 %% interval of the mean (n = %zu)", most);
}

static bool has_interval(const SweepPanel *what) {
    bool any = false;
    for (size_t i = 0; i < what->count && what->interval && !any; i++) {
        SweepLine line = line_new(what, what->points[i].method);
        for (size_t j = 0; j < line.count; j++) any |= isfinite(line.high[j]);
        line_free(&line);
    }
    return any;
}

/* What bars, dots and marks are. */
static void explain(const Chart *chart, Panel *panel, const SweepPanel *what) {
    double nowhere = NAN;
    char interval[96];
    bool crosses = false, rings = false;
    for (size_t i = 0; i < what->count; i++) {
        crosses |= what->points[i].failed;
        rings |= !what->points[i].failed && what->points[i].flawed;
    }
    if (crosses) explain_mark(chart, panel, MARK_CROSS, what->cross);
    if (rings) explain_mark(chart, panel, MARK_RING, "learned, with a collapse or spike");
    explain_mark(chart, panel, MARK_DOT, "one run");
    interval_text(what, interval);
    if (has_interval(what))
        panel_bars(panel, &nowhere, &nowhere, &nowhere, 1,
                   (Style){.colour = chart_ink(chart), .width = 1}, interval);
}

/* Ticks at the swept values. */
static void set_ticks(Panel *panel, const SweepPanel *what) {
    double *rate = mem_alloc((what->count + 1) * sizeof *rate);
    panel_ticks_x(panel, rate, rates_of(what, NULL, rate));
    mem_free(rate);
}

static void set_axes(Panel *panel, const SweepPanel *what) {
    char y[96];
    snprintf(y, sizeof y, "%.70s, %s is better", what->y,
             what->lower ? "lower" : "higher");
    panel_axes(panel, what->x, y);
    set_ticks(panel, what);
    if (all_positive(what)) panel_log_x(panel);
    if (what->log_y) panel_log_y(panel);
    if (!is_capped(what) || what->log_y) return;
    double top = ceiling_of(what), low = top;
    for (size_t i = 0; i < what->count; i++) low = fmin(low, what->points[i].score);
    double air = 0.07 * (top - low);
    if (air > 0)
        panel_range_y(panel, low >= 0 && low < 0.25 * top ? 0 : low - air, top + air);
}

static void paint_panel(const Chart *chart, Panel *panel, const SweepPanel *what) {
    static const Mark marks[] = {MARK_DOT, MARK_SQUARE, MARK_DIAMOND, MARK_TRIANGLE};
    size_t m = 0;
    bool log_x = all_positive(what);
    set_axes(panel, what);
    for (size_t i = 0; i < what->count; i++) {
        if (!is_first(what, i)) continue;
        Brush brush = {panel, chart_palette(chart, m), shift_of(what, m, log_x), log_x};
        paint_method(&brush, what, what->points[i].method, marks[m % COUNT(marks)]);
        m++;
    }
    explain(chart, panel, what);
    if (isfinite(what->chance))
        panel_level(panel, what->chance, chart_ink(chart), "chance");
}

Chart *figure_sweep(const SweepPanel *panels, size_t count, const char *title,
                    Theme theme) {
    Chart *chart = chart_new(MAX(count, (size_t)1), 1, theme);
    if (title) chart_title(chart, title);
    for (size_t p = 0; p < count; p++) {
        chart_row_height(chart, p, 210);
        paint_panel(chart, chart_panel(chart, p, 0), &panels[p]);
    }
    return chart;
}
