/* Panels of a training figure: sharpness, as probe.sharpness has measured it. */
#include <math.h>

#include "tools/figure/parts.h"

typedef double (*Eigenvalue)(const SharpnessRow *row, size_t k);

static double own_value(const SharpnessRow *row, size_t k) {
    return row->preconditioned[k];
}

static double raw_value(const SharpnessRow *row, size_t k) { return row->raw[k]; }

static bool has_any(const RunLog *run, Eigenvalue value) {
    for (size_t i = 0; i < run->probe.sharpness_count; i++)
        if (isfinite(value(&run->probe.sharpness[i], 0))) return true;
    return false;
}

bool figure_has_sharpness(const RunLog *run) { return has_any(run, own_value); }

bool figure_has_raw_sharpness(const RunLog *run) { return has_any(run, raw_value); }

/* |value k| of each row, and those that are negative. */
static void paint_values(const Cell *cell, Eigenvalue value) {
    static const char *const NAMES[SHARPNESS_MOST] = {"|λ₁|", "|λ₂|", "|λ₃|", "|λ₄|",
                                                      "|λ₅|"};
    const ProbeLog *probe = &cell->run->probe;
    size_t count = probe->sharpness_count;
    double *step = mem_array(3 * count, sizeof *step);
    double *size = step + count, *negative = size + count;
    for (size_t k = SHARPNESS_MOST; k-- > 0;) {
        Colour colour = chart_ramp(cell->chart, HUE_PURPLE, (double)k / SHARPNESS_MOST);
        for (size_t i = 0; i < count; i++) {
            double x = value(&probe->sharpness[i], k);
            step[i] = probe->sharpness[i].step;
            size[i] = fabs(x);
            negative[i] = x < 0 ? -x : NAN;
        }
        panel_line(cell->panel, step, size, count,
                   (Style){.colour = colour,
                           .width = k ? 0.9 : 1.6,
                           .mark = count > 40 ? MARK_NONE : MARK_DOT},
                   NAMES[k]);
        panel_line(cell->panel, step, negative, count,
                   (Style){.colour = colour, .width = -1, .mark = MARK_RING},
                   k ? "" : "negative");
    }
    mem_free(step);
}

static void paint_threshold(const Cell *cell) {
    const ProbeLog *probe = &cell->run->probe;
    size_t count = probe->sharpness_count;
    double *step = mem_array(2 * count, sizeof *step), *level = step + count;
    for (size_t i = 0; i < count; i++) {
        step[i] = probe->sharpness[i].step;
        level[i] = probe->sharpness[i].threshold;
    }
    panel_line(cell->panel, step, level, count,
               (Style){.colour = chart_warning(cell->chart), .dashed = true},
               "threshold of the optimizer");
    mem_free(step);
}

/* Steps of the whole run, whatever was measured; a run that has taken none has no such
 * axis. */
static void begin(const Cell *cell, const char *text, bool any) {
    const TrainLog *train = &cell->run->train;
    const ProbeLog *probe = &cell->run->probe;
    if (!any) {
        panel_empty(cell->panel, text);
        return;
    }
    panel_log_y(cell->panel);
    double last = train->count ? train->step[train->count - 1] : 0;
    for (size_t i = 0; train->count && i < probe->sharpness_count; i++)
        last = fmax(last, probe->sharpness[i].step);
    if (last > 0) panel_range_x(cell->panel, 0, last);
}

void paint_sharpness(const Cell *cell) {
    bool any = figure_has_sharpness(cell->run);
    begin(cell, "no sharpness was measured (probe.sharpness)", any);
    if (!any) return;
    paint_values(cell, own_value);
    paint_threshold(cell);
}

void paint_raw_sharpness(const Cell *cell) {
    bool any = figure_has_raw_sharpness(cell->run);
    begin(cell, "no sharpness was measured (probe.sharpness)", any);
    if (!any) return;
    paint_values(cell, raw_value);
    panel_heading(cell->panel, "raw λ scales with 1/‖W‖²: plain and σ are not "
                               "comparable");
}
