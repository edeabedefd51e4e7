/* Figures of all layers at once: entropy as heat maps, weights as ramps of lines. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/figures.h"
#include "tools/layers.h"

#define MAP_COLUMNS_MAX 400

static char **site_labels(const ProbeLog *probe) {
    char **labels = mem_alloc(probe->site_count * sizeof *labels), label[96];
    for (size_t i = 0; i < probe->site_count; i++) {
        layer_label(probe->sites[i].name, label);
        labels[i] = mem_strdup(label);
    }
    return labels;
}

static void labels_free(char **labels, size_t count) {
    for (size_t i = 0; i < count; i++) mem_free(labels[i]);
    mem_free(labels);
}

static double share_of(double entropy, double keys) {
    return keys > 1 ? entropy / log(keys) : NAN;
}

static double map_height(const ProbeLog *probe) {
    return MIN(MAX(14.0 * (double)probe->site_count, 80), 420);
}

static HeatMap entropy_map(const ProbeLog *probe, char **labels) {
    return (HeatMap){.rows = probe->site_count,
                     .low = 0,
                     .high = 1,
                     .bar = "entropy / ln(keys)",
                     .bar_mark = COLLAPSE_SHARE,
                     .row_names = (const char *const *)labels};
}

Chart *figure_entropy_heads(const RunLog *run, Theme theme) {
    const ProbeLog *probe = &run->probe;
    if (!probe->site_count) return NULL;
    size_t last = probe->count - 1, heads = 1;
    for (size_t i = 0; i < probe->site_count; i++)
        heads = MAX(heads, probe->sites[i].heads);
    double *value = mem_alloc(probe->site_count * heads * sizeof *value);
    for (size_t i = 0; i < probe->site_count; i++) {
        const SiteLog *site = &probe->sites[i];
        for (size_t h = 0; h < heads; h++)
            value[i * heads + h] =
                h < site->heads
                    ? share_of(site->entropy[last * site->heads + h], site->keys[last])
                    : NAN;
    }
    char **labels = site_labels(probe), **numbers = mem_alloc(heads * sizeof *numbers),
         text[96];
    for (size_t h = 0; h < heads; h++) {
        text_format(text, sizeof text, "%zu", h);
        numbers[h] = mem_strdup(text);
    }
    HeatMap map = entropy_map(probe, labels);
    map.value = value;
    map.columns = heads;
    map.column_names = (const char *const *)numbers;
    map.print_values = heads <= 16 && probe->site_count <= 24;
    Chart *chart = chart_new(1, 1, theme);
    text_format(text, sizeof text, "Entropy of every head at step %.0f",
                probe->step[last]);
    chart_column_title(chart, 0, text,
                       "share of ln(keys) in per cent; under 10 is collapse");
    chart_panel_width(chart, MIN(MAX(28.0 * (double)heads, 220), 380));
    chart_row_height(chart, 0, map_height(probe));
    panel_axes(chart_panel(chart, 0, 0), "head", "");
    panel_heat(chart_panel(chart, 0, 0), &map);
    labels_free(labels, probe->site_count);
    labels_free(numbers, heads);
    mem_free(value);
    return chart;
}

/* Mean share of a site over the probes from..to-1. */
static double mean_share(const SiteLog *site, size_t from, size_t to) {
    double sum = 0, seen = 0;
    for (size_t p = from; p < to; p++) {
        double share = share_of(site->mean[p], site->keys[p]);
        if (!isfinite(share)) continue;
        sum += share;
        seen++;
    }
    return seen > 0 ? sum / seen : NAN;
}

/* Where a column of probes begins: half way from the probe before it. */
static double edge_before(const ProbeLog *probe, size_t p) {
    const double *step = probe->step;
    if (probe->count == 1) return p ? step[0] + 1 : step[0];
    if (p == 0) return step[0] - (step[1] - step[0]) / 2;
    if (p == probe->count) return step[p - 1] + (step[p - 1] - step[p - 2]) / 2;
    return (step[p - 1] + step[p]) / 2;
}

Chart *figure_entropy_layers(const RunLog *run, Theme theme) {
    const ProbeLog *probe = &run->probe;
    if (!probe->site_count) return NULL;
    size_t columns = MIN(probe->count, MAP_COLUMNS_MAX);
    double *value = mem_alloc(probe->site_count * columns * sizeof *value);
    double *edges = mem_alloc((columns + 1) * sizeof *edges);
    for (size_t c = 0; c <= columns; c++)
        edges[c] = edge_before(probe, c * probe->count / columns);
    for (size_t i = 0; i < probe->site_count; i++)
        for (size_t c = 0; c < columns; c++)
            value[i * columns + c] =
                mean_share(&probe->sites[i], c * probe->count / columns,
                           (c + 1) * probe->count / columns);
    char **labels = site_labels(probe);
    HeatMap map = entropy_map(probe, labels);
    map.value = value;
    map.columns = columns;
    map.x_edges = edges;
    Chart *chart = chart_new(1, 1, theme);
    chart_column_title(chart, 0, "Attention entropy of every layer",
                       "mean over heads, share of ln(keys)");
    chart_row_height(chart, 0, map_height(probe));
    panel_axes(chart_panel(chart, 0, 0), "optimizer step", "");
    panel_heat(chart_panel(chart, 0, 0), &map);
    labels_free(labels, probe->site_count);
    mem_free(value);
    mem_free(edges);
    return chart;
}

