#include "tools/figure/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/figure/parts.h"
#include "tools/program/say.h"

/* ---- what runs have numbers for ---- */

static bool has_loss(const RunLog *run) { return run->train.count > 0; }

static bool has_attention(const RunLog *run) { return run->probe.site_count > 0; }

static bool has_query_number(const RunLog *run, WeightNumber number) {
    for (size_t i = 0; i < run->probe.site_count; i++) {
        const WeightLog *weight = figure_query_weight(run, run->probe.sites[i].name);
        if (weight && figure_is_measured(&run->probe, weight, number)) return true;
    }
    return false;
}

static bool has_sigma(const RunLog *run) { return has_query_number(run, WEIGHT_SIGMA); }

static bool has_number(const RunLog *run, SiteNumber number) {
    for (size_t i = 0; i < run->probe.site_count; i++)
        if (run->probe.sites[i].value[number]) return true;
    return false;
}

static bool has_input(const RunLog *run) { return has_number(run, SITE_INPUT); }

static bool has_sigma2(const RunLog *run) { return has_number(run, SITE_SIGMA2); }

static bool has_rank(const RunLog *run) { return has_number(run, SITE_RANK); }

static bool has_sec(const RunLog *run) {
    for (size_t i = 0; i < run->probe.site_count; i++)
        if (run->probe.sites[i].head[HEAD_SEC]) return true;
    return false;
}

static bool has_gradients(const RunLog *run) {
    return figure_has_weight(run, WEIGHT_GRAD_NORM);
}

static bool has_updates(const RunLog *run) {
    return figure_has_weight(run, WEIGHT_UPDATE_RATIO);
}

static bool has_grad_inf(const RunLog *run) {
    return has_query_number(run, WEIGHT_GRAD_INF);
}

static bool has_front_grad(const RunLog *run) {
    const ProbeLog *probe = &run->probe;
    size_t i = 0;
    for (; (i = figure_front_weight(probe, i)) < probe->weight_count; i++)
        if (figure_is_measured(probe, &probe->weights[i], WEIGHT_GRAD_INF)) return true;
    return false;
}

/* Evaluations of any run that have this score. */
static bool has_metric(const RunLog *const *runs, size_t count, Metric metric) {
    for (size_t r = 0; r < count; r++)
        if (runlog_scored(runs[r], metric)) return true;
    return false;
}

static bool has_score(const RunLog *run) {
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++)
        if (runlog_scored(run, metric_shown(i))) return true;
    return false;
}

static bool has_kind(const RunLog *const *runs, size_t count, LayerKind kind) {
    for (size_t r = 0; r < count; r++)
        if (layer_kind_count(&runs[r]->probe, kind)) return true;
    return false;
}

/* ---- the choice of rows ---- */

enum { ROW_ENTROPY = 1, ROW_SCORE = 4, ROW_SHARPNESS = 6, ROW_RAW };

static const struct {
    const char *name, *label;
    PaintCell *paint;
    bool (*present)(const RunLog *run);
    double height;
} rows[] = {
    {"loss", "loss (nats)", paint_loss, has_loss, 125},
    [ROW_ENTROPY] = {"entropy", "attention", paint_entropy, has_attention, 140},
    {"logit", "largest logit", paint_logit, has_attention, 95},
    {"sigma", "spectral norm σ", paint_sigma, has_sigma, 95},
    [ROW_SCORE] = {"score", "score", paint_score, has_score, 95},
    {"grad", "gradient norm", paint_gradient, has_loss, 95},
    [ROW_SHARPNESS] = {"sharpness", "preconditioned |λ|", paint_sharpness,
                       figure_has_sharpness, 110},
    [ROW_RAW] = {"raw-sharpness", "raw Hessian |λ|", paint_raw_sharpness,
                 figure_has_raw_sharpness, 95},
    {"gradients", "gradient norm of blocks", paint_gradients, has_gradients, 120},
    {"updates", "largest ‖ΔW‖/‖W‖", paint_updates, has_updates, 120},
    {"grad-inf", "largest |gradient|, attention", paint_grad_inf, has_grad_inf, 110},
    {"front-grad", "largest |gradient|, front", paint_front_grad, has_front_grad, 110},
    {"lr", "learning rate", paint_rate, has_loss, 70},
    {"input", "input ‖x‖²", paint_input, has_input, 95},
    {"sigma2", "σ² of q and k", paint_sigma2, has_sigma2, 95},
    {"sec", "SEC(4)", paint_sec, has_sec, 95},
    {"rank", "rank of output", paint_rank, has_rank, 95},
};

