/* figure: the picture of a sweep, and all that is left behind at its end
 * (tools/sweep/sweep.h). */
#include <stdlib.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/program/apart.h"
#include "tools/program/textstream.h"
#include "tools/run/rundir.h"
#include "tools/sweep/compare.h"
#include "tools/sweep/origin.h"
#include "tools/sweep/page.h"

/* ---- the swept rate ---- */

/* The number of a value, or NaN. */
static double rate_of(const char *text) {
    char *end;
    double x = strtod(text, &end);
    return end > text && !*end && isfinite(x) ? x : NAN;
}

static bool is_rate(const SweepAxis *axis) {
    for (size_t i = 0; i < axis->count; i++)
        if (!isfinite(rate_of(axis->values[i]))) return false;
    return axis->count > 1 && strcmp(axis->key, "train.seed");
}

/* optim.lr if it is swept, else the first axis of numbers; axis_count: none. */
static size_t rate_axis(const Sweep *sweep) {
    size_t axis = sweep_axis(sweep, "optim.lr");
    if (axis < sweep->axis_count) return axis;
    for (axis = 1; axis < sweep->axis_count; axis++)
        if (is_rate(&sweep->axes[axis])) return axis;
    return sweep->axis_count;
}

/* ", lr 0.1" */
static void add_part(char name[SWEEP_NAME], const char *key, const char *value) {
    const char *dot = strrchr(key, '.');
    size_t used = strlen(name);
    snprintf(name + used, SWEEP_NAME - used, "%s%s%s%s", used ? ", " : "",
             dot ? dot + 1 : "", dot ? " " : "", value);
}

/* Names of lines have to differ: a name that was cut short gets a number at its end. */
static void settle_name(char name[SWEEP_NAME], size_t number) {
    enum { ROOM = 22 };
    if (strlen(name) + 1 == SWEEP_NAME)
        text_format(name + SWEEP_NAME - ROOM, ROOM, "~%zu", number);
}

/* The first cell of the same line. */
static size_t first_of_line(const Sweep *sweep, size_t cell, size_t rate, size_t seeds) {
    size_t first = 0, a = 0;
    for (; first < cell; first++) {
        for (a = 0; a < sweep->axis_count; a++)
            if (a != rate && a != seeds &&
                sweep_index(sweep, first, a) != sweep_index(sweep, cell, a))
                break;
        if (a == sweep->axis_count) break;
    }
    return first;
}

/* A line of the figure: the values of all swept axes but the rate and the seed. */
static void name_method(const Sweep *sweep, size_t cell, size_t rate,
                        char name[SWEEP_NAME]) {
    size_t seeds = sweep_axis(sweep, "train.seed");
    *name = 0;
    for (size_t a = 0; a < sweep->axis_count; a++) {
        bool named = a != rate && a != seeds && sweep_is_swept(sweep, a) &&
                     sweep_gives(sweep, cell, a);
        for (size_t k = 0; named && k < sweep->axes[a].key_count; k++)
            add_part(name, sweep->axes[a].keys[k], sweep_part(sweep, cell, a, k));
    }
    if (!*name) snprintf(name, SWEEP_NAME, "%s", sweep_label(sweep, cell, 0));
    settle_name(name, first_of_line(sweep, cell, rate, seeds));
}

static bool is_flawed(const SweepResult *r) {
    return !r->diverged &&
           (r->collapsed || isfinite(r->spike_depth) || isfinite(r->probe_fall));
}

size_t sweep_points(const Sweep *sweep, SweepPoint *points, char (*names)[SWEEP_NAME],
                    const char **x) {
    size_t rate = rate_axis(sweep), count = 0;
    if (rate == sweep->axis_count) return 0;
    *x = sweep->axes[rate].key;
    for (size_t c = 0; c < sweep->cell_count; c++) {
        const SweepResult *r = &sweep->cells[c].result;
        if (!sweep_has_ended(&sweep->cells[c]) || !sweep_gives(sweep, c, rate)) continue;
        name_method(sweep, c, rate, names[count]);
        Metric metric = metric_find(r->metric);
        points[count] = (SweepPoint){
            .method = names[count],
            .rate = rate_of(sweep->axes[rate].values[sweep_index(sweep, c, rate)]),
            .score = metric < METRIC_COUNT ? metrics[metric].factor * r->score : NAN,
            .failed = sweep->fail ? sweep->cells[c].fate == FATE_FAILED : r->diverged,
            .flawed = is_flawed(r)};
        count++;
    }
    return count;
}

