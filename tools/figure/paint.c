/* Panels of a training figure: losses, scores, gradients and the rate. */
#include <math.h>
#include <string.h>

#include "engine/core/sort.h"
#include "tools/figure/parts.h"

Colour figure_split_colour(const Chart *chart, const char *split) {
    if (!strcmp(split, "val")) return chart_palette(chart, 0);
    return strcmp(split, "test") ? chart_ink(chart) : chart_palette(chart, 1);
}

/* The evaluations that stand beside the training loss: those of the first of these splits
 * that has any.  Returns their number. */
static size_t beside(const RunLog *run, double *step, double *loss, const char **split) {
    static const char *const splits[] = {"val", "test"};
    for (size_t s = 0; s < COUNT(splits); s++) {
        size_t count = 0;
        for (size_t i = 0; i < run->eval_count; i++) {
            const EvalRow *row = &run->evals[i];
            double value = row->scores[METRIC_LOSS];
            if (strcmp(row->split, splits[s]) || !isfinite(value)) continue;
            step[count] = row->step;
            loss[count++] = value;
        }
        *split = splits[s];
        if (count) return count;
    }
    return 0;
}

static void see_evaluations(const RunLog *run, double *low, double *high) {
    double *step = mem_alloc(run->eval_count * sizeof *step);
    double *loss = mem_alloc(run->eval_count * sizeof *loss);
    const char *split;
    size_t count = beside(run, step, loss, &split);
    for (size_t i = 0; i < count; i++) {
        *low = fmin(*low, loss[i]);
        *high = fmax(*high, loss[i]);
    }
    mem_free(step);
    mem_free(loss);
}

static void paint_evaluations(const Cell *cell) {
    double *step = mem_alloc(cell->run->eval_count * sizeof *step);
    double *loss = mem_alloc(cell->run->eval_count * sizeof *loss);
    const char *split;
    size_t count = beside(cell->run, step, loss, &split);
    if (count)
        panel_line(cell->panel, step, loss, count,
                   (Style){.colour = figure_split_colour(cell->chart, split),
                           .dashed = true,
                           .mark = count > 40 ? MARK_NONE : MARK_DOT},
                   split_word(split));
    mem_free(step);
    mem_free(loss);
}

/* Limits that show nearly all losses of all runs, and not the heights of an explosion. */
static void loss_range(const Cell *cell, double *low, double *high) {
    *low = INFINITY;
    *high = -INFINITY;
    double cap = 0;
    for (size_t r = 0; r < cell->run_count; r++) {
        const RunLog *run = cell->runs[r];
        double *sorted = mem_alloc(run->train.count * sizeof *sorted);
        size_t count = 0;
        for (size_t i = 0; i < run->train.count; i++)
            if (isfinite(run->train.loss[i])) sorted[count++] = run->train.loss[i];
        if (count) {
            cap = fmax(cap, 1.6 * fmax(sorted[0], run->chance));
            sort_numbers(sorted, count);
            *low = fmin(*low, sorted[count / 200]);
            *high = fmax(*high, sorted[count - 1 - count / 200]);
        }
        *high = fmax(*high, run->chance);
        see_evaluations(run, low, high);
        mem_free(sorted);
    }
    if (cap > 0 && cap > *low) *high = fmin(*high, cap);
    if (!(*low < *high)) *high = (*low = isfinite(*low) ? *low - 0.5 : 0) + 1;
    double air = 0.06 * (*high - *low);
    *low = *low >= 0 && *low < 0.4 * *high ? 0 : *low - air;
    *high += air;
}

static void note_nonfinite(const Cell *cell, double height) {
    const TrainLog *train = &cell->run->train;
    for (size_t i = 0; i < train->count; i++) {
        if (isfinite(train->loss[i])) continue;
        char text[80];
        text_format(text, sizeof text, "non-finite at step %.0f", train->step[i]);
        panel_note(cell->panel, train->step[i], height, chart_warning(cell->chart), text);
        return;
    }
}

/* Runs with another chance have another dash, and the legend has the numbers. */
static void paint_chance(const Cell *cell) {
    double chance = cell->run->chance, seen[DASH_COUNT];
    size_t count = 0, own = 0;
    char text[60] = "chance";
    if (!(chance > 0)) return;
    for (size_t r = 0; r < cell->run_count; r++) {
        double other = cell->runs[r]->chance;
        size_t i = 0;
        while (i < count && !(fabs(seen[i] - other) <= 1e-3 * other)) i++;
        if (other > 0 && i == count && count < COUNT(seen)) seen[count++] = other;
        if (cell->runs[r] == cell->run) own = MIN(i, COUNT(seen) - 1);
    }
    if (count > 1) text_format(text, sizeof text, "chance (%.3g nats)", chance);
    panel_level_dash(cell->panel, chance, chart_palette(cell->chart, 6), (Dash)own, text);
}

