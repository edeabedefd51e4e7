/* The figure of all weights: ramps of lines, a panel for each kind of weight and
 * measure. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/figure/parts.h"

#define LABEL(NUMBER, key, label) label,
static const char *const LABELS[] = {WEIGHT_LIST(LABEL)}; /* NULL: it is not shown */

static bool any_measured(const ProbeLog *probe, WeightNumber number) {
    for (size_t i = 0; i < probe->weight_count; i++)
        if (figure_is_measured(probe, &probe->weights[i], number)) return true;
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

/* Of the weights of one kind. */
static size_t deepest_block(const ProbeLog *probe, size_t head) {
    size_t last = 0;
    for (size_t i = head; i < probe->weight_count; i++) {
        LayerName name = layer_name(probe->weights[i].name);
        if (name.in_block &&
            same_column(probe->weights[head].name, probe->weights[i].name))
            last = MAX(last, name.block);
    }
    return last;
}

/* Up to five blocks stand in the legend. */
static bool in_legend(size_t block, size_t last) {
    size_t stride = MAX((last + 3) / 4, 1);
    return block == last || (block % stride == 0 && block + stride / 2 < last);
}

static const Hue hues[KIND_COUNT] = {[KIND_ENCODER] = HUE_BLUE,
                                     [KIND_CROSS] = HUE_GREEN,
                                     [KIND_DECODER] = HUE_ORANGE,
                                     [KIND_PLAIN] = HUE_BLUE};

static void paint_measure(const Chart *chart, Panel *panel, const ProbeLog *probe,
                          size_t head, WeightNumber number, bool legend) {
    size_t last = deepest_block(probe, head), others = 0;
    for (size_t i = head; i < probe->weight_count; i++) {
        const WeightLog *weight = &probe->weights[i];
        if (!same_column(probe->weights[head].name, weight->name)) continue;
        LayerName name = layer_name(weight->name);
        double depth = last ? (double)name.block / (double)last : 0.5;
        Style style = {.width = last > 20 ? 0.8 : 1.1, .dashed = !name.in_block};
        style.colour = name.in_block
                           ? chart_ramp(chart, hues[layer_kind(weight->name)], depth)
                           : chart_palette(chart, 1 + others++);
        char label[120] = "";
        if (name.in_block && in_legend(name.block, last))
            text_format(label, sizeof label, "blocks.%zu", name.block);
        if (!name.in_block) text_format(label, sizeof label, "%s", weight->name);
        if (!figure_is_measured(probe, weight, number)) continue;
        double *curve = chart_smooth(weight->value[number], probe->count);
        panel_line(panel, probe->step, curve, probe->count, style, legend ? label : "");
        mem_free(curve);
    }
}

static void column_heading(const ProbeLog *probe, size_t head, char heading[96]) {
    LayerName name = layer_name(probe->weights[head].name);
    snprintf(heading, 96, "%.15s%.79s", name.prefix, name.suffix);
    if (!name.in_block) snprintf(heading, 96, "outside the blocks");
}

/* Kinds of weights that stand side by side: those of one kind of attention, by their
 * first weights, and their blocks' others. */
typedef struct Shelf {
    size_t *heads; /* [count] */
    size_t count;
} Shelf;

typedef struct Shelves {
    Shelf shelf[KIND_COUNT];
    size_t count, columns; /* the longest */
} Shelves;

static void fill_shelf(Shelf *shelf, const ProbeLog *probe, LayerKind kind,
                       bool in_block) {
    for (size_t i = 0; i < probe->weight_count; i++) {
        const char *name = probe->weights[i].name;
        if (column_head(probe, i) == i && layer_name(name).in_block == in_block &&
            (!in_block || layer_kind(name) == kind))
            shelf->heads[shelf->count++] = i;
    }
}

/* Those outside the blocks stand on the shortest shelf, the last of equals. */
static Shelves shelves_new(const ProbeLog *probe) {
    Shelves s = {.count = 0};
    for (size_t k = 0; k < KIND_COUNT; k++) {
        Shelf *shelf = &s.shelf[s.count];
        *shelf = (Shelf){.heads = mem_alloc(probe->weight_count * sizeof(size_t))};
        fill_shelf(shelf, probe, (LayerKind)k, true);
        if (shelf->count || (k == KIND_PLAIN && !s.count)) s.count++;
        else mem_free(shelf->heads);
    }
    Shelf *shortest = &s.shelf[0];
    for (size_t i = 1; i < s.count; i++)
        if (s.shelf[i].count <= shortest->count) shortest = &s.shelf[i];
    fill_shelf(shortest, probe, KIND_PLAIN, false);
    for (size_t i = 0; i < s.count; i++) s.columns = MAX(s.columns, s.shelf[i].count);
    return s;
}

static void shelves_free(Shelves *s) {
    for (size_t i = 0; i < s->count; i++) mem_free(s->shelf[i].heads);
}

/* The row of a measure of a shelf. */
static void paint_shelf(Chart *chart, size_t row, const RunLog *run, const Shelf *shelf,
                        size_t columns, WeightNumber number, bool first) {
    const ProbeLog *probe = &run->probe;
    for (size_t c = 0; c < columns; c++) {
        Panel *panel = chart_panel(chart, row, c);
        if (c >= shelf->count) {
            panel_hide(panel);
            continue;
        }
        char heading[96];
        column_heading(probe, shelf->heads[c], heading);
        if (first) panel_heading(panel, heading);
        panel_axes(panel, "optimizer step", LABELS[number]);
        panel_log_y(panel);
        paint_measure(chart, panel, probe, shelf->heads[c], number, first);
        figure_events(chart, panel, run, first && !c);
    }
}

Chart *figure_weights(const RunLog *run, Theme theme) {
    const ProbeLog *probe = &run->probe;
    WeightNumber shown[WEIGHT_NUMBERS];
    size_t measured_count = 0;
    for (WeightNumber number = 0; number < WEIGHT_NUMBERS; number++)
        if (LABELS[number] && any_measured(probe, number))
            shown[measured_count++] = number;
    if (!measured_count) return NULL;
    Shelves shelves = shelves_new(probe);
    Chart *chart = chart_new(shelves.count * measured_count, shelves.columns, theme);
    chart_panel_width(chart, shelves.columns > 2 ? 150 : 0);
    for (size_t s = 0; s < shelves.count; s++)
        for (size_t m = 0; m < measured_count; m++) {
            size_t row = s * measured_count + m;
            if (shelves.count > 1) chart_row_height(chart, row, 95);
            paint_shelf(chart, row, run, &shelves.shelf[s], shelves.columns, shown[m],
                        m == 0);
        }
    shelves_free(&shelves);
    return chart;
}
