/* The figure of a sweep: score against the swept rate, one line a method. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/figure/figures.h"

typedef struct SweepLine {
    double *rate, *mean, *low, *high; /* [count] rates ascending */
    size_t count;
} SweepLine;

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static SweepLine line_new(const SweepPoint *points, size_t count, const char *method) {
    SweepLine line = {.rate = mem_alloc(count * sizeof(double)),
                      .mean = mem_alloc(count * sizeof(double)),
                      .low = mem_alloc(count * sizeof(double)),
                      .high = mem_alloc(count * sizeof(double))};
    for (size_t i = 0; i < count; i++) {
        bool known = strcmp(points[i].method, method) != 0;
        for (size_t j = 0; j < line.count; j++) known |= line.rate[j] == points[i].rate;
        if (!known) line.rate[line.count++] = points[i].rate;
    }
    qsort(line.rate, line.count, sizeof(double), by_value);
    for (size_t j = 0; j < line.count; j++) {
        double sum = 0, seen = 0;
        line.low[j] = line.high[j] = NAN;
        for (size_t i = 0; i < count; i++) {
            const SweepPoint *point = &points[i];
            if (strcmp(point->method, method) || point->rate != line.rate[j] ||
                !isfinite(point->score))
                continue;
            sum += point->score;
            seen++;
            line.low[j] = fmin(line.low[j], point->score);
            line.high[j] = fmax(line.high[j], point->score);
        }
        line.mean[j] = seen > 0 ? sum / seen : NAN;
    }
    return line;
}

static void line_free(SweepLine *line) {
    mem_free(line->rate);
    mem_free(line->mean);
    mem_free(line->low);
    mem_free(line->high);
}

static bool is_first(const SweepPoint *points, size_t i) {
    for (size_t j = 0; j < i; j++)
        if (!strcmp(points[j].method, points[i].method)) return false;
    return true;
}

/* Height for cells without a score: the worst that any cell has. */
static double worst(const SweepPoint *points, size_t count, bool lower) {
    double height = NAN;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(points[i].score)) continue;
        height = lower ? fmax(height, points[i].score) : fmin(height, points[i].score);
    }
    return isfinite(height) ? height : 1;
}

/* Crosses at what diverged, rings at what learned with a flaw. */
static void paint_marks(Panel *panel, const SweepPoint *points, size_t count,
                        const char *method, bool lower, Colour colour) {
    double height = worst(points, count, lower);
    for (size_t i = 0; i < count; i++) {
        const SweepPoint *point = &points[i];
        bool marked = point->diverged || point->flawed;
        if (!marked || strcmp(point->method, method)) continue;
        double y = isfinite(point->score) ? point->score : height;
        Mark mark = point->diverged ? MARK_CROSS : MARK_RING;
        panel_line(panel, &point->rate, &y, 1,
                   (Style){.colour = colour, .width = -1, .mark = mark}, "");
    }
}

/* A line of the legend alone. */
static void explain_mark(const Chart *chart, Panel *panel, Mark mark, const char *text) {
    double nowhere = NAN;
    panel_line(panel, &nowhere, &nowhere, 1,
               (Style){.colour = chart_ink(chart), .width = -1, .mark = mark}, text);
}

static bool all_positive(const SweepPoint *points, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (points[i].rate <= 0) return false;
    return true;
}

Chart *figure_sweep(const SweepPoint *points, size_t count, const SweepLabels *labels,
                    Theme theme) {
    Chart *chart = chart_new(1, 1, theme);
    Panel *panel = chart_panel(chart, 0, 0);
    chart_row_height(chart, 0, 210);
    if (labels->title) chart_title(chart, labels->title);
    panel_axes(panel, labels->x, labels->y);
    if (all_positive(points, count)) panel_log_x(panel);
    if (labels->log_y) panel_log_y(panel);
    size_t hue = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_first(points, i)) continue;
        Colour colour = chart_palette(chart, hue++);
        SweepLine line = line_new(points, count, points[i].method);
        panel_band(panel, line.rate, line.low, line.high, line.count,
                   (Style){.colour = colour, .alpha = 0.15}, "");
        panel_line(panel, line.rate, line.mean, line.count,
                   (Style){.colour = colour, .width = 1.7, .mark = MARK_DOT},
                   points[i].method);
        line_free(&line);
        paint_marks(panel, points, count, points[i].method, labels->lower, colour);
    }
    bool crosses = false, rings = false;
    for (size_t i = 0; i < count; i++) {
        crosses |= points[i].diverged;
        rings |= !points[i].diverged && points[i].flawed;
    }
    if (crosses) explain_mark(chart, panel, MARK_CROSS, "diverged");
    if (rings) explain_mark(chart, panel, MARK_RING, "learned, with a collapse or spike");
    if (isfinite(labels->chance))
        panel_level(panel, labels->chance, chart_palette(chart, 6), "chance");
    return chart;
}

Status figures_write_sweep(const SweepPoint *points, size_t count,
                           const SweepLabels *labels, const char *path, const char *root,
                           Err *err) {
    Chart *chart = figure_sweep(points, count, labels, THEME_LIGHT);
    Status status = chart_write(chart, path, root, err);
    chart_free(chart);
    return status;
}
