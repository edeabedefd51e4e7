/* sweep_result: what a cell's run folder says, and cells over seeds (tools/sweep.h). */
#include <string.h>

#include "tools/sweep.h"

/* ---- one cell ---- */

/* The last evaluation, and the best of those on the same split. */
static void read_scores(SweepResult *result, const RunLog *run) {
    if (!run->eval_count) return;
    const EvalRow *last = &run->evals[run->eval_count - 1];
    if (!last->metric) return;
    bool high = metric_is_better_high(last->metric);
    memcpy(result->split, last->split, sizeof result->split);
    result->metric = last->metric;
    result->score = result->best = last->score;
    for (const EvalRow *row = run->evals; row < last; row++) {
        if (strcmp(row->split, last->split) || !row->metric) continue;
        result->best =
            high ? fmax(result->best, row->score) : fmin(result->best, row->score);
    }
}

static double largest_logit(const RunLog *run) {
    double largest = NAN;
    for (size_t s = 0; s < run->probe.site_count; s++)
        for (size_t p = 0; p < run->probe.count; p++)
            largest = fmax(largest, run->probe.sites[s].max_logit[p]);
    return largest;
}

static void read_entropy(SweepResult *result, const EntropyLow *low) {
    if (!isfinite(low->share)) return;
    result->entropy = low->share;
    result->entropy_step = low->step;
    memcpy(result->site, low->site, sizeof result->site);
}

/* The process's exit code knows of a non-finite loss that never became a row of the log. */
static Verdict judge(const RunLog *run, int exit) {
    return run_verdict(&(VerdictInput){.loss = run->train.loss,
                                       .step = run->train.step,
                                       .count = run->train.count,
                                       .chance = run->chance,
                                       .nonfinite = exit == FAIL_DIVERGED,
                                       .low = runlog_lowest(run)});
}

Status sweep_read_result(Sweep *sweep, size_t index, Err *err) {
    SweepCell *cell = &sweep->cells[index];
    char dir[SWEEP_DIR + SWEEP_NAME + 16];
    sweep_cell_dir(sweep, index, dir, sizeof dir);
    RunLog *run = runlog_open(dir, err);
    if (!run) return err->status;
    Verdict verdict = judge(run, cell->exit);
    EntropyLow low = runlog_lowest(run);
    SweepResult result = SWEEP_RESULT_NONE;
    read_scores(&result, run);
    read_entropy(&result, &low);
    result.loss = verdict.tail;
    result.chance = run->chance;
    result.max_logit = largest_logit(run);
    result.verdict = verdict.name;
    result.diverged = verdict.diverged;
    result.collapsed = verdict.collapsed;
    result.steps = run->train.count ? (size_t)run->train.step[run->train.count - 1] : 0;
    cell->result = result;
    runlog_free(run);
    return OK;
}

/* ---- over seeds ---- */

static bool same_group(const Sweep *sweep, size_t a, size_t b, size_t seeds) {
    for (size_t axis = 0; axis < sweep->axis_count; axis++)
        if (axis != seeds && sweep_index(sweep, a, axis) != sweep_index(sweep, b, axis))
            return false;
    return true;
}

/* mean and sd hold sum and sum of squares until settle(). */
static void add_cell(SweepGroup *group, const SweepCell *cell) {
    if (!sweep_has_ended(cell)) return;
    const SweepResult *r = &cell->result;
    group->count++;
    group->diverged += r->diverged;
    group->loss += r->loss;
    group->entropy = fmin(group->entropy, r->entropy);
    if (!isfinite(r->score)) return;
    group->scored++;
    group->mean += r->score;
    group->sd += r->score * r->score;
}

static void settle(SweepGroup *group) {
    double n = (double)group->scored, mean = group->mean / n;
    double squares = fmax(group->sd - n * mean * mean, 0);
    group->mean = group->scored ? mean : NAN;
    group->sd = group->scored > 1 ? sqrt(squares / (n - 1)) : NAN;
    group->loss = group->count ? group->loss / (double)group->count : NAN;
}

size_t sweep_group(const Sweep *sweep, SweepGroup *groups) {
    size_t count = 0, seeds = sweep_axis(sweep, "train.seed");
    for (size_t c = 0; c < sweep->cell_count; c++) {
        size_t g = 0;
        while (g < count && !same_group(sweep, groups[g].first, c, seeds)) g++;
        if (g == count) groups[count++] = (SweepGroup){.first = c, .entropy = NAN};
        add_cell(&groups[g], &sweep->cells[c]);
    }
    for (size_t g = 0; g < count; g++) settle(&groups[g]);
    return count;
}