void paint_loss(const Cell *cell) {
    const TrainLog *train = &cell->run->train;
    double low, high;
    loss_range(cell, &low, &high);
    panel_range_y(cell->panel, low, high);
    double *mean = chart_smooth(train->loss, train->count);
    Colour colour = chart_ink(cell->chart);
    panel_line_behind(cell->panel, train->step, train->loss, train->count,
                      (Style){.colour = colour, .width = 0.7, .alpha = 0.28},
                      "training, every step");
    panel_line(cell->panel, train->step, mean, train->count,
               (Style){.colour = colour, .width = 1.6}, "training, moving mean");
    mem_free(mean);
    paint_evaluations(cell);
    paint_chance(cell);
    note_nonfinite(cell, low + 0.5 * (high - low));
}

void paint_rate(const Cell *cell) {
    panel_line(cell->panel, cell->run->train.step, cell->run->train.lr,
               cell->run->train.count, (Style){.colour = chart_ink(cell->chart)}, "");
}

void paint_gradient(const Cell *cell) {
    const TrainLog *train = &cell->run->train;
    double *mean = chart_smooth(train->grad_norm, train->count);
    Colour colour = chart_ink(cell->chart);
    panel_log_y(cell->panel);
    panel_line(cell->panel, train->step, train->grad_norm, train->count,
               (Style){.colour = colour, .width = 0.7, .alpha = 0.28}, "");
    panel_line(cell->panel, train->step, mean, train->count, (Style){.colour = colour},
               "");
    mem_free(mean);
}

/* From 0 to above the best of all runs: BLEU is 0 for long. */
static void range_from_zero(const Cell *cell) {
    double top = 1;
    for (size_t r = 0; r < cell->run_count; r++)
        for (size_t i = 0; i < cell->runs[r]->eval_count; i++)
            top = fmax(top, metrics[cell->metric].factor *
                                cell->runs[r]->evals[i].scores[cell->metric]);
    panel_range_y(cell->panel, 0, 1.1 * top);
}

/* Of many evaluations one that is far off must not flatten the rest: without the highest
 * and lowest fiftieth, where that is a quarter of the whole range or less. */
static void range_without_spikes(const Cell *cell) {
    enum { FEWEST = 25 };
    size_t room = 0, count = 0;
    for (size_t r = 0; r < cell->run_count; r++) room += cell->runs[r]->eval_count;
    double *sorted = mem_array(room + 1, sizeof *sorted);
    for (size_t r = 0; r < cell->run_count; r++)
        for (size_t i = 0; i < cell->runs[r]->eval_count; i++) {
            double value = cell->runs[r]->evals[i].scores[cell->metric];
            if (isfinite(value)) sorted[count++] = metrics[cell->metric].factor * value;
        }
    sort_numbers(sorted, count);
    if (count >= FEWEST) {
        size_t cut = 1 + count / 50;
        double low = sorted[cut], high = sorted[count - 1 - cut], inner = high - low;
        if (inner > 0 && 4 * inner < sorted[count - 1] - sorted[0])
            panel_range_y(cell->panel, low - 0.1 * inner, high + 0.1 * inner);
    }
    mem_free(sorted);
}

static void score_axis(const Cell *cell) {
    if (cell->metric == METRIC_COUNT) return;
    switch (metrics[cell->metric].axis) {
    case AXIS_LINEAR: range_without_spikes(cell); return;
    case AXIS_LOG: panel_log_y(cell->panel); return;
    case AXIS_FROM_ZERO: range_from_zero(cell); return;
    }
}

void paint_score(const Cell *cell) {
    static const char *const splits[] = {"val", "test", "train"};
    const RunLog *run = cell->run;
    double *step = mem_alloc(run->eval_count * sizeof *step);
    double *score = mem_alloc(run->eval_count * sizeof *score);
    size_t drawn = 0;
    for (size_t s = 0; s < COUNT(splits) && cell->metric < METRIC_COUNT; s++) {
        size_t count = 0;
        for (size_t i = 0; i < run->eval_count; i++) {
            const EvalRow *row = &run->evals[i];
            double value = row->scores[cell->metric] * metrics[cell->metric].factor;
            if (strcmp(row->split, splits[s]) || !isfinite(value)) continue;
            step[count] = row->step;
            score[count++] = value;
        }
        if (count)
            panel_line(cell->panel, step, score, count,
                       (Style){.colour = figure_split_colour(cell->chart, splits[s]),
                               .mark = count > 60 ? MARK_NONE : MARK_DOT},
                       split_word(splits[s]));
        drawn += count;
    }
    mem_free(step);
    mem_free(score);
    score_axis(cell);
    if (!drawn)
        panel_empty(cell->panel, run->eval_count ? "no such score" : "no evaluations");
}