/* A measure of weights: a row of the figure. */
typedef struct Measure {
    const char *label;
    size_t offset; /* of the array in WeightLog */
} Measure;

static const Measure measures[] = {
    {"spectral norm σ", offsetof(WeightLog, sigma)},
    {"gain γ", offsetof(WeightLog, gamma)},
    {"largest |gradient|", offsetof(WeightLog, grad_inf)},
};

static const double *measured(const WeightLog *weight, const Measure *measure) {
    return *(double *const *)((const char *)weight + measure->offset);
}

static bool is_measured(const ProbeLog *probe, const WeightLog *weight,
                        const Measure *measure) {
    const double *value = measured(weight, measure);
    for (size_t p = 0; p < probe->count; p++)
        if (value[p] > 0) return true;
    return false;
}

static bool any_measured(const ProbeLog *probe, const Measure *measure) {
    for (size_t i = 0; i < probe->weight_count; i++)
        if (is_measured(probe, &probe->weights[i], measure)) return true;
    return false;
}

/* Weights outside the blocks form one kind together. */
static bool same_column(const char *a, const char *b) {
    LayerName first = layer_name(a), second = layer_name(b);
    if (!first.in_block || !second.in_block) return first.in_block == second.in_block;
    return layer_same_kind(&first, &second);
}

/* Index of the first weight of the same column. */
static size_t column_head(const ProbeLog *probe, size_t weight) {
    size_t i = 0;
    while (!same_column(probe->weights[i].name, probe->weights[weight].name)) i++;
    return i;
}

static size_t deepest_block(const ProbeLog *probe) {
    size_t last = 0;
    for (size_t i = 0; i < probe->weight_count; i++) {
        LayerName name = layer_name(probe->weights[i].name);
        if (name.in_block) last = MAX(last, name.block);
    }
    return last;
}

/* Up to five blocks stand in the legend. */
static bool in_legend(size_t block, size_t last) {
    size_t stride = MAX((last + 3) / 4, 1);
    return block == last || (block % stride == 0 && block + stride / 2 < last);
}

static void paint_measure(const Chart *chart, Panel *panel, const ProbeLog *probe,
                          size_t head, const Measure *measure, bool legend) {
    size_t last = deepest_block(probe), others = 0;
    for (size_t i = head; i < probe->weight_count; i++) {
        const WeightLog *weight = &probe->weights[i];
        if (column_head(probe, i) != head) continue;
        LayerName name = layer_name(weight->name);
        double depth = last ? (double)name.block / (double)last : 0.5;
        Style style = {.width = 1.1, .dashed = !name.in_block};
        style.colour = name.in_block ? chart_ramp(chart, HUE_BLUE, depth)
                                     : chart_palette(chart, 1 + others++);
        char label[120] = "";
        if (name.in_block && in_legend(name.block, last))
            text_format(label, sizeof label, "blocks.%zu", name.block);
        if (!name.in_block) text_format(label, sizeof label, "%s", weight->name);
        if (!is_measured(probe, weight, measure)) continue;
        double *curve = chart_smooth(measured(weight, measure), probe->count);
        panel_line(panel, probe->step, curve, probe->count, style, legend ? label : "");
        mem_free(curve);
    }
}

static void column_heading(const ProbeLog *probe, size_t head, char heading[96]) {
    LayerName name = layer_name(probe->weights[head].name);
    snprintf(heading, 96, "%.15s%.79s", name.prefix, name.suffix);
    if (!name.in_block) snprintf(heading, 96, "outside the blocks");
}

/* Columns: kinds of weights within blocks first, those outside the blocks last. */
static size_t list_columns(const ProbeLog *probe, size_t *heads) {
    size_t count = 0;
    for (int in_block = 1; in_block >= 0; in_block--)
        for (size_t i = 0; i < probe->weight_count; i++)
            if (column_head(probe, i) == i &&
                layer_name(probe->weights[i].name).in_block == in_block)
                heads[count++] = i;
    return count;
}

Chart *figure_weights(const RunLog *run, Theme theme) {
    const ProbeLog *probe = &run->probe;
    size_t shown[COUNT(measures)], row_count = 0;
    for (size_t m = 0; m < COUNT(measures); m++)
        if (any_measured(probe, &measures[m])) shown[row_count++] = m;
    if (!row_count) return NULL;
    size_t *heads = mem_alloc(probe->weight_count * sizeof *heads);
    size_t columns = list_columns(probe, heads);
    Chart *chart = chart_new(row_count, columns, theme);
    chart_panel_width(chart, columns > 2 ? 150 : 0);
    for (size_t c = 0; c < columns; c++) {
        char heading[96];
        column_heading(probe, heads[c], heading);
        chart_column_title(chart, c, heading, "");
        for (size_t r = 0; r < row_count; r++) {
            Panel *panel = chart_panel(chart, r, c);
            panel_axes(panel, "optimizer step", measures[shown[r]].label);
            panel_log_y(panel);
            paint_measure(chart, panel, probe, heads[c], &measures[shown[r]], r == 0);
        }
    }
    mem_free(heads);
    return chart;
}
