/* result: what a cell's run folder says, and cells over seeds (tools/sweep/sweep.h). */
#include <string.h>

#include "tools/sweep/sweep.h"

/* ---- one cell ---- */

/* The last evaluation, and the best of those on the same split. */
static void read_scores(SweepResult *result, const RunLog *run) {
    if (!run->eval_count) return;
    const EvalRow *last = &run->evals[run->eval_count - 1];
    Metric metric = metric_find(last->metric);
    if (metric == METRIC_COUNT) return;
    memcpy(result->split, last->split, sizeof result->split);
    result->metric = last->metric;
    result->score = last->score;
    for (const EvalRow *row = run->evals; row <= last; row++) {
        if (strcmp(row->split, last->split)) continue;
        double x = row->scores[metric];
        bool high = metrics[metric].better == BETTER_HIGH;
        result->best = high ? fmax(result->best, x) : fmin(result->best, x);
        for (size_t m = 0; m < METRIC_COUNT; m++)
            if (isfinite(row->scores[m])) result->scores[m] = row->scores[m];
    }
}

static double last_val_loss(const RunLog *run) {
    for (size_t i = run->eval_count; i-- > 0;)
        if (!strcmp(run->evals[i].split, "val")) return run->evals[i].scores[METRIC_LOSS];
    return NAN;
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

static void read_kinds(SweepResult *result, const RunLog *run) {
    for (size_t k = 0; k < KIND_COUNT; k++) {
        double share = layer_kind_lowest(run, (LayerKind)k).share;
        if (isfinite(share)) result->kind_entropy[k] = share;
    }
}

/* The process's exit code knows of a non-finite loss that never became a row of the
 * log. */
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
    runlog_say(run);
    Verdict verdict = judge(run, cell->exit);
    EntropyLow low = runlog_lowest(run);
    SweepResult result = sweep_result_none();
    read_scores(&result, run);
    read_entropy(&result, &low);
    read_kinds(&result, run);
    result.loss = verdict.tail;
    result.val_loss = last_val_loss(run);
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

/* Mean and sum of squared deviations so far (Welford); settle() makes it the spread. */
static void see(SweepSpread *spread, double x) {
    if (!isfinite(x)) return;
    double before = spread->count ? spread->mean : 0;
    spread->count++;
    spread->mean = before + (x - before) / (double)spread->count;
    spread->sd += (x - before) * (x - spread->mean);
}

static void settle(SweepSpread *spread) {
    size_t n = spread->count;
    if (!n) spread->mean = NAN;
    spread->sd = n > 1 ? sqrt(spread->sd / (double)(n - 1)) : NAN;
}

static void add_cell(SweepGroup *group, const SweepCell *cell) {
    if (!sweep_has_ended(cell)) return;
    const SweepResult *r = &cell->result;
    group->count++;
    group->diverged += r->diverged;
    group->collapsed += r->collapsed;
    group->entropy = fmin(group->entropy, r->entropy);
    for (size_t k = 0; k < KIND_COUNT; k++)
        group->kind_entropy[k] = fmin(group->kind_entropy[k], r->kind_entropy[k]);
    see(&group->score, r->score);
    see(&group->loss, r->loss);
    see(&group->val_loss, r->val_loss);
    for (size_t m = 0; m < METRIC_COUNT; m++) see(&group->scores[m], r->scores[m]);
}

static SweepGroup new_group(size_t first) {
    SweepGroup group = {.first = first, .entropy = NAN};
    for (size_t k = 0; k < KIND_COUNT; k++) group.kind_entropy[k] = NAN;
    return group;
}

static void settle_group(SweepGroup *group) {
    settle(&group->score);
    settle(&group->loss);
    settle(&group->val_loss);
    for (size_t m = 0; m < METRIC_COUNT; m++) settle(&group->scores[m]);
}

size_t sweep_group(const Sweep *sweep, SweepGroup *groups) {
    size_t count = 0, seeds = sweep_axis(sweep, "train.seed");
    for (size_t c = 0; c < sweep->cell_count; c++) {
        size_t g = 0;
        while (g < count && !same_group(sweep, groups[g].first, c, seeds)) g++;
        if (g == count) groups[count++] = new_group(c);
        add_cell(&groups[g], &sweep->cells[c]);
    }
    for (size_t g = 0; g < count; g++) settle_group(&groups[g]);
    return count;
}
