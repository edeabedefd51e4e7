/* Panels of a training figure: attention - entropy, logits, and the norm of query
 * weights. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/figure/parts.h"

enum { LEGEND_LAYERS = 6 }; /* more lines than that are not all named */

/* ---- entropy: one kind of attention a panel ---- */

static bool is_shown(const Cell *cell, const SiteLog *site) {
    return layer_kind(site->name) == cell->kind && layer_chosen(cell->choice, site->name);
}

/* Uniform attention's entropy: of one height where every batch offers the same keys, else
 * (sentences differ in length) a curve. */
static void paint_uniform(const Cell *cell, const SiteLog *site, Dash dash) {
    const ProbeLog *probe = &cell->run->probe;
    double low = INFINITY, high = -INFINITY;
    for (size_t p = 0; p < probe->count; p++) {
        low = fmin(low, site->uniform[p]);
        high = fmax(high, site->uniform[p]);
    }
    Colour colour = chart_palette(cell->chart, 6);
    if (!(high > 0)) return;
    if (high - low > 0.005 * high) {
        panel_line(cell->panel, probe->step, site->uniform, probe->count,
                   (Style){.colour = colour, .width = 0.9, .dashed = true, .dash = dash},
                   "uniform attention");
        return;
    }
    double keys = site->keys[probe->count - 1];
    char text[40] = "uniform";
    if (keys < 1e15 && fabs(log(keys) - high) < 1e-4)
        text_format(text, sizeof text, "uniform (ln %.0f)", keys);
    panel_level_dash(cell->panel, high, colour, dash, text);
}

/* Heights of uniform attention, each once: of all runs of a figure, so that each has a
 * dash of its own in all panels. */
typedef struct Heights {
    double height[2 * DASH_COUNT];
    size_t count;
} Heights;

/* Its place; `count`: it is new, and there is no room for it. */
static size_t find_height(Heights *heights, double height) {
    size_t i = 0;
    while (i < heights->count &&
           !(fabs(heights->height[i] - height) < 0.01 * heights->height[i]))
        i++;
    if (i == heights->count && i < COUNT(heights->height))
        heights->height[heights->count++] = height;
    return i;
}

static double last_uniform(const RunLog *run, size_t site) {
    const ProbeLog *probe = &run->probe;
    return probe->count ? probe->sites[site].uniform[probe->count - 1] : NAN;
}

static Heights heights_of(const Cell *cell) {
    Heights heights = {.count = 0};
    for (size_t r = 0; r < cell->run_count; r++)
        for (size_t i = 0; i < cell->runs[r]->probe.site_count; i++) {
            double uniform = last_uniform(cell->runs[r], i);
            if (uniform > 0 && is_shown(cell, &cell->runs[r]->probe.sites[i]))
                find_height(&heights, uniform);
        }
    return heights;
}

/* Of the sites that are shown, each height once. */
static void paint_uniforms(const Cell *cell) {
    enum { MOST = 3 };
    Heights heights = heights_of(cell);
    bool drawn[COUNT(heights.height) + 1] = {false};
    size_t count = 0;
    for (size_t i = 0; i < cell->run->probe.site_count && count < MOST; i++) {
        const SiteLog *site = &cell->run->probe.sites[i];
        double uniform = last_uniform(cell->run, i);
        if (!is_shown(cell, site) || !(uniform > 0)) continue;
        size_t rank = find_height(&heights, uniform);
        if (drawn[rank]) continue;
        paint_uniform(cell, site, (Dash)(rank % DASH_COUNT));
        drawn[rank] = true;
        count++;
    }
}

/* What uniform attention has at most in a run. */
static double top_of(const RunLog *run, LayerKind kind) {
    double top = 0;
    for (size_t i = 0; i < run->probe.site_count; i++)
        for (size_t p = 0; p < run->probe.count; p++)
            if (layer_kind(run->probe.sites[i].name) == kind)
                top = fmax(top, run->probe.sites[i].uniform[p]);
    return top;
}

/* In any run: the height of the axis they share. */
static double entropy_top(const Cell *cell) {
    double top = 0;
    for (size_t r = 0; r < cell->run_count; r++)
        top = fmax(top, top_of(cell->runs[r], cell->kind));
    return top > 0 ? top : 1;
}

double figure_collapse_top(const RunLog *run, LayerKind kind) {
    return COLLAPSE_SHARE * top_of(run, kind);
}

static void paint_heads_band(const Cell *cell, const SiteLog *site, Colour colour,
                             const char *label) {
    const ProbeLog *probe = &cell->run->probe;
    double *low = mem_alloc(probe->count * sizeof *low),
           *high = mem_alloc(probe->count * sizeof *high);
    for (size_t p = 0; p < probe->count; p++) {
        low[p] = high[p] = NAN;
        for (size_t h = 0; h < site->heads; h++) {
            low[p] = fmin(low[p], site->entropy[p * site->heads + h]);
            high[p] = fmax(high[p], site->entropy[p * site->heads + h]);
        }
    }
    panel_band(cell->panel, probe->step, low, high, probe->count,
               (Style){.colour = colour, .alpha = 0.16}, label);
    mem_free(low);
    mem_free(high);
}

