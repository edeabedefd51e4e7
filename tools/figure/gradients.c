/* Panels of a training figure: gradients and updates by depth. */
#include <math.h>
#include <string.h>

#include "tools/figure/parts.h"

enum { LEGEND_BLOCKS = 6, BLOCKS_MANY = 16 };

/* A ratio below this changes no float; the end of a schedule would stretch the axis. */
#define RATIO_LEAST 1e-8

bool figure_is_measured(const ProbeLog *probe, const WeightLog *weight,
                        WeightNumber number) {
    for (size_t p = 0; p < probe->count; p++)
        if (weight->value[number][p] > 0) return true;
    return false;
}

static bool is_of_block(const WeightLog *weight, const LayerName *block) {
    LayerName name = layer_name(weight->name);
    return name.in_block && block->in_block && name.block == block->block &&
           !strcmp(name.prefix, block->prefix);
}

/* Does no weight before it belong to the same block? */
static bool begins_block(const ProbeLog *probe, size_t weight) {
    LayerName name = layer_name(probe->weights[weight].name);
    for (size_t i = 0; i < weight; i++)
        if (is_of_block(&probe->weights[i], &name)) return false;
    return true;
}

static size_t last_block(const ProbeLog *probe, const char *prefix) {
    size_t last = 0;
    for (size_t i = 0; i < probe->weight_count; i++) {
        LayerName name = layer_name(probe->weights[i].name);
        if (name.in_block && !strcmp(name.prefix, prefix)) last = MAX(last, name.block);
    }
    return last;
}

/* Norm over the weights of a block: sqrt(sum of squares); of ratios the largest. */
static void join(double *sum, const double *value, size_t count, bool largest) {
    for (size_t p = 0; p < count; p++) {
        if (!isfinite(value[p]) || (largest && value[p] < RATIO_LEAST)) continue;
        double before = isfinite(sum[p]) ? sum[p] : 0;
        sum[p] = largest ? fmax(before, value[p]) : hypot(before, value[p]);
    }
}

static double *block_curve(const ProbeLog *probe, size_t first, WeightNumber number) {
    LayerName block = layer_name(probe->weights[first].name);
    double *sum = mem_alloc(probe->count * sizeof *sum);
    for (size_t p = 0; p < probe->count; p++) sum[p] = NAN;
    for (size_t i = first; i < probe->weight_count; i++)
        if (i == first || is_of_block(&probe->weights[i], &block))
            join(sum, probe->weights[i].value[number], probe->count,
                 number == WEIGHT_UPDATE_RATIO);
    return sum;
}

/* First and last, and others evenly between them. */
static bool is_named(size_t block, size_t last) {
    if (last < LEGEND_BLOCKS) return true;
    for (size_t i = 0; i < LEGEND_BLOCKS; i++)
        if (block == i * last / (LEGEND_BLOCKS - 1)) return true;
    return false;
}

static void paint_curve(const Cell *cell, size_t first, WeightNumber number,
                        size_t *others) {
    const ProbeLog *probe = &cell->run->probe;
    const WeightLog *weight = &probe->weights[first];
    LayerName name = layer_name(weight->name);
    char label[120] = "";
    Style style = {.width = 1.1};
    if (name.in_block) {
        size_t last = last_block(probe, name.prefix);
        Hue hue = layer_kind(weight->name) == KIND_DECODER ? HUE_ORANGE : HUE_BLUE;
        double depth = last ? (double)name.block / (double)last : 0.5;
        style.colour = chart_ramp(cell->chart, hue, depth);
        if (last > BLOCKS_MANY) style.width = 0.8;
        if (is_named(name.block, last))
            text_format(label, sizeof label, "%sblocks.%zu", name.prefix, name.block);
    } else {
        style.colour = chart_palette(cell->chart, 1 + (*others)++);
        style.dashed = true;
        text_format(label, sizeof label, "%s", weight->name);
    }
    double *sum = block_curve(probe, first, number);
    double *curve = chart_smooth(sum, probe->count);
    panel_line(cell->panel, probe->step, curve, probe->count, style, label);
    mem_free(sum);
    mem_free(curve);
}

static void paint_blocks(const Cell *cell, WeightNumber number) {
    const ProbeLog *probe = &cell->run->probe;
    size_t others = 0;
    panel_log_y(cell->panel);
    for (size_t i = 0; i < probe->weight_count; i++)
        if (begins_block(probe, i)) paint_curve(cell, i, number, &others);
    if (!figure_has_weight(cell->run, number))
        panel_empty(cell->panel, "not measured by this run's probes");
}

bool figure_has_weight(const RunLog *run, WeightNumber number) {
    const ProbeLog *probe = &run->probe;
    for (size_t i = 0; i < probe->weight_count; i++)
        if (figure_is_measured(probe, &probe->weights[i], number)) return true;
    return false;
}

/* ---- the front end ---- */

size_t figure_front_weight(const ProbeLog *probe, size_t from) {
    static const char *const NAMES[] = {"patch_embed.proj", "embed", "encoder.embed",
                                        "decoder.embed", "conv"};
    for (size_t i = from; i < probe->weight_count; i++)
        for (size_t n = 0; n < COUNT(NAMES); n++)
            if (!strcmp(probe->weights[i].name, NAMES[n])) return i;
    return probe->weight_count;
}

/* A weight that is not trained has rows without a gradient, others have one. */
const char *figure_why_no_gradient(const ProbeLog *probe, const WeightLog *weight) {
    if (!probe->count) return "no probes";
    if (!weight) return "no weight of this kind in the probes";
    if (figure_is_measured(probe, weight, WEIGHT_GRAD_INF)) return "no epochs in the log";
    for (size_t p = 0; p < probe->count; p++)
        if (weight->value[WEIGHT_GRAD_INF][p] == 0) return "gradient 0 throughout";
    for (size_t i = 0; i < probe->weight_count; i++)
        if (figure_is_measured(probe, &probe->weights[i], WEIGHT_GRAD_INF))
            return "frozen: it has no gradient";
    return "gradients were not measured";
}

void paint_front_grad(const Cell *cell) {
    const ProbeLog *probe = &cell->run->probe;
    panel_log_y(cell->panel);
    size_t drawn = 0, i = 0;
    const WeightLog *weight = NULL;
    for (; (i = figure_front_weight(probe, i)) < probe->weight_count; i++) {
        weight = &probe->weights[i];
        if (!figure_is_measured(probe, weight, WEIGHT_GRAD_INF)) continue;
        panel_line(cell->panel, probe->step, weight->value[WEIGHT_GRAD_INF], probe->count,
                   (Style){.colour = chart_palette(cell->chart, drawn++)}, weight->name);
    }
    if (!drawn) panel_empty(cell->panel, figure_why_no_gradient(probe, weight));
}

void paint_gradients(const Cell *cell) { paint_blocks(cell, WEIGHT_GRAD_NORM); }

void paint_updates(const Cell *cell) { paint_blocks(cell, WEIGHT_UPDATE_RATIO); }
