/* trials_draw: figures of the trials of sweeps (tools/sweep/sweep.h). */
#include <stdlib.h>
#include <string.h>

#include "tools/figure/trials.h"
#include "tools/sweep/trials.h"

enum { DETAIL = 120 };

typedef struct Drawing {
    const SweepTrialsFigure *options;
    const Sweep *sweeps;
    size_t sweep_count;
    const Pool *pool;
    const SweepTrials *trials;
    size_t column[TRIAL_METHODS_MOST]; /* of each method that has trials: its place */
} Drawing;

/* ---- notes ---- */

/* "runs/a: 2 of 24 runs unfinished, not drawn: demo,train.seed=3; ..." */
static void note_missing(const Sweep *sweep, FILE *notes) {
    size_t missing = 0;
    for (size_t c = 0; c < sweep->cell_count; c++)
        missing += !sweep_has_ended(&sweep->cells[c]);
    if (!missing) return;
    fprintf(notes, "note: %s: %zu of %zu runs unfinished, not drawn:", sweep->dir,
            missing, sweep->cell_count);
    sweep_print_open(sweep, notes);
    fputs("\n", notes);
}

/* "note: 3 runs are scored on split test, not val, and have no score here ..." */
static void note_splits(const Drawing *d, FILE *notes) {
    const SweepCell *first = NULL;
    char name[POOL_NAME];
    size_t count = 0;
    for (size_t c = 0; c < d->pool->count && d->trials->metric < METRIC_COUNT; c++) {
        const SweepCell *cell = d->pool->cells[c].cell;
        if (!sweep_has_ended(cell) || pool_same_split(d->pool, cell)) continue;
        if (!count++) first = cell;
    }
    if (!count) return;
    pool_name(d->pool, first, name);
    fprintf(notes,
            "note: %zu run%s scored on split %s, not %s, and %s no score here (first: "
            "%s)\n",
            count, count == 1 ? " is" : "s are", first->result.split,
            d->pool->like->split, count == 1 ? "has" : "have", name);
}

static void score_text(const SweepTrial *trial, char text[32]) {
    text_format(text, 32, "%s", "no score");
    if (isfinite(trial->score)) text_format(text, 32, "%.4g", trial->score);
}

static void name_method(const Drawing *d, size_t method, char name[SWEEP_NAME]) {
    *name = 0;
    pool_add_value(&d->pool->methods, method, name);
    if (!*name) text_format(name, SWEEP_NAME, "all runs");
}

/* "demo: best demo,train.seed=1 (74.1), worst demo,train.seed=3 (10.02, fails)" */
static void note_method(const Drawing *d, size_t method, FILE *notes) {
    size_t from = d->trials->first[method], to = d->trials->first[method + 1];
    char name[SWEEP_NAME];
    name_method(d, method, name);
    if (from == to) {
        fprintf(notes, "note: %s: no run has ended\n", name);
        return;
    }
    const SweepTrial *ends[] = {&d->trials->list[from], &d->trials->list[to - 1]};
    fprintf(notes, "%s:", name);
    for (size_t i = 0; i < 2 && (!i || ends[1] != ends[0]); i++) {
        char score[32];
        score_text(ends[i], score);
        fprintf(notes, "%s %s %s (%s%s)", i ? "," : "", i ? "worst" : "best",
                ends[i]->at->cell->name, score, ends[i]->failed ? ", fails" : "");
    }
    fputs("\n", notes);
}

/* ---- what is drawn ---- */

static char *folder_of(const Drawing *d, const SweepCell *cell) {
    char dir[SWEEP_DIR + SWEEP_NAME + 16] = "";
    for (size_t s = 0; s < d->sweep_count; s++) {
        const SweepCell *cells = d->sweeps[s].cells;
        for (size_t c = 0; c < d->sweeps[s].cell_count; c++)
            if (&cells[c] == cell) sweep_cell_dir(&d->sweeps[s], c, dir, sizeof dir);
    }
    return mem_strdup(dir);
}

/* Trials without an evaluation have no line. */
static size_t count_bare(const SweepTrials *t, size_t method) {
    size_t bare = 0;
    for (size_t i = t->first[method]; i < t->first[method + 1]; i++)
        bare += t->metric < METRIC_COUNT && !t->list[i].at->cell->result.metric;
    return bare;
}

static void detail_of(const Drawing *d, size_t method, char text[DETAIL]) {
    const SweepTrials *t = d->trials;
    size_t from = t->first[method], to = t->first[method + 1];
    size_t failed = trials_failed(t, method);
    char best[32] = "", worst[32] = "";
    if (d->options->kind == TRIALS_BEST_WORST) {
        score_text(&t->list[from], best);
        score_text(&t->list[to - 1], worst);
        text_format(text, DETAIL, "of %zu: best %s, worst %s%s%s", to - from, best, worst,
                    t->metric < METRIC_COUNT ? " on " : "",
                    t->metric < METRIC_COUNT ? d->pool->like->split : "");
    } else if (!failed)
        text_format(text, DETAIL, "none of %zu fail%s", to - from,
                    to - from == 1 ? "s" : "");
    else
        text_format(text, DETAIL, "%zu of %zu fail%s", failed, to - from,
                    failed == 1 ? "s" : "");
    size_t used = strlen(text), bare = count_bare(t, method);
    if (bare && d->options->kind == TRIALS_ALL)
        text_format(text + used, DETAIL - used, ", %zu never evaluated", bare);
}

