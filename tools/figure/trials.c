#include "tools/figure/trials.h"

#include <math.h>
#include <string.h>

#include "tools/figure/trial_lines.h"
#include "tools/program/say.h"

enum {
    ROWS_MOST = 16, /* more than there are */
    LINE_MOST = 4,  /* methods beside each other where one row can be broken */
    WRAPPED = 5     /* panels of a line of a broken row, at most */
};

#define LOSS_TOP 1.6   /* of chance: where the axis of a loss ends */
#define LOG_RANGE 1e-9 /* of the highest: where a log axis ends */

/* A row of the figure, and what its lines come to. */
typedef struct RowState {
    const TrialRow *row;
    double low, high, chance, guess_nll;
    bool drawn[TRIAL_METHODS_MOST];      /* something of the method */
    const char *why[TRIAL_METHODS_MOST]; /* else: its first run's reason */
} RowState;

typedef struct RowStates {
    RowState row[ROWS_MOST];
    size_t count;
} RowStates;

static Status add_row(RowStates *rows, const char *word, Err *err) {
    const TrialRow *row = trial_row_find(word);
    if (!row)
        return err_set(err, FAIL_USAGE, "row \"%s\": expected some of %s", word,
                       trial_rows());
    for (size_t r = 0; r < rows->count; r++)
        if (rows->row[r].row == row) return OK;
    rows->row[rows->count++] = (RowState){
        .row = row, .low = INFINITY, .high = -INFINITY, .chance = NAN, .guess_nll = NAN};
    return OK;
}

static Status parse_rows(RowStates *rows, const char *text, Err *err) {
    char *words = mem_strdup(text), *rest = words, *word;
    Status status = OK;
    while (!status && (word = strsep(&rest, ","))) status = add_row(rows, word, err);
    mem_free(words);
    return status;
}

/* ---- one run ---- */

static const struct {
    const char *label;
    Hue hue;
    double width;
    bool dashed;
} ROLES[] = {[TRIAL_BEST] = {"best", HUE_BLUE, 1.5, false},
             [TRIAL_WORST] = {"worst", HUE_ORANGE, 1.3, true},
             [TRIAL_PASSED] = {"one trial", HUE_BLUE, 0.9, false},
             [TRIAL_FAILED] = {"fails", HUE_ORANGE, 0.9, false}};

typedef struct Figure {
    Chart *chart;
    const TrialMethods *methods;
    const TrialOptions *options;
    RowStates rows;
    size_t line; /* panels of a line: methods, or fewer of a single row that is broken */
    bool epochs;
    char split[16];
} Figure;

static Panel *panel_of(const Figure *figure, size_t row, size_t method) {
    size_t line = method / figure->line;
    return chart_panel(figure->chart, row + line, method % figure->line);
}

/* "best", "worst: blocks.0", "fails: loss > 1.48" */
static void name_line(const Figure *figure, const Line *line, TrialRole role,
                      char label[96]) {
    char layer[96] = "";
    if (line->name) layer_label(line->name, layer);
    else if (role == TRIAL_FAILED)
        text_format(layer, sizeof layer, "%.80s", figure->options->fails);
    text_format(label, 96, "%s%s%.80s", ROLES[role].label, *layer ? ": " : "", layer);
    if (!line->named) *label = 0;
}

/* Several lines of a run differ by their shades. */
static Colour colour_of(const Figure *figure, const Line *line, TrialRole role) {
    if (line->several) return chart_ramp(figure->chart, ROLES[role].hue, line->shade);
    return chart_palette(figure->chart, ROLES[role].hue);
}

static bool is_log(const Figure *figure, const RowState *row) {
    Metric metric = figure->options->metric;
    return row->row->axis == Y_LOG ||
           (row->row->axis == Y_SCORE && metric < METRIC_COUNT &&
            metrics[metric].axis == AXIS_LOG);
}

/* Points that can be seen: a log axis has no place for 0. */
static size_t widen_limits(const Figure *figure, RowState *row, const Line *line) {
    bool log = is_log(figure, row);
    size_t seen = 0;
    for (size_t i = 0; i < line->count; i++) {
        if (log && !(line->y[i] > 0)) continue;
        row->low = fmin(row->low, line->y[i]);
        row->high = fmax(row->high, line->y[i]);
        seen++;
    }
    return seen;
}