/* A row of panels: entropy of one kind of attention, one score, or the
 * only one of its name. */
typedef struct RowChoice {
    size_t index; /* of rows[] */
    LayerKind kind;
    Metric metric;
} RowChoice;

typedef struct RowList {
    RowChoice row[COUNT(rows) + KIND_COUNT + METRIC_COUNT];
    size_t count;
} RowList;

const char *figure_rows(void) {
    return "loss,entropy,encoder,cross,decoder,logit,sigma,score,grad,sharpness,"
           "raw-sharpness,gradients,updates,grad-inf,front-grad,lr,input,sigma2,sec,rank";
}

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

/* What is named twice stands once. */
static void add_row(RowList *list, size_t index, LayerKind kind, Metric metric) {
    for (size_t i = 0; i < list->count; i++) {
        const RowChoice *row = &list->row[i];
        if (row->index == index && row->kind == kind && row->metric == metric) return;
    }
    list->row[list->count++] = (RowChoice){index, kind, metric};
}

/* Entropy: a row for each kind of attention that the runs have. */
static void add_kinds(RowList *list, const RunLog *const *runs, size_t count) {
    bool any = false;
    for (size_t k = 0; k < KIND_COUNT; k++) {
        bool wanted = has_kind(runs, count, (LayerKind)k);
        if (wanted || (k == KIND_PLAIN && !any))
            add_row(list, ROW_ENTROPY, (LayerKind)k, METRIC_COUNT);
        any |= wanted;
    }
}

/* Score: a row for each that the evaluations have; some say little beside another. */
static void add_metrics(RowList *list, const RunLog *const *runs, size_t count) {
    bool any = false;
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++) {
        Metric metric = metric_shown(i);
        if (!has_metric(runs, count, metric) || (metrics[metric].alone && any)) continue;
        add_row(list, ROW_SCORE, KIND_PLAIN, metric);
        any = true;
    }
    if (!any) add_row(list, ROW_SCORE, KIND_PLAIN, METRIC_COUNT);
}

static Status add_word(RowList *list, const char *word, const RunLog *const *runs,
                       size_t count, Err *err) {
    for (size_t k = 0; k < KIND_PLAIN; k++)
        if (!strcmp(layer_kinds[k].key, word)) {
            add_row(list, ROW_ENTROPY, (LayerKind)k, METRIC_COUNT);
            return OK;
        }
    size_t i = 0;
    while (i < COUNT(rows) && strcmp(rows[i].name, word)) i++;
    if (i == COUNT(rows))
        return err_set(err, FAIL_USAGE, "row \"%s\": expected some of %s", word,
                       figure_rows());
    if (i == ROW_ENTROPY) add_kinds(list, runs, count);
    else if (i == ROW_SCORE) add_metrics(list, runs, count);
    else add_row(list, i, KIND_PLAIN, METRIC_COUNT);
    /* The raw spectrum stands below the one that says more. */
    if (i == ROW_SHARPNESS) add_row(list, ROW_RAW, KIND_PLAIN, METRIC_COUNT);
    return OK;
}

static Status parse_rows(RowList *list, const char *text, const RunLog *const *runs,
                         size_t count, Err *err) {
    char *words = mem_strdup(text), *rest = words, *word;
    Status status = OK;
    while (!status && (word = strsep(&rest, ",")))
        status = add_word(list, word, runs, count, err);
    mem_free(words);
    return status;
}

