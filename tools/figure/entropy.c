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
static void paint_uniform(const Cell *cell, const SiteLog *site) {
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
                   (Style){.colour = colour, .width = 0.9, .dashed = true},
                   "uniform attention");
        return;
    }
    double keys = site->keys[probe->count - 1];
    char text[40] = "uniform";
    if (keys < 1e15 && fabs(log(keys) - high) < 1e-4)
        text_format(text, sizeof text, "uniform (ln %.0f)", keys);
    panel_level(cell->panel, high, colour, text);
}

/* Of the sites that are shown, each height once. */
static void paint_uniforms(const Cell *cell) {
    const ProbeLog *probe = &cell->run->probe;
    double drawn[3];
    size_t count = 0;
    for (size_t i = 0; i < probe->site_count && count < COUNT(drawn); i++) {
        double uniform = probe->sites[i].uniform[probe->count - 1];
        bool known = !is_shown(cell, &probe->sites[i]) || !(uniform > 0);
        for (size_t j = 0; j < count; j++)
            known |= fabs(drawn[j] - uniform) < 0.01 * uniform;
        if (known) continue;
        paint_uniform(cell, &probe->sites[i]);
        drawn[count++] = uniform;
    }
}

/* What uniform attention has at most in any run: the height of the axis they share. */
static double entropy_top(const Cell *cell) {
    double top = 0;
    for (size_t r = 0; r < cell->run_count; r++) {
        const ProbeLog *probe = &cell->runs[r]->probe;
        for (size_t i = 0; i < probe->site_count; i++)
            for (size_t p = 0; p < probe->count; p++)
                if (layer_kind(probe->sites[i].name) == cell->kind)
                    top = fmax(top, probe->sites[i].uniform[p]);
    }
    return top > 0 ? top : 1;
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

void paint_entropy(const Cell *cell) {
    const ProbeLog *probe = &cell->run->probe;
    double top = entropy_top(cell);
    panel_range_y(cell->panel, 0, 1.08 * top);
    panel_zone(cell->panel, 0, COLLAPSE_SHARE * top,
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