/* false: there was nothing to see. */
static bool draw_line(Figure *figure, RowState *row, Panel *panel, const Line *line,
                      TrialRole role) {
    char label[96];
    name_line(figure, line, role, label);
    if (!widen_limits(figure, row, line)) return false;
    panel_line(panel, line->x, line->y, line->count,
               (Style){.colour = colour_of(figure, line, role),
                       .width = ROLES[role].width,
                       .dashed = ROLES[role].dashed,
                       .mark = line->count == 1 ? MARK_DOT : MARK_NONE},
               label);
    return true;
}

static void draw_run(Figure *figure, const Trial *trial, const LineSource *source) {
    for (RowState *row = figure->rows.row; row < figure->rows.row + figure->rows.count;
         row++) {
        Panel *panel = panel_of(figure, (size_t)(row - figure->rows.row), trial->method);
        Line line;
        for (size_t n = 0;
             line = (Line){.shade = 0.5, .named = true}, row->row->read(source, n, &line);
             n++) {
            row->drawn[trial->method] |=
                draw_line(figure, row, panel, &line, trial->role);
            mem_free(line.x);
        }
        if (!row->why[trial->method]) row->why[trial->method] = row->row->why(source);
        if (!(source->run->chance > 0)) continue;
        row->chance = source->run->chance;
        row->guess_nll = source->run->guess_nll;
    }
}

/* ---- the figure ---- */

/* The split with the most evaluations; of equal ones the last evaluation's. */
static void choose_split(Figure *figure, const RunLog *run) {
    size_t most = 0;
    for (size_t last = run->eval_count; last-- > 0;) {
        const EvalRow *row = &run->evals[last];
        size_t count = 0;
        for (size_t i = 0; i < run->eval_count; i++)
            count += !strcmp(run->evals[i].split, row->split) &&
                     (figure->options->metric == METRIC_COUNT ||
                      isfinite(run->evals[i].scores[figure->options->metric]));
        if (count <= most) continue;
        most = count;
        memcpy(figure->split, row->split, sizeof figure->split);
    }
}

static void label_row(const Figure *figure, const RowState *row, char label[96]) {
    const TrialOptions *o = figure->options;
    if (row->row->label) text_format(label, 96, "%s", row->row->label);
    else if (o->metric == METRIC_COUNT) text_format(label, 96, "training loss");
    else
        text_format(label, 96, "%s (%s)",
                    metrics[o->metric].label ? metrics[o->metric].label
                                             : metrics[o->metric].key,
                    split_word(figure->split));
}

static bool is_loss(const Figure *figure, const RowState *row) {
    Metric metric = figure->options->metric;
    return row->row->axis == Y_LOSS ||
           (row->row->axis == Y_SCORE &&
            (metric == METRIC_COUNT || metric == METRIC_LOSS));
}

/* What guessing has, where it is known. */
static double guess_of(const Figure *figure, const RowState *row) {
    Metric metric = figure->options->metric;
    if (is_loss(figure, row)) return row->chance;
    return row->row->axis == Y_SCORE ? metric_guess(metric, row->guess_nll) : NAN;
}

/* Panels of a row that is broken into lines, losses far above chance and what vanishes
 * on a log axis need limits; others share what their lines have. */
static void limit_row(const Figure *figure, const RowState *row, Panel *panel) {
    double low = row->low, high = row->high;
    if (row->row->axis == Y_ZERO && high > 0) low = 0;
    if (!(low < high)) return;

    double top = is_loss(figure, row) ? LOSS_TOP * row->chance : NAN;
    double bottom = is_log(figure, row) ? LOG_RANGE * high : -INFINITY;
    bool outside = (high > top && low < top) || low < bottom || low < row->low;
    if (figure->line == figure->methods->count && !outside) return;
    if (low < top) high = fmin(high, top);
    low = fmax(low, bottom);
    double guess = guess_of(figure, row);
    low = fmin(low, guess), high = fmax(high, guess);
    if (is_log(figure, row)) {
        panel_range_y(panel, low / 1.2, high * 1.2);
        return;
    }
    double air = 0.06 * (high - low);
    panel_range_y(panel, low >= 0 && low < 0.25 * high ? 0 : low - air, high + air);
}