static void row_label(const RowChoice *row, char label[96]) {
    if (row->index == ROW_ENTROPY && row->kind == KIND_PLAIN)
        text_format(label, 96, "attention entropy (nats)");
    else if (row->index == ROW_ENTROPY)
        text_format(label, 96, "%s (nats)", layer_kinds[row->kind].label);
    else if (row->metric < METRIC_COUNT)
        text_format(label, 96, "%s", metrics[row->metric].label);
    else text_format(label, 96, "%s", rows[row->index].label);
}

/* Has the run numbers for it? */
static bool row_present(const RowChoice *row, const RunLog *run) {
    if (row->index == ROW_ENTROPY) return layer_kind_count(&run->probe, row->kind) > 0;
    if (row->metric < METRIC_COUNT) return runlog_scored(run, row->metric);
    return rows[row->index].present(run);
}

/* Of several runs, rows that none has numbers for are left out, and said. */
static void drop_absent(RowList *list, const RunLog *const *runs, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool present = count == 1;
        for (size_t r = 0; r < count; r++) present |= row_present(&list->row[i], runs[r]);
        if (present) list->row[kept++] = list->row[i];
        else
            say("steady: note: row %s is not drawn: no run has numbers for it",
                rows[list->row[i].index].name);
    }
    if (kept) list->count = kept; /* else one that says what is missing */
}

/* ---- the figure ---- */

/* Settings that change nothing that is drawn. */
static bool is_dull(const char *key) {
    static const char *const keys[] = {"probe.",           "train.log_every",
                                       "train.eval_every", "train.checkpoint_every",
                                       "train.keep",       "train.threads",
                                       "data.threads"};
    for (size_t i = 0; i < COUNT(keys); i++)
        if (!strncmp(key, keys[i], strlen(keys[i]))) return true;
    return false;
}

/* Has another run another value?  A run without a recipe says nothing. */
static bool differs(const RunLog *const *runs, size_t count, const Setting *setting) {
    for (size_t r = 0; r < count; r++) {
        const char *other = runlog_setting(runs[r], setting->key);
        if (runs[r]->setting_count && (!other || strcmp(other, setting->value) != 0))
            return true;
    }
    return false;
}

static size_t add_detail(const char *key, const char *value, char *text, size_t size) {
    size_t used = strlen(text);
    const char *dot = strchr(key, '.');
    snprintf(text + used, size - used, "%s%s %.40s", used ? " · " : "",
             dot ? dot + 1 : key, *value ? value : "-");
    return strlen(text);
}

/* What distinguishes a run from the others, by its recipe: "reparam sigma · lr 0.02"; of
 * one alone, or of equal ones, what matters most to its attention. */
static void run_detail(const RunLog *const *runs, size_t count, const RunLog *run,
                       char *text, size_t size) {
    static const char *const keys[] = {"model.reparam", "model.norm", "optim.lr"};
    text[0] = '\0';
    for (size_t i = 0; i < run->setting_count; i++) {
        const Setting *s = &run->settings[i];
        if (is_dull(s->key) || !differs(runs, count, s)) continue;
        if (add_detail(s->key, s->value, text, size) + 60 > size) return;
    }
    bool equal = !*text;
    for (size_t i = 0; i < COUNT(keys) && equal; i++) {
        const char *value = runlog_setting(run, keys[i]);
        if (value) add_detail(keys[i], value, text, size);
    }
}

/* Has every run this value? */
static bool part_is_shared(const RunLog *const *runs, size_t count, const char *key,
                           const char *value) {
    for (size_t r = 0; r < count; r++) {
        const char *other = runlog_setting(runs[r], key);
        if (!other || strcmp(other, value) != 0) return false;
    }
    return true;
}

static bool part_is_told(const char *detail, const char *key, const char *value) {
    char words[200] = "";
    add_detail(key, value, words, sizeof words);
    return strstr(detail, words) != NULL;
}

