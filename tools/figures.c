#include "tools/figures.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/layers.h"

/* What a row painter gets: one run in one panel. */
typedef struct Cell {
    const RunLog *const *runs;
    size_t run_count;
    const RunLog *run;
    const LayerChoice *choice;
    const Chart *chart;
    Panel *panel;
} Cell;

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
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
            qsort(sorted, count, sizeof *sorted, by_value);
            *low = fmin(*low, sorted[count / 200]);
            *high = fmax(*high, sorted[count - 1 - count / 200]);
        }
        *high = fmax(*high, run->chance);
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

static void paint_loss(const Cell *cell) {
    const TrainLog *train = &cell->run->train;
    double low, high;
    loss_range(cell, &low, &high);
    panel_range_y(cell->panel, low, high);
    double *mean = chart_smooth(train->loss, train->count);
    Colour colour = chart_ink(cell->chart);
    panel_line_behind(cell->panel, train->step, train->loss, train->count,
                      (Style){.colour = colour, .width = 0.7, .alpha = 0.28},
                      "every step");
    panel_line(cell->panel, train->step, mean, train->count,
               (Style){.colour = colour, .width = 1.6}, "moving mean");
    mem_free(mean);
    if (cell->run->chance > 0)
        panel_level(cell->panel, cell->run->chance, chart_palette(cell->chart, 6),
                    "chance");
    note_nonfinite(cell, low + 0.5 * (high - low));
}

static void paint_rate(const Cell *cell) {
    panel_line(cell->panel, cell->run->train.step, cell->run->train.lr,
               cell->run->train.count, (Style){.colour = chart_ink(cell->chart)}, "");
}