static void finish_panel(const Figure *figure, size_t row, size_t method) {
    const RowState *state = &figure->rows.row[row];
    Panel *panel = panel_of(figure, row, method);
    char label[96];
    label_row(figure, state, label);
    panel_axes(panel, figure->epochs ? "epoch" : "optimizer step", label);
    if (is_log(figure, state)) panel_log_y(panel);
    limit_row(figure, state, panel);
    if (!state->drawn[method])
        panel_empty(panel, state->why[method] ? state->why[method] : "no trial");
    double guess = guess_of(figure, state);
    if (isfinite(guess))
        panel_level(panel, guess, chart_palette(figure->chart, 6), "chance");
}

static bool is_drawn(const Figure *figure, size_t row) {
    for (size_t m = 0; m < figure->methods->count; m++)
        if (figure->rows.row[row].drawn[m]) return true;
    return false;
}

/* Rows that no trial has numbers for; all of them stay, with the reasons, where there is
 * nothing else. */
static void hide_rows(const Figure *figure) {
    size_t drawn = 0;
    for (size_t r = 0; r < figure->rows.count; r++) drawn += is_drawn(figure, r);
    for (size_t r = 0; r < figure->rows.count && drawn; r++) {
        if (is_drawn(figure, r)) continue;
        for (size_t m = 0; m < figure->methods->count; m++)
            panel_hide(panel_of(figure, r, m));
        const RowState *row = &figure->rows.row[r];
        say("steady: note: row %s is left out: no run has numbers for it (%s)",
            row->row->name, row->why[0] ? row->why[0] : "no trial");
    }
}

static void finish(const Figure *figure) {
    const TrialMethods *methods = figure->methods;
    size_t lines = (methods->count + figure->line - 1) / figure->line;
    bool wrapped = lines > 1;
    hide_rows(figure);
    for (size_t r = 0; r < figure->rows.count; r++)
        for (size_t l = 0; l < lines; l++)
            chart_row_height(figure->chart, r + l, figure->rows.row[r].row->height);
    for (size_t m = 0; m < methods->count; m++) {
        for (size_t r = 0; r < figure->rows.count; r++) finish_panel(figure, r, m);
        char heading[96];
        text_format(heading, sizeof heading, "%.60s: %.30s", methods->name[m],
                    methods->detail[m]);
        if (wrapped) panel_heading(panel_of(figure, 0, m), heading);
        else chart_column_title(figure->chart, m, methods->name[m], methods->detail[m]);
    }
    for (size_t m = methods->count; m < lines * figure->line; m++)
        panel_hide(panel_of(figure, 0, m));
}

/* What the first run shows of the others: rows that there are numbers for, epochs, the
 * split. */
static Status begin(Figure *figure, const RunLog *run, Err *err) {
    const FigureOptions *o = &figure->options->figure;
    const char *text = o->rows ? o->rows : TRIAL_ROWS_DEFAULT;
    figure->epochs = run->train.count && isfinite(run->train.epoch[0]);
    choose_split(figure, run);
    if (parse_rows(&figure->rows, text, err)) return err->status;
    size_t methods = figure->methods->count;
    bool wrapped = figure->rows.count == 1 && methods > LINE_MOST;
    figure->line = wrapped ? MIN(WRAPPED, (methods + 1) / 2) : methods;
    size_t lines = (methods + figure->line - 1) / figure->line;
    figure->chart = chart_new(figure->rows.count + lines - 1, figure->line, o->theme);
    if (o->title) chart_title(figure->chart, o->title);
    return OK;
}

static Status add_run(Figure *figure, const Trial *trial, Err *err) {
    const FigureOptions *o = &figure->options->figure;
    RunLog *run = runlog_open(trial->run, err);
    if (!run) return err->status;
    LayerChoice choice = {0};
    Status status = layer_choose(&choice, run, o->layers ? o->layers : "first", err);
    if (!status && !figure->chart) status = begin(figure, run, err);
    if (!status)
        draw_run(figure, trial,
                 &(LineSource){run, &choice, figure->options->metric, figure->split,
                               figure->epochs});
    layer_choice_free(&choice);
    runlog_free(run);
    return status;
}

Chart *figure_trials(const Trial *trials, size_t count, const TrialMethods *methods,
                     const TrialOptions *options, Err *err) {
    Figure figure = {.methods = methods, .options = options};
    Status status = OK;
    for (size_t i = 0; i < count && !status; i++)
        status = add_run(&figure, &trials[i], err);
    if (!status && figure.chart) {
        finish(&figure);
        return figure.chart;
    }
    chart_free(figure.chart);
    return NULL;
}