/* Length of the first part of a sweep's name of a run; a value can have commas. */
static size_t part_length(const char *name) {
    size_t n = strcspn(name, ",");
    while (name[n]) {
        size_t next = strcspn(name + n + 1, ",");
        if (memchr(name + n + 1, '=', next)) break;
        n += 1 + next;
    }
    return n;
}

/* The run's name without what all runs have, and without what `detail` says: of
 * "demo,optim.lr=0.02,train.seed=1" the first word, if the learning rate is the only
 * difference.  Whole if nothing would be left. */
static void run_title(const RunLog *const *runs, size_t count, const RunLog *run,
                      const char *detail, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (const char *at = run->name; *at && count > 1;) {
        char key[128];
        size_t n = part_length(at);
        snprintf(key, sizeof key, "%.*s", (int)n, at);
        char *value = strchr(key, '=');
        if (value) *value++ = '\0';
        if (!value || !(part_is_shared(runs, count, key, value) ||
                        part_is_told(detail, key, value)))
            used += (size_t)snprintf(text + used, size - used, "%s%.*s", used ? "," : "",
                                     (int)n, at);
        if (used >= size) used = size - 1;
        at += n + (at[n] == ',');
    }
    if (!used) snprintf(text, size, "%s", run->name);
}

static Chart *build_training(const RunLog *const *runs, size_t count,
                             const LayerChoice *choice, const RowList *list,
                             const FigureOptions *options) {
    Chart *chart = chart_new(list->count, count, options->theme);
    if (options->title) chart_title(chart, options->title);
    for (size_t c = 0; c < count; c++) {
        char detail[240], label[96], name[sizeof runs[c]->name];
        run_detail(runs, count, runs[c], detail, sizeof detail);
        run_title(runs, count, runs[c], detail, name, sizeof name);
        chart_column_title(chart, c, name, detail);
        for (size_t r = 0; r < list->count; r++) {
            const RowChoice *row = &list->row[r];
            Panel *panel = chart_panel(chart, r, c);
            row_label(row, label);
            panel_axes(panel, "optimizer step", label);
            panel_whole_x(panel);
            panel_say_sparse(panel);
            chart_row_height(chart, r, rows[row->index].height);
            if (row->index == ROW_RAW) chart_own_y(chart, r); /* not to be compared */
            if (count > 1 && !row_present(row, runs[c])) {
                panel_hide(panel);
                continue;
            }
            rows[row->index].paint(&(Cell){.runs = runs,
                                           .run_count = count,
                                           .run = runs[c],
                                           .choice = choice,
                                           .kind = row->kind,
                                           .metric = row->metric,
                                           .chart = chart,
                                           .panel = panel});
            figure_events(chart, panel, runs[c], r == 0);
        }
    }
    return chart;
}

Chart *figure_training(const RunLog *const *runs, size_t count,
                       const FigureOptions *options, Err *err) {
    const char *layers = options->layers ? options->layers : FIGURE_LAYERS_DEFAULT;
    RowList list = {.count = 0};
    Status status = parse_rows(&list, options->rows ? options->rows : FIGURE_ROWS_DEFAULT,
                               runs, count, err);
    LayerChoice choice = {0};
    if (!status) drop_absent(&list, runs, count);
    for (size_t r = 0; r < count && !status; r++) {
        status = runlog_check_rows(runs[r], err);
        if (!status) status = layer_choose(&choice, runs[r], layers, err);
    }
    Chart *chart = status ? NULL : build_training(runs, count, &choice, &list, options);
    layer_choice_free(&choice);
    return chart;
}

static Status write_one(Chart *chart, const char *dir, const char *name, Err *err) {
    if (!chart) return OK;
    char path[4200];
    text_format(path, sizeof path, "%s/figures/%s.png", dir, name);
    Status status = chart_write(chart, path, dir, err);
    chart_free(chart);
    return status;
}

static Status write_all(const RunLog *run, const char *dir, Err *err) {
    char present[200];
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
    if (!status) status = openfile_make_folder(dir, run_dir, err);
    if (!status) status = write_all(run, run_dir, err);
    runlog_free(run);
    return status;
}