static void paint_gradient(const Cell *cell) {
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

static Colour site_colour(const Cell *cell, size_t site) {
    const ProbeLog *probe = &cell->run->probe;
    return chart_ramp(cell->chart, layer_hue(probe, site),
                      layer_shade(cell->choice, probe->sites[site].name));
}

/* ln(keys) of the sites that are shown, each height once. */
static void paint_entropy_levels(const Cell *cell) {
    const ProbeLog *probe = &cell->run->probe;
    double drawn[3];
    size_t count = 0;
    for (size_t i = 0; i < probe->site_count; i++) {
        double keys = probe->sites[i].keys[probe->count - 1];
        bool known = !layer_chosen(cell->choice, probe->sites[i].name) || !(keys > 1);
        for (size_t j = 0; j < count; j++) known |= drawn[j] == keys;
        if (known || count == COUNT(drawn)) continue;
        char text[32];
        text_format(text, sizeof text, "ln %.0f", keys);
        panel_level(cell->panel, log(keys), chart_palette(cell->chart, 6), text);
        drawn[count++] = keys;
    }
}

/* The largest ln(keys) of all runs: the height of the axis they share. */
static double entropy_top(const Cell *cell) {
    double top = 0;
    for (size_t r = 0; r < cell->run_count; r++) {
        const ProbeLog *probe = &cell->runs[r]->probe;
        for (size_t i = 0; i < probe->site_count; i++)
            for (size_t p = 0; p < probe->count; p++)
                if (probe->sites[i].keys[p] > 1)
                    top = fmax(top, log(probe->sites[i].keys[p]));
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
    EntropyLow low = runlog_lowest(cell->run);
    if (!low.fell_step) return;
    char label[96], text[180];
    layer_label(low.site, label);
    text_format(text, sizeof text, "%s: %.1f %% of ln %.0f at step %zu", label,
                100 * low.share, low.keys, low.step);
    panel_note(cell->panel, (double)low.step, low.share * log(low.keys),
               chart_warning(cell->chart), text);
}

static void paint_entropy(const Cell *cell) {
    const ProbeLog *probe = &cell->run->probe;
    double top = entropy_top(cell);
    panel_range_y(cell->panel, 0, 1.08 * top);
    panel_zone(cell->panel, 0, COLLAPSE_SHARE * top,
               (Style){.colour = chart_warning(cell->chart), .alpha = 0.13},
               "collapse (< 10 %)");
    if (!probe->site_count) {
        panel_empty(cell->panel, "no entropy probes");
        return;
    }
    for (size_t i = 0; i < probe->site_count; i++) {
        const SiteLog *site = &probe->sites[i];
        if (!layer_chosen(cell->choice, site->name)) continue;
        Colour colour = site_colour(cell, i);
        char label[96];
        layer_label(site->name, label);
        if (cell->choice->count <= 6 && site->heads > 1)
            paint_heads_band(cell, site, colour, "all heads of a layer");
        panel_line(cell->panel, probe->step, site->mean, probe->count,
                   (Style){.colour = colour}, label);
    }
    paint_entropy_levels(cell);
    note_lowest(cell);
}

static void paint_logit(const Cell *cell) {
    const ProbeLog *probe = &cell->run->probe;
    panel_log_y(cell->panel);
    if (!probe->site_count) panel_empty(cell->panel, "no entropy probes");
    for (size_t i = 0; i < probe->site_count; i++) {
        const SiteLog *site = &probe->sites[i];
        if (!layer_chosen(cell->choice, site->name)) continue;
        char label[96];
        layer_label(site->name, label);
        Colour colour = site_colour(cell, i);
        double *logit = chart_smooth(site->max_logit, probe->count);
        panel_line(cell->panel, probe->step, site->max_logit, probe->count,
                   (Style){.colour = colour, .width = 0.6, .alpha = 0.3}, "");
        panel_line(cell->panel, probe->step, logit, probe->count,
                   (Style){.colour = colour}, label);
        mem_free(logit);
    }
}

/* The weight that makes the queries of a site: "blocks.0.attn" -> "blocks.0.attn.qkv". */
static const WeightLog *query_weight(const ProbeLog *probe, const char *site) {
    static const char *const ends[] = {"qkv", "qk", "q"};
    for (size_t e = 0; e < COUNT(ends); e++)
        for (size_t i = 0; i < probe->weight_count; i++) {
            char name[120];
            snprintf(name, sizeof name, "%s.%s", site, ends[e]);
            if (!strcmp(probe->weights[i].name, name)) return &probe->weights[i];
        }
    return NULL;
}

static void paint_sigma(const Cell *cell) {
    const ProbeLog *probe = &cell->run->probe;
    if (!probe->weight_count) panel_empty(cell->panel, "no probes of weights");
    panel_log_y(cell->panel);
    for (size_t i = 0; i < probe->site_count; i++) {
        const SiteLog *site = &probe->sites[i];
        const WeightLog *weight = query_weight(probe, site->name);
        if (!weight || !layer_chosen(cell->choice, site->name)) continue;
        Colour colour = site_colour(cell, i);
        panel_line(cell->panel, probe->step, weight->sigma, probe->count,
                   (Style){.colour = colour}, weight->name);
    }
}

static void paint_score(const Cell *cell) {
    static const char *const splits[] = {"val", "test", "train"};
    const RunLog *run = cell->run;
    double *step = mem_alloc(run->eval_count * sizeof *step);
    double *score = mem_alloc(run->eval_count * sizeof *score);
    for (size_t s = 0; s < COUNT(splits); s++) {
        size_t count = 0;
        for (size_t i = 0; i < run->eval_count; i++) {
            const EvalRow *row = &run->evals[i];
            if (!row->metric || strcmp(row->split, splits[s])) continue;
            step[count] = row->step;
            score[count++] = row->score * (strcmp(row->metric, "top1") ? 1 : 100);
        }
        if (count)
            panel_line(cell->panel, step, score, count,
                       (Style){.colour = chart_palette(cell->chart, s),
                               .mark = count > 60 ? MARK_NONE : MARK_DOT},
                       splits[s]);
    }
    mem_free(step);
    mem_free(score);
    if (!run->eval_count) panel_empty(cell->panel, "no evaluations");
}

static bool has_loss(const RunLog *run) { return run->train.count > 0; }

static bool has_attention(const RunLog *run) { return run->probe.site_count > 0; }

static bool has_sigma(const RunLog *run) {
    for (size_t i = 0; i < run->probe.site_count; i++) {
        const WeightLog *weight = query_weight(&run->probe, run->probe.sites[i].name);
        for (size_t p = 0; weight && p < run->probe.count; p++)
            if (weight->sigma[p] > 0) return true;
    }
    return false;
}

static bool has_score(const RunLog *run) {
    size_t scores = 0;
    for (size_t i = 0; i < run->eval_count; i++) scores += isfinite(run->evals[i].score);
    return scores > 0;
}

static const struct {
    const char *name, *label;
    void (*paint)(const Cell *cell);
    bool (*present)(const RunLog *run);
    double height;
} rows[] = {
    {"loss", "training loss", paint_loss, has_loss, 125},
    {"entropy", "attention entropy (nats)", paint_entropy, has_attention, 140},
    {"logit", "largest logit", paint_logit, has_attention, 95},
    {"sigma", "spectral norm σ", paint_sigma, has_sigma, 95},
    {"score", "score", paint_score, has_score, 95},
    {"grad", "gradient norm", paint_gradient, has_loss, 95},
    {"lr", "learning rate", paint_rate, has_loss, 70},
};

const char *figure_rows(void) { return "loss,entropy,logit,sigma,score,grad,lr"; }

void figure_rows_present(const RunLog *const *runs, size_t count, char *text,
                         size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool present = false;
        for (size_t r = 0; r < count; r++) present |= rows[i].present(runs[r]);
        if (!present) continue;
        text_format(text + used, size - used, "%s%s", used ? "," : "", rows[i].name);
        used += strlen(text + used);
    }
}

/* Numbers of the rows in `text`; as many as fit into `list`. */
static Status parse_rows(const char *text, size_t list[COUNT(rows)], size_t *count,
                         Err *err) {
    char *words = mem_strdup(text), *rest = words, *word;
    Status status = OK;
    *count = 0;
    while (!status && (word = strsep(&rest, ","))) {
        size_t i = 0;
        while (i < COUNT(rows) && strcmp(rows[i].name, word)) i++;
        if (i == COUNT(rows))
            status = err_set(err, FAIL_USAGE, "row \"%s\": wanted some of %s", word,
                             figure_rows());
        else if (*count == COUNT(rows))
            status =
                err_set(err, FAIL_USAGE, "more than %zu rows in one figure", COUNT(rows));
        else
            list[(*count)++] = i;
    }
    mem_free(words);
    return status;
}

static void score_label(const RunLog *const *runs, size_t count, char label[96]) {
    static const struct {
        const char *metric, *label;
    } names[] = {{"top1", "top-1 (%)"},
                 {"bleu", "BLEU"},
                 {"wer", "word error rate"},
                 {"ppl", "perplexity"}};
    text_format(label, 96, "score");
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < runs[r]->eval_count; i++)
            for (size_t n = 0; n < COUNT(names); n++)
                if (runs[r]->evals[i].metric &&
                    !strcmp(runs[r]->evals[i].metric, names[n].metric))
                    text_format(label, 96, "%s", names[n].label);
}