/* ---- one number of a pool against its rates ---- */

/* A line of the figure: "demo, depth 18 (sensitivity 0.021)". */
static void name_line(const Pool *pool, const Comparison *c, const PoolCell *cell,
                      CompareMeasure measure, char name[SWEEP_NAME]) {
    *name = 0;
    pool_add_value(&pool->methods, cell->method, name);
    pool_add_value(&pool->rests, cell->rest, name);
    if (!*name) snprintf(name, SWEEP_NAME, "all runs");
    size_t at = cell->rest * pool->methods.count + cell->method;
    settle_name(name, at);
    size_t used = strlen(name);
    if (measure != COMPARE_LOSS || at >= c->curve_count) return;
    if (isfinite(c->curves[at].spread.mean))
        snprintf(name + used, SWEEP_NAME - used, " (sensitivity %.3f)",
                 c->curves[at].spread.mean);
}

static size_t fill_points(const Pool *pool, const Comparison *c, CompareMeasure measure,
                          SweepPoint *points, char (*names)[SWEEP_NAME]) {
    size_t count = 0;
    for (const PoolCell *at = pool->cells; at < pool->cells + pool->count; at++) {
        bool loss = measure == COMPARE_LOSS;
        if (!sweep_has_ended(at->cell)) continue;
        name_line(pool, c, at, measure, names[count]);
        points[count] =
            (SweepPoint){.method = names[count],
                         .rate = pool->rate[at->rate],
                         .score = loss ? pool_final_loss(pool, at->cell)
                                       : pool_score(pool, at->cell),
                         .failed = loss ? at->cell->result.nonfinite
                                        : pool_fate(pool, at->cell) == FATE_FAILED,
                         .flawed = is_flawed(&at->cell->result)};
        count++;
    }
    return count;
}

static void interval_of(const double *y, size_t n, double *low, double *high) {
    Interval interval = statistics_mean_interval(y, n);
    *low = interval.low;
    *high = interval.high;
}

static double chance_of(const Pool *pool) {
    double chance = NAN;
    for (size_t c = 0; c < pool->count; c++)
        chance = fmax(chance, pool->cells[c].cell->result.chance);
    return chance;
}

static void fill_score_panel(SweepPanel *panel, const SweepResult *like, char y[80]) {
    Metric metric = metric_find(like->metric);
    panel->interval = interval_of;
    panel->cross = "diverged";
    panel->y = y;
    text_format(y, 80, "score");
    if (metric == METRIC_COUNT) return;
    text_format(y, 80, "%s (%s)", metrics[metric].label, split_word(like->split));
    panel->chance = metric_guess(metric, like->guess_nll);
    panel->lower = metrics[metric].better == BETTER_LOW;
    panel->log_y = metrics[metric].axis == AXIS_LOG;
}

/* What a cross is, for a legend: "diverged", or "fails: midpoint". */
static void set_cross(SweepPanel *panel, const char *criterion, char text[80]) {
    text_format(text, 80, "fails: %.70s", criterion && *criterion ? criterion : "");
    if (criterion && *criterion) panel->cross = text;
}

typedef struct Drawing {
    const Sweep *sweep; /* of the figure of scores alone, else NULL */
    const Pool *pool;
    const Comparison *comparison;
    const char *path, *root;
    bool scores; /* a panel of them below that of losses */
    Theme theme;
} Drawing;

static Status write_chart(const Drawing *d, Chart *chart, Err *err) {
    Status status = chart ? chart_write(chart, d->path, d->root, err) : OK;
    chart_free(chart);
    return status;
}

/* Final loss against learning rate, and the score. */
static Chart *pool_chart(const Drawing *d) {
    const Pool *pool = d->pool;
    char loss[40], y[80], cross[80];
    SweepPoint *points = mem_zalloc(2 * pool->count * sizeof *points);
    char(*names)[SWEEP_NAME] = mem_zalloc(2 * pool->count * sizeof *names);
    text_format(loss, sizeof loss, "%.20s loss (nats)",
                split_word(pool->loss == LOSS_SPLIT ? pool->like->split
                           : pool->loss == LOSS_VAL ? "val"
                                                    : "train"));
    SweepPanel panels[] = {
        {.points = points,
         .x = pool->rates.title,
         .y = loss,
         .cross = "non-finite",
         .chance = chance_of(pool),
         .lower = true,
         .cap = true,
         .interval = interval_of},
        {.points = points + pool->count, .x = pool->rates.title, .chance = NAN}};
    fill_score_panel(&panels[1], pool->like, y);
    set_cross(&panels[1], pool->criterion, cross);
    panels[0].count = fill_points(pool, d->comparison, COMPARE_LOSS, points, names);
    panels[1].count = fill_points(pool, d->comparison, COMPARE_SCORE,
                                  points + pool->count, names + pool->count);
    Chart *chart = figure_sweep(panels, 1 + d->scores, NULL, d->theme);
    mem_free(points);
    mem_free(names);
    return chart;
}

