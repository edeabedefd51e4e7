/* figure: the picture of a sweep, and all that is left behind at its end
 * (tools/sweep/sweep.h). */
#include <stdlib.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/program/apart.h"
#include "tools/program/textstream.h"
#include "tools/run/rundir.h"
#include "tools/sweep/sweep.h"

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
            .diverged = r->diverged,
            .flawed = r->collapsed || isfinite(r->spike_depth)};
        count++;
    }
    return count;
}

static double chance_score(const SweepResult *r, Metric metric) {
    switch (metrics[metric].guess) {
    case GUESS_SHARE: return metrics[metric].factor * exp(-r->chance);
    case GUESS_EXP: return metrics[metric].factor * exp(r->chance);
    case GUESS_NONE: break;
    }
    return NAN;
}

/* Without a swept key of numbers there is nothing to draw. */
static Status draw_figure(void *input, Err *err) {
    const Sweep *sweep = input;
    char path[PATH_SIZE], y[80] = "score";
    rundir_path(path, sweep->dir, "sweep.png");
    SweepPoint *points = mem_zalloc(sweep->cell_count * sizeof *points);
    char(*names)[SWEEP_NAME] = mem_zalloc(sweep->cell_count * sizeof *names);
    SweepLabels labels = {.y = y, .chance = NAN};
    size_t count = sweep_points(sweep, points, names, &labels.x);
    for (size_t c = 0; c < sweep->cell_count; c++) {
        const SweepResult *r = &sweep->cells[c].result;
        Metric metric = metric_find(r->metric);
        if (metric == METRIC_COUNT) continue;
        text_format(y, sizeof y, "%s (%s)", metrics[metric].label, r->split);
        labels.chance = chance_score(r, metric);
        labels.lower = metrics[metric].better == BETTER_LOW;
        labels.log_y = metrics[metric].axis == AXIS_LOG;
    }
    Status status =
        count ? figures_write_sweep(points, count, &labels, path, sweep->dir, err) : OK;
    mem_free(points);
    mem_free(names);
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
static Status print_tables(const Sweep *sweep, FILE *out, Err *err) {
    char path[PATH_SIZE];
    rundir_path(path, sweep->dir, "sweep.txt");
    TextStream text;
    if (textstream_open(&text, err)) return err->status;
    sweep_print(sweep, text.file);
    if (textstream_close(&text, err)) return err->status;
    fwrite(text.text, 1, text.size, out);
    Status status = openfile_save(path, sweep->dir, text.text, text.size, err);
    free(text.text);
    return status;
}

Status sweep_report(Sweep *sweep, FILE *out, Err *err) {
    bool seeds = sweep_axis(sweep, "train.seed") < sweep->axis_count;
    sweep_judge(sweep);
    Status status = print_tables(sweep, out, err);
    if (!status) status = sweep_save_results(sweep, err);
    if (!status) status = write_csv(sweep, "sweep.csv", sweep_print_csv, err);
    if (!status && seeds)
        status = write_csv(sweep, "sweep-seeds.csv", sweep_print_seeds_csv, err);
    return status ? status : apart_run(draw_figure, sweep, err);
}