/* What distinguishes a run, from its recipe: "reparam sigma · norm none · lr 0.02". */
static void run_detail(const RunLog *run, char *text, size_t size) {
    static const char *const keys[] = {"model.reparam", "model.norm", "optim.lr"};
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < COUNT(keys); i++) {
        const char *value = runlog_setting(run, keys[i]);
        if (!value) continue;
        int more = snprintf(text + used, size - used, "%s%s %.24s", used ? " · " : "",
                            strchr(keys[i], '.') + 1, value);
        used = MIN(used + (size_t)more, size - 1);
    }
}

static Chart *build_training(const RunLog *const *runs, size_t count,
                             const LayerChoice *choice, const size_t *list,
                             size_t row_count, const FigureOptions *options) {
    Chart *chart = chart_new(row_count, count, options->theme);
    if (options->title) chart_title(chart, options->title);
    for (size_t c = 0; c < count; c++) {
        char detail[128], score[96];
        run_detail(runs[c], detail, sizeof detail);
        score_label(runs, count, score);
        chart_column_title(chart, c, runs[c]->name, detail);
        for (size_t r = 0; r < row_count; r++) {
            Panel *panel = chart_panel(chart, r, c);
            bool is_score = rows[list[r]].paint == paint_score;
            panel_axes(panel, "optimizer step", is_score ? score : rows[list[r]].label);
            chart_row_height(chart, r, rows[list[r]].height);
            rows[list[r]].paint(&(Cell){runs, count, runs[c], choice, chart, panel});
        }
    }
    return chart;
}

Chart *figure_training(const RunLog *const *runs, size_t count,
                       const FigureOptions *options, Err *err) {
    const char *layers = options->layers ? options->layers : FIGURE_LAYERS_DEFAULT;
    size_t list[COUNT(rows)], row_count;
    Status status = parse_rows(options->rows ? options->rows : FIGURE_ROWS_DEFAULT, list,
                               &row_count, err);
    LayerChoice choice = {0};
    for (size_t r = 0; r < count && !status; r++) {
        status = runlog_check_rows(runs[r], err);
        if (!status) status = layer_choose(&choice, runs[r], layers, err);
    }
    Chart *chart =
        status ? NULL : build_training(runs, count, &choice, list, row_count, options);
    layer_choice_free(&choice);
    return chart;
}

static Status write_one(Chart *chart, const char *dir, const char *name, Err *err) {
    if (!chart) return OK;
    char path[4200];
    text_format(path, sizeof path, "%s/figures/%s.png", dir, name);
    Status status = chart_write(chart, path, err);
    chart_free(chart);
    return status;
}

static Status write_all(const RunLog *run, const char *dir, Err *err) {
    char present[128];
    figure_rows_present(&run, 1, present, sizeof present);
    Chart *training = figure_training(&run, 1, &(FigureOptions){.rows = present}, err);
    if (!training) return err->status;
    Status status = write_one(training, dir, "training", err);
    if (!status)
        status =
            write_one(figure_entropy_heads(run, THEME_LIGHT), dir, "entropy-heads", err);
    if (!status)
        status = write_one(figure_entropy_layers(run, THEME_LIGHT), dir, "entropy-layers",
                           err);
    if (!status)
        status = write_one(figure_weights(run, THEME_LIGHT), dir, "weights", err);
    return status;
}

Status figures_write_run(const char *run_dir, Err *err) {
    Err own = ERR_NONE;
    if (!err) err = &own;
    RunLog *run = runlog_open(run_dir, err);
    if (!run) return err->status;
    char dir[4100];
    text_format(dir, sizeof dir, "%s/figures", run_dir);
    Status status = runlog_check_rows(run, err);
    if (!status && mkdir(dir, 0777) && errno != EEXIST)
        status = err_set(err, FAIL_RUN, "%.800s: %s", dir, strerror(errno));
    if (!status) status = write_all(run, run_dir, err);
    runlog_free(run);
    return status;
}