static Status draw_pool(void *input, Err *err) {
    return write_chart(input, pool_chart(input), err);
}

Status compare_draw(const Pool *pool, const Comparison *comparison, const char *path,
                    const char *root, bool scores, Theme theme, Err *err) {
    return apart_run(draw_pool,
                     &(Drawing){.pool = pool,
                                .comparison = comparison,
                                .path = path,
                                .root = root,
                                .scores = scores,
                                .theme = theme},
                     err);
}

/* NULL: without a swept key of numbers there is nothing to draw. */
static Chart *score_chart(const Drawing *d) {
    char y[80], cross[80];
    SweepPoint *points = mem_zalloc(d->sweep->cell_count * sizeof *points);
    char(*names)[SWEEP_NAME] = mem_zalloc(d->sweep->cell_count * sizeof *names);
    SweepPanel panel = {.points = points, .chance = NAN};
    panel.count = sweep_points(d->sweep, points, names, &panel.x);
    fill_score_panel(&panel, d->pool->like, y);
    set_cross(&panel, d->sweep->fail ? sweep_fail_text(d->sweep) : NULL, cross);
    Chart *chart = panel.count ? figure_sweep(&panel, 1, NULL, d->theme) : NULL;
    mem_free(points);
    mem_free(names);
    return chart;
}

static Status draw_figure(void *input, Err *err) {
    return write_chart(input, score_chart(input), err);
}

/* ---- the report ---- */

static Chart *themed_score(const void *of, Theme theme) {
    Drawing d = *(const Drawing *)of;
    d.theme = theme;
    return score_chart(&d);
}

static Chart *themed_pool(const void *of, Theme theme) {
    Drawing d = *(const Drawing *)of;
    d.theme = theme;
    return d.pool->rates.count < 2 ? NULL : pool_chart(&d);
}

typedef struct Reporting {
    const Drawing *drawing;
    const char *path; /* NULL: DIR/report.html */
} Reporting;

static Status write_page(FILE *out, const Drawing *d, const char *links, Err *err) {
    char loss[40], caption[240];
    pool_loss_name(d->pool, loss);
    text_format(caption, sizeof caption,
                "Final %s of each run, %s; lower is better.  Crosses: non-finite runs%s.",
                loss,
                d->pool->loss == LOSS_TRAIN ? "mean of the last fifth of the steps"
                                            : "of its last evaluation",
                d->sweep->fail ? ", not those that fail by --fail" : "");
    sweep_page_top(d->sweep, out);
    if (page_figure(
            out, themed_score, d, "Scores of the runs against the swept key",
            "Score of each run (pale dots) against the swept key; lines: mean over "
            "seeds; crosses: failed runs; rings: runs with a collapse or a spike.",
            err) ||
        page_figure(out, themed_pool, d, "Final loss against the learning rate", caption,
                    err))
        return err->status;
    sweep_page_runs(d->sweep, links, out);
    TextStream text;
    if (textstream_open(&text, err)) return err->status;
    compare_print(d->pool, d->comparison, text.file);
    if (textstream_close(&text, err)) return err->status;
    sweep_page_rest(d->sweep, text.text, out);
    free(text.text);
    return OK;
}

static Status write_report(void *input, Err *err) {
    const Reporting *r = input;
    const Sweep *sweep = r->drawing->sweep;
    char own[PATH_SIZE], *links = r->path ? realpath(sweep->dir, NULL) : NULL;
    TextStream page;
    rundir_path(own, sweep->dir, "report.html");
    Status status = textstream_open(&page, err);
    if (!status) {
        Status written = write_page(page.file, r->drawing, links ? links : "", err);
        status = textstream_close(&page, written ? NULL : err);
        if (written) status = written;
    }
    if (!status)
        status = openfile_save(r->path ? r->path : own, r->path ? NULL : sweep->dir,
                               page.text, page.size, err);
    free(page.text);
    free(links);
    return status;
}

