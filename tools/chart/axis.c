#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/chart/parts.h"

typedef struct Range {
    double low, high;
} Range;

static void see(Range *range, double value, bool log_axis) {
    if (!isfinite(value) || (log_axis && value <= 0)) return;
    range->low = MIN(range->low, value);
    range->high = MAX(range->high, value);
}

static void see_panel(const Panel *panel, Range *x, Range *y) {
    for (size_t i = 0; i < panel->count; i++) {
        const Item *item = &panel->items[i];
        for (size_t j = 0; j < item->count; j++) {
            if (item->kind == ITEM_MOMENT) continue;
            if (item->x && item->kind != ITEM_NOTE) see(x, item->x[j], panel->x.log);
            if (item->behind || item->kind == ITEM_ZONE) continue;
            see(y, item->y[j], panel->y.log);
            if (item->high) see(y, item->high[j], panel->y.log);
        }
    }
    const HeatParts *heat = panel->heat;
    if (!heat || !heat->map.x_edges) return;
    see(x, heat->map.x_edges[0], false);
    see(x, heat->map.x_edges[heat->map.columns], false);
}

/* Limits from what was seen; `air` is the share left free at both ends. */
static Axis settle(const Axis *asked, Range range, double air) {
    Axis axis = *asked;
    if (axis.fixed) return axis;
    if (range.low > range.high) range = axis.log ? (Range){1, 10} : (Range){0, 1};
    if (axis.log) {
        double wide = fmax(log(range.high / range.low), log(1.5));
        double free_space = fmax(air * wide, (wide - log(range.high / range.low)) / 2);
        axis.low = range.low * exp(-free_space);
        axis.high = range.high * exp(free_space);
        return axis;
    }
    double wide = range.high - range.low;
    double least = fmax(fabs(range.high), fabs(range.low)) * 1e-3;
    if (wide < least || wide == 0) {
        double half = fmax(wide == 0 ? 50 * least : least, 0.5e-3);
        range.low -= half;
        range.high += half;
        wide = 2 * half;
    }
    double near = air > 0 ? 0.25 : 0.04;
    bool near_zero = range.low >= 0 && range.low < near * range.high;
    axis.low = near_zero ? 0 : range.low - air * wide;
    axis.high = range.high + air * wide;
    return axis;
}

static const Range nothing = {DBL_MAX, -DBL_MAX};

static void join(Range *all, Range one) {
    all->low = MIN(all->low, one.low);
    all->high = MAX(all->high, one.high);
}

/* Limits that a panel fixes are kept, wider where others of the column show more: a place
 * in the one is a place in all. */
static void column_axes(const Chart *chart, size_t column, const Range *seen, Axis *x) {
    Range all = nothing;
    bool fixed = false;
    for (size_t r = 0; r < chart->rows; r++) {
        size_t p = r * chart->columns + column;
        const Axis *asked = &chart->panels[p].x;
        join(&all, asked->fixed ? (Range){asked->low, asked->high} : seen[p]);
        fixed |= asked->fixed;
    }
    for (size_t r = 0; r < chart->rows; r++) {
        size_t p = r * chart->columns + column;
        Axis asked = chart->panels[p].x;
        if (fixed) asked.low = all.low, asked.high = all.high, asked.fixed = true;
        x[p] = settle(&asked, all, asked.log ? 0.05 : 0);
    }
}

void chart_axes(const Chart *chart, Axis *x, Axis *y) {
    size_t rows = chart->rows, columns = chart->columns;
    Range *xs = mem_alloc(rows * columns * sizeof *xs),
          *ys = mem_alloc(rows * columns * sizeof *ys);
    for (size_t p = 0; p < rows * columns; p++) {
        xs[p] = ys[p] = nothing;
        see_panel(&chart->panels[p], &xs[p], &ys[p]);
    }
    for (size_t r = 0; r < rows; r++) {
        Range row = nothing;
        for (size_t c = 0; c < columns; c++) join(&row, ys[r * columns + c]);
        for (size_t c = 0; c < columns; c++) {
            size_t p = r * columns + c;
            y[p] = settle(&chart->panels[p].y, chart->own_y[r] ? ys[p] : row, 0.06);
        }
    }
    for (size_t c = 0; c < columns; c++) column_axes(chart, c, xs, x);
    mem_free(xs);
    mem_free(ys);
}

double axis_place(const Axis *axis, double value) {
    if (!axis->log) return (value - axis->low) / (axis->high - axis->low);
    if (!(value > 0)) return NAN;
    return log(value / axis->low) / log(axis->high / axis->low);
}

