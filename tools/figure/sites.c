/* Panels of a training figure: what sites of attention measured beside entropy and logits
 * (tools/run/site_numbers.h). */
#include <math.h>
#include <stdio.h>

#include "tools/figure/parts.h"

enum {
    LEGEND_LAYERS = 6,       /* more lines than that are not all named */
    LEGEND_LAYERS_MIXED = 2, /* of each kind, where kinds share a panel */
    LAYERS_MANY = 16         /* from here on lines are thin */
};

Style figure_site_style(const Cell *cell, size_t site) {
    const ProbeLog *probe = &cell->run->probe;
    const char *name = probe->sites[site].name;
    size_t others = layer_chosen_count(cell->choice, layer_kind(name));
    return (Style){.colour = chart_ramp(cell->chart, layer_hue(probe, site),
                                        layer_shade(cell->choice, name)),
                   .width = others > LAYERS_MANY ? 0.9 : 0};
}

void figure_legend_label(const Cell *cell, const char *site, const char *name,
                         char label[120]) {
    LayerKind kind = layer_kind(site);
    bool mixed = layer_chosen_count(cell->choice, kind) < cell->choice->count;
    size_t most = mixed ? LEGEND_LAYERS_MIXED : LEGEND_LAYERS;
    bool named = layer_in_legend(cell->choice, site, most);
    text_format(label, 120, "%s", named ? name : "");
}

void figure_site_label(const Cell *cell, const char *site, char label[120]) {
    char name[96];
    layer_label(site, name);
    figure_legend_label(cell, site, name, label);
}

/* ---- lines ---- */

/* Only some rows of a log have them: the points that there are, as one line. */
static void paint_points(const Cell *cell, const double *y, Style style,
                         const char *label) {
    const ProbeLog *probe = &cell->run->probe;
    double *points = mem_array(2 * probe->count, sizeof *points);
    size_t count = 0;
    for (size_t p = 0; p < probe->count; p++) {
        if (!isfinite(y[p])) continue;
        points[count] = probe->step[p];
        points[probe->count + count++] = y[p];
    }
    if (count)
        panel_line(cell->panel, points, points + probe->count, count, style, label);
    mem_free(points);
}

static void paint_number(const Cell *cell, SiteNumber number) {
    const ProbeLog *probe = &cell->run->probe;
    bool any = false;
    for (size_t i = 0; i < probe->site_count; i++) {
        const SiteLog *site = &probe->sites[i];
        if (!layer_chosen(cell->choice, site->name) || !site->value[number]) continue;
        char label[120];
        figure_site_label(cell, site->name, label);
        paint_points(cell, site->value[number], figure_site_style(cell, i), label);
        any = true;
    }
    if (!any) panel_empty(cell->panel, "not measured");
}

/* Mean over the heads of each row; NULL: no row has it; the caller frees. */
static double *mean_of_heads(const Cell *cell, const SiteLog *site, HeadNumber number) {
    size_t count = cell->run->probe.count;
    if (!site->head[number]) return NULL;
    double *mean = mem_array(count, sizeof *mean);
    for (size_t p = 0; p < count; p++)
        mean[p] = entropy_mean(site->head[number] + p * site->heads, site->heads);
    return mean;
}

static void paint_heads(const Cell *cell, HeadNumber number) {
    const ProbeLog *probe = &cell->run->probe;
    bool any = false;
    for (size_t i = 0; i < probe->site_count; i++) {
        const SiteLog *site = &probe->sites[i];
        if (!layer_chosen(cell->choice, site->name)) continue;
        double *mean = mean_of_heads(cell, site, number);
        if (!mean) continue;
        char label[120];
        figure_site_label(cell, site->name, label);
        paint_points(cell, mean, figure_site_style(cell, i), label);
        mem_free(mean);
        any = true;
    }
    if (!any) panel_empty(cell->panel, "not measured");
}

void figure_entropy_bound(const Cell *cell, size_t i) {
    const SiteLog *site = &cell->run->probe.sites[i];
    double *mean = mean_of_heads(cell, site, HEAD_BOUND);
    Style style = figure_site_style(cell, i);
    style.dashed = true, style.width = 0.9;
    if (mean) paint_points(cell, mean, style, "bound (Theorem 3.1)");
    mem_free(mean);
}

void figure_logit_bound(const Cell *cell, size_t i) {
    const double *bound = cell->run->probe.sites[i].value[SITE_LOGIT_BOUND];
    Style style = figure_site_style(cell, i);
    style.dashed = true, style.width = 0.9;
    if (bound) paint_points(cell, bound, style, "σ²‖x‖²/√K");
}

void paint_input(const Cell *cell) {
    panel_log_y(cell->panel);
    paint_number(cell, SITE_INPUT);
}

void paint_sigma2(const Cell *cell) {
    panel_log_y(cell->panel);
    paint_number(cell, SITE_SIGMA2);
}

void paint_rank(const Cell *cell) { paint_number(cell, SITE_RANK); }

void paint_sec(const Cell *cell) {
    panel_range_y(cell->panel, 0, 1.05);
    paint_heads(cell, HEAD_SEC);
}