static Trial trial_new(const Drawing *d, size_t i, TrialRole role) {
    const SweepTrial *trial = &d->trials->list[i];
    return (Trial){folder_of(d, trial->at->cell), d->column[trial->at->method], role,
                   trial->score};
}

/* Into list[trials + 1]; those that failed after the others, so that they are seen. */
static size_t choose_trials(const Drawing *d, Trial *list) {
    const SweepTrials *t = d->trials;
    size_t count = 0;
    for (size_t m = 0; m < d->pool->methods.count; m++) {
        size_t from = t->first[m], to = t->first[m + 1];
        bool ends = d->options->kind == TRIALS_BEST_WORST;
        if (ends && to > from) list[count++] = trial_new(d, from, TRIAL_BEST);
        if (ends && to > from + 1) list[count++] = trial_new(d, to - 1, TRIAL_WORST);
        for (size_t i = from; i < to && d->options->kind == TRIALS_RANK; i++)
            list[count++] =
                trial_new(d, i, t->list[i].failed ? TRIAL_FAILED : TRIAL_PASSED);
    }
    for (int failed = 0; failed < 2 && d->options->kind == TRIALS_ALL; failed++)
        for (size_t i = 0; i < t->count; i++)
            if (t->list[i].failed == failed)
                list[count++] = trial_new(d, i, failed ? TRIAL_FAILED : TRIAL_PASSED);
    return count;
}

static Status write_figure(const Drawing *d, const TrialMethods *methods, Err *err) {
    const SweepTrialsFigure *o = d->options;
    char y[96], fails[96];
    trials_score_name(d->trials, d->pool, y);
    text_format(fails, sizeof fails, "%.90s",
                d->pool->criterion ? d->pool->criterion : "diverged");
    TrialOptions options = {
        .figure = o->figure, .metric = d->trials->metric, .y = y, .fails = fails};
    if (!options.figure.rows && o->kind == TRIALS_ALL) options.figure.rows = "score";
    Trial *list = mem_zarray(d->trials->count + 1, sizeof *list);
    size_t count = choose_trials(d, list);
    Chart *chart = o->kind == TRIALS_RANK
                       ? figure_rank(list, count, methods, &options)
                       : figure_trials(list, count, methods, &options, err);
    Status status = chart ? chart_write(chart, o->output, NULL, err) : err->status;
    chart_free(chart);
    for (size_t i = 0; i < count; i++) mem_free((char *)(uintptr_t)list[i].run);
    mem_free(list);
    return status;
}

/* Methods without a trial are named in the notes and have no place in the figure. */
static Status draw(Drawing *d, FILE *notes, Err *err) {
    size_t count = d->pool->methods.count, shown = 0;
    if (count > TRIAL_METHODS_MOST)
        return err_set(err, FAIL_USAGE,
                       "%zu methods (%s) are too many for one figure (at most %d); "
                       "give --method fewer keys",
                       count, d->pool->methods.title, TRIAL_METHODS_MOST);
    const char *names[TRIAL_METHODS_MOST] = {0}, *details[TRIAL_METHODS_MOST] = {0};
    char name[TRIAL_METHODS_MOST][SWEEP_NAME] = {0},
         text[TRIAL_METHODS_MOST][DETAIL] = {0};
    for (size_t m = 0; m < count; m++) {
        if (d->trials->first[m] == d->trials->first[m + 1]) continue;
        name_method(d, m, name[m]);
        detail_of(d, m, text[m]);
        names[shown] = name[m], details[shown] = text[m];
        d->column[m] = shown++;
    }
    for (size_t s = 0; s < d->sweep_count; s++) note_missing(&d->sweeps[s], notes);
    pool_print_criteria(d->pool, "note: ", notes);
    note_splits(d, notes);
    for (size_t m = 0; m < count; m++) note_method(d, m, notes);
    return write_figure(d, &(TrialMethods){names, details, shown}, err);
}

Status sweep_draw_trials(const char *const *dirs, size_t count,
                         const SweepTrialsFigure *options, FILE *notes, Err *err) {
    Sweep *sweeps;
    Pool pool = {.count = 0};
    SweepTrials trials = {.count = 0};
    SweepChoice choice = {.method = options->method};
    Status status = sweep_open_folders(dirs, count, options->fail, &sweeps, err);
    if (!status) choice = sweep_choice_across(sweeps, count, &choice);
    if (!status) status = pool_open(&pool, sweeps, count, &choice, err);
    if (!status) status = trials_open(&trials, &pool, options->score, err);
    Drawing drawing = {options, sweeps, count, &pool, &trials, {0}};
    if (!status) status = draw(&drawing, notes, err);
    trials_close(&trials);
    pool_close(&pool);
    sweep_close_folders(sweeps, count);
    return status;
}