static void add_tick(Ticks *ticks, double at, const char *text) {
    if (ticks->count == TICKS_MAX) return;
    ticks->at[ticks->count] = at;
    snprintf(ticks->text[ticks->count++], sizeof ticks->text[0], "%s", text);
}

/* 0.25, 150, 20k: `step` is the distance of the ticks, `largest` the end of the axis. */
static void plain_text(double value, double step, double largest, char text[24]) {
    static const struct {
        double unit;
        const char *suffix;
    } units[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
    size_t u = 0;
    while (units[u].unit > 1 && largest < 10 * units[u].unit) u++;
    bool zero = fabs(value) < step * 1e-6;
    if (step < 1e-5) {
        snprintf(text, 24, "%.4g", zero ? 0 : value);
        return;
    }
    step /= units[u].unit;
    int decimals = 0;
    while (decimals < 9 &&
           fabs(step - round(step * pow(10, decimals)) / pow(10, decimals)) > 1e-6 * step)
        decimals++;
    snprintf(text, 24, "%.*f%s", decimals, zero ? 0 : value / units[u].unit,
             zero ? "" : units[u].suffix);
}

static Ticks linear_ticks(const Axis *axis, size_t about) {
    Ticks ticks = {0};
    double rough = (axis->high - axis->low) / (double)MAX(about, 1);
    double power = pow(10, floor(log10(rough))), step = power;
    static const double nice[] = {1, 2, 5, 10};
    for (size_t i = 0; i < COUNT(nice); i++) {
        step = nice[i] * power;
        if (step >= rough * 0.99) break;
    }
    if (axis->whole) step = fmax(step, 1);
    double slack = 1e-6 * step, largest = fmax(fabs(axis->low), fabs(axis->high));
    for (double k = ceil((axis->low - slack) / step); k * step <= axis->high + slack;
         k++) {
        char text[24];
        plain_text(k * step, step, largest, text);
        add_tick(&ticks, k * step, text);
        if (ticks.count == TICKS_MAX) break;
    }
    return ticks;
}

/* 10 to a power, with the exponent set high where the number would be long. */
static void power_text(int exponent, char text[24]) {
    static const char *const digits[] = {"⁰", "¹", "²", "³", "⁴",
                                         "⁵", "⁶", "⁷", "⁸", "⁹"};
    if (exponent >= -3 && exponent <= 3) {
        snprintf(text, 24, "%g", pow(10, exponent));
        return;
    }
    unsigned size = (unsigned)abs(exponent) % 1000;
    const char *tens = size >= 10 ? digits[size / 10 % 10] : "";
    snprintf(text, 24, "10%s%s%s", exponent < 0 ? "⁻" : "", tens, digits[size % 10]);
}

static Ticks log_ticks(const Axis *axis, size_t about) {
    Ticks ticks = {0};
    int first = (int)floor(log10(axis->low)), last = (int)ceil(log10(axis->high));
    double decades = log10(axis->high / axis->low);
    int stride = (int)ceil(decades / (double)MAX(about, 1));
    static const double between[] = {2, 5};
    bool few = decades < 2.3 && 3 * decades <= (double)about + 1.5;
    for (int e = first; e <= last; e++) {
        double at = pow(10, e);
        char text[24];
        power_text(e, text);
        bool inside = at >= axis->low * 0.999 && at <= axis->high * 1.001;
        if (inside && (e - first) % MAX(stride, 1) == 0) add_tick(&ticks, at, text);
        for (size_t i = 0; few && i < COUNT(between); i++) {
            double part = between[i] * at;
            if (part < axis->low || part > axis->high) continue;
            snprintf(text, sizeof text, "%.4g", part);
            add_tick(&ticks, part, text);
        }
        for (int k = 2; k < 10 && stride <= 1; k++) {
            double part = k * at;
            if (part > axis->low && part < axis->high &&
                ticks.minor_count < COUNT(ticks.minor))
                ticks.minor[ticks.minor_count++] = part;
        }
    }
    return ticks;
}

static Ticks given_ticks(const Axis *axis) {
    Ticks ticks = {0};
    for (size_t i = 0; i < axis->given_count; i++) {
        char text[24];
        snprintf(text, sizeof text, "%.4g", axis->given[i]);
        add_tick(&ticks, axis->given[i], text);
    }
    return ticks;
}

Ticks axis_ticks(const Axis *axis, size_t about) {
    if (axis->given_count) return given_ticks(axis);
    bool narrow = axis->high < 6 * axis->low; /* powers and halves would be too few */
    return axis->log && !narrow ? log_ticks(axis, about) : linear_ticks(axis, about);
}