static void note_lowest(const Cell *cell) {
    EntropyLow low = layer_kind_lowest(cell->run, cell->kind);
    if (!low.fell_step) return;
    char label[96], text[180];
    layer_block_label(low.site, label);
    text_format(text, sizeof text, "%s: %.1f %% of uniform at step %zu", label,
                100 * fmax(fmin(low.share, 1e9), -1e9), low.step);
    panel_note(cell->panel, (double)low.step, low.share * low.uniform,
               chart_warning(cell->chart), text);
}

/* "3 of 12 layers", in the legend alone, where not all of the run are drawn. */
static void say_shown(const Cell *cell) {
    const ProbeLog *probe = &cell->run->probe;
    size_t all = layer_kind_count(probe, cell->kind), shown = 0;
    double nowhere = NAN;
    char text[60];
    for (size_t i = 0; i < probe->site_count; i++)
        shown += is_shown(cell, &probe->sites[i]);
    if (shown == all) return;
    text_format(text, sizeof text, "%zu of %zu layers", shown, all);
    panel_line(cell->panel, &nowhere, &nowhere, 1, (Style){.width = -1}, text);
}

void paint_entropy(const Cell *cell) {
    const ProbeLog *probe = &cell->run->probe;
    double top = entropy_top(cell);
    panel_range_y(cell->panel, 0, 1.08 * top);
    panel_zone(cell->panel, 0, figure_collapse_top(cell->run, cell->kind),
               (Style){.colour = chart_warning(cell->chart), .alpha = 0.13},
               "collapse (< 10 %)");
    if (!layer_kind_count(probe, cell->kind)) {
        panel_empty(cell->panel, "no entropy probes");
        return;
    }
    paint_uniforms(cell);
    for (size_t i = 0; i < probe->site_count; i++) {
        const SiteLog *site = &probe->sites[i];
        if (!is_shown(cell, site)) continue;
        Style style = figure_site_style(cell, i);
        char label[96];
        layer_block_label(site->name, label);
        if (layer_chosen_count(cell->choice, cell->kind) <= 6 && site->heads > 1)
            paint_heads_band(cell, site, style.colour, "all heads of a layer");
        bool named = layer_in_legend(cell->choice, site->name, LEGEND_LAYERS);
        panel_line(cell->panel, probe->step, site->mean, probe->count, style,
                   named ? label : "");
        figure_entropy_bound(cell, i);
    }
    say_shown(cell);
    note_lowest(cell);
}

/* ---- logits and norms: all kinds in one panel ---- */

void paint_logit(const Cell *cell) {
    const ProbeLog *probe = &cell->run->probe;
    panel_log_y(cell->panel);
    if (!probe->site_count) panel_empty(cell->panel, "no entropy probes");
    for (size_t i = 0; i < probe->site_count; i++) {
        const SiteLog *site = &probe->sites[i];
        if (!layer_chosen(cell->choice, site->name)) continue;
        char label[120];
        figure_site_label(cell, site->name, label);
        Style style = figure_site_style(cell, i), pale = style;
        pale.width = 0.6;
        pale.alpha = 0.3;
        double *logit = chart_smooth(site->max_logit, probe->count);
        panel_line(cell->panel, probe->step, site->max_logit, probe->count, pale, "");
        panel_line(cell->panel, probe->step, logit, probe->count, style, label);
        mem_free(logit);
        figure_logit_bound(cell, i);
    }
}

const WeightLog *figure_query_weight(const RunLog *run, const char *site) {
    static const char *const ends[] = {"qkv", "qk", "q"};
    for (size_t e = 0; e < COUNT(ends); e++) {
        char name[120];
        snprintf(name, sizeof name, "%s.%s", site, ends[e]);
        size_t i = stringmap_find(&run->weight_names, name, strlen(name));
        if (i != SIZE_MAX) return &run->probe.weights[i];
    }
    return NULL;
}

static void paint_query_weights(const Cell *cell, WeightNumber number) {
    const ProbeLog *probe = &cell->run->probe;
    if (!probe->weight_count) panel_empty(cell->panel, "no probes of weights");
    panel_log_y(cell->panel);
    for (size_t i = 0; i < probe->site_count; i++) {
        const SiteLog *site = &probe->sites[i];
        if (!layer_chosen(cell->choice, site->name)) continue;
        const WeightLog *weight = figure_query_weight(cell->run, site->name);
        if (!weight) continue;
        char label[120];
        figure_legend_label(cell, site->name, weight->name, label);
        panel_line(cell->panel, probe->step, weight->value[number], probe->count,
                   figure_site_style(cell, i), label);
    }
}

void paint_sigma(const Cell *cell) { paint_query_weights(cell, WEIGHT_SIGMA); }

void paint_grad_inf(const Cell *cell) { paint_query_weights(cell, WEIGHT_GRAD_INF); }