/* ---- the end ---- */

static Status write_csv(const Sweep *sweep, const char *name,
                        void (*print)(const Sweep *, FILE *), Err *err) {
    char path[PATH_SIZE];
    rundir_path(path, sweep->dir, "%s", name);
    TextStream csv;
    if (textstream_open(&csv, err)) return err->status;
    print(sweep, csv.file);
    if (textstream_close(&csv, err)) return err->status;
    Status status = openfile_save(path, sweep->dir, csv.text, csv.size, err);
    free(csv.text);
    return status;
}

/* What is printed is sweep.txt as well. */
static Status print_tables(const Sweep *sweep, const Pool *pool,
                           const Comparison *comparison, FILE *out, Err *err) {
    char path[PATH_SIZE];
    rundir_path(path, sweep->dir, "sweep.txt");
    TextStream text;
    if (textstream_open(&text, err)) return err->status;
    sweep_print(sweep, text.file);
    compare_print(pool, comparison, text.file);
    if (textstream_close(&text, err)) return err->status;
    fwrite(text.text, 1, text.size, out);
    Status status = openfile_save(path, sweep->dir, text.text, text.size, err);
    free(text.text);
    return status;
}

Status sweep_check_choice(const Sweep *sweep, const SweepChoice *choice, Err *err) {
    Pool pool;
    Status status = pool_open(&pool, sweep, 1, choice, err);
    pool_close(&pool);
    return status;
}

static Status write_tables(const Sweep *sweep, json_t *methods, Err *err) {
    bool seeds = sweep_axis(sweep, "train.seed") < sweep->axis_count;
    Status status = sweep_save_results(sweep, methods, err);
    if (!status) status = write_csv(sweep, "sweep.csv", sweep_print_csv, err);
    if (!status && seeds)
        status = write_csv(sweep, "sweep-seeds.csv", sweep_print_seeds_csv, err);
    return status;
}

static Status write_figures(const Sweep *sweep, const Pool *pool,
                            const Comparison *comparison, Err *err) {
    char path[PATH_SIZE];
    Drawing scores = {.sweep = sweep, .pool = pool, .path = path, .root = sweep->dir};
    rundir_path(path, sweep->dir, "sweep.png");
    if (apart_run(draw_figure, &scores, err)) return err->status;
    if (pool->rates.count < 2) return OK;
    rundir_path(path, sweep->dir, "sweep-loss.png");
    return compare_draw(pool, comparison, path, sweep->dir, false, THEME_LIGHT, err);
}

Status sweep_report(Sweep *sweep, const SweepChoice *choice, FILE *out, Err *err) {
    Pool pool;
    SweepChoice whole = sweep_choice_across(sweep, 1, choice);
    sweep_judge(sweep);
    if (origin_check_data(sweep, 1, err)) return err->status;
    if (pool_open(&pool, sweep, 1, &whole, err)) return err->status;
    Comparison comparison = compare_new(&pool);
    Status status = print_tables(sweep, &pool, &comparison, out, err);
    if (!status) status = write_tables(sweep, compare_json(&pool, &comparison), err);
    if (!status) status = write_figures(sweep, &pool, &comparison, err);
    Drawing drawing = {.sweep = sweep, .pool = &pool, .comparison = &comparison};
    if (!status) status = apart_run(write_report, &(Reporting){.drawing = &drawing}, err);
    compare_free(&comparison);
    pool_close(&pool);
    return status;
}

/* Of a folder, whatever of the sweep has ended; nothing is locked. */
Status sweep_report_folder(const char *dir, const char *path, Err *err) {
    Sweep *sweep;
    Pool pool;
    Status status = sweep_open_folders(&dir, 1, NULL, &sweep, err);
    SweepChoice choice = {0};
    if (!status) choice = sweep_choice(sweep);
    if (!status) status = pool_open(&pool, sweep, 1, &choice, err);
    if (!status) {
        Comparison comparison = compare_new(&pool);
        Drawing drawing = {.sweep = sweep, .pool = &pool, .comparison = &comparison};
        if (!path) status = write_figures(sweep, &pool, &comparison, err);
        if (!status) status = apart_run(write_report, &(Reporting){&drawing, path}, err);
        compare_free(&comparison);
        pool_close(&pool);
    }
    sweep_close_folders(sweep, 1);
    return status;
}
