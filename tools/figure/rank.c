/* Final scores of many runs by their rank (tools/figure/trials.h). */
#include <math.h>

#include "tools/figure/trials.h"

typedef struct Scale {
    double low, high; /* of all scores */
    double end;       /* where a trial without one is */
    size_t longest;   /* trials of a method, at most */
    size_t methods;
    bool crosses; /* any fails, */
    bool open;    /* any has no score */
} Scale;

static bool lower_is_better(Metric metric) {
    return metric == METRIC_COUNT || metrics[metric].better == BETTER_LOW;
}

static bool is_crossed(const Trial *trial) {
    return trial->role == TRIAL_FAILED || !isfinite(trial->score);
}

/* The worst end is a little beyond the worst score. */
static Scale measure(const Trial *trials, size_t count, size_t methods, bool lower) {
    Scale scale = {.low = INFINITY, .high = -INFINITY, .methods = methods};
    for (size_t m = 0; m < methods; m++) {
        size_t own = 0;
        for (size_t i = 0; i < count; i++) own += trials[i].method == m;
        scale.longest = MAX(scale.longest, own);
    }
    for (size_t i = 0; i < count; i++) {
        scale.low = fmin(scale.low, trials[i].score);
        scale.high = fmax(scale.high, trials[i].score);
        scale.crosses |= is_crossed(&trials[i]);
        scale.open |= !isfinite(trials[i].score);
    }
    if (!(scale.low <= scale.high)) scale.low = 0, scale.high = 1;
    if (scale.low == scale.high) scale.low -= 0.5, scale.high += 0.5;
    double air = 0.1 * (scale.high - scale.low);
    scale.end = lower ? scale.high + air : scale.low - air;
    return scale;
}

static void limit(Panel *panel, const Scale *scale, bool lower) {
    double air = 0.1 * (scale->high - scale->low), far = (scale->open ? 2 : 0.5) * air;
    panel_whole_x(panel);
    panel_range_x(panel, 0.7, (double)MAX(scale->longest, (size_t)2) + 0.3);
    panel_range_y(panel, scale->low - (lower ? 0.5 * air : far),
                  scale->high + (lower ? far : 0.5 * air));
}

/* Methods with equal scores, or without, would hide each other. */
static double shift_of(const Scale *scale, size_t method) {
    double step = fmin(0.08, 0.4 / (double)scale->methods);
    return step * ((double)method - (double)(scale->methods - 1) / 2);
}

static void mark_trial(Panel *panel, double x, double y, Style style) {
    style.width = -1;
    panel_line(panel, &x, &y, 1, style, "");
}

/* The line goes through all scores; crosses take the place of marks. */
static void draw_method(Panel *panel, const Trial *trials, size_t count, size_t method,
                        const Scale *scale, Style style, const char *label) {
    double *x = mem_array(2 * count + 1, sizeof *x), *y = x + count, nowhere = NAN;
    size_t rank = 0, points = 0;
    for (size_t i = 0; i < count; i++) {
        if (trials[i].method != method) continue;
        double place = (double)++rank + shift_of(scale, method), score = trials[i].score;
        Style mark = style;
        if (is_crossed(&trials[i])) mark.mark = MARK_CROSS;
        mark_trial(panel, place, isfinite(score) ? score : scale->end, mark);
        if (!isfinite(score)) continue;
        x[points] = place;
        y[points++] = score;
    }
    panel_line(panel, &nowhere, &nowhere, 1, style, label);
    style.mark = MARK_NONE;
    panel_line(panel, x, y, points, style, "");
    mem_free(x);
}

static void explain(const Chart *chart, Panel *panel, const Scale *scale,
                    const char *fails) {
    double nowhere = NAN;
    char text[96];
    text_format(text, sizeof text, "fails: %.80s", fails);
    Style style = {.colour = chart_ink(chart), .width = -1, .mark = MARK_CROSS};
    if (scale->crosses) panel_line(panel, &nowhere, &nowhere, 1, style, text);
    if (!scale->open) return;
    style = (Style){.colour = chart_palette(chart, 6), .width = 0.9, .dashed = true};
    panel_line(panel, &nowhere, &nowhere, 1, style, "no score");
    panel_level(panel, scale->end, style.colour, "");
}

Chart *figure_rank(const Trial *trials, size_t count, const TrialMethods *methods,
                   const TrialOptions *options) {
    static const Mark marks[] = {MARK_DOT, MARK_SQUARE, MARK_DIAMOND, MARK_TRIANGLE};
    bool lower = lower_is_better(options->metric);
    Scale scale = measure(trials, count, methods->count, lower);
    Chart *chart = chart_new(1, 1, options->figure.theme);
    Panel *panel = chart_panel(chart, 0, 0);
    chart_row_height(chart, 0, 230);
    if (options->figure.title) chart_title(chart, options->figure.title);
    panel_axes(panel, "rank of the trial (1: best)", options->y);
    limit(panel, &scale, lower);
    for (size_t m = 0; m < methods->count; m++) {
        char label[96];
        text_format(label, sizeof label, "%.60s (%.30s)", methods->name[m],
                    methods->detail[m]);
        draw_method(panel, trials, count, m, &scale,
                    (Style){.colour = chart_palette(chart, m),
                            .width = 1.4,
                            .dashed = m / 8 % 2 == 1, /* colours of the palette */
                            .mark = marks[m % COUNT(marks)]},
                    label);
    }
    explain(chart, panel, &scale, options->fails);
    return chart;
}
