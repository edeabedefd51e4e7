/* result: what a cell's run folder says (tools/sweep/sweep.h). */
#include <string.h>

#include "tools/sweep/origin.h"
#include "tools/sweep/whole.h"

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

/* Share of uniform attention's of a site at a probe, or NaN. */
static double share_at(const SiteLog *site, size_t probe) {
    return entropy_share(site->mean[probe], site->uniform[probe]);
}

static bool was_low(const SiteLog *site, size_t from, size_t to) {
    for (size_t p = from; p < to; p++)
        if (entropy_fell(share_at(site, p), COLLAPSE_SHARE)) return true;
    return false;
}

/* What the sites come to: at the last probe, and how many were low at any, or when the
 * guard warned. */
static void read_sites(SweepResult *result, const RunLog *run) {
    const ProbeLog *probe = &run->probe;
    if (!isfinite(result->entropy) || !probe->count) return;
    size_t last = probe->count - 1, ever = 0, end = 0;
    for (size_t s = 0; s < probe->site_count; s++) {
        const SiteLog *site = &probe->sites[s];
        result->entropy_end = fmin(result->entropy_end, share_at(site, last));
        ever += was_low(site, 0, probe->count) || runlog_alarmed(run, site->name);
        end += was_low(site, last, probe->count);
    }
    result->sites_low = (double)ever;
    result->sites_low_end = (double)end;
}

static void read_kinds(SweepResult *result, const RunLog *run) {
    for (size_t k = 0; k < KIND_COUNT; k++) {
        double share = layer_kind_lowest(run, (LayerKind)k).share;
        if (isfinite(share)) result->kind_entropy[k] = share;
    }
}

/* Of a run that ended as diverged though by its log it did not: as its process said; that
 * of an older version left no verdict, and ended so where a number was not finite. */
static Verdict verdict_of_exit(const RunLog *run, Verdict verdict) {
    const Session *judged = sessions_judged(&run->sessions);
    VerdictKind kind = judged ? verdict_find(judged->verdict) : VERDICT_KINDS;
    if (kind == VERDICT_KINDS || kind == VERDICT_NONFINITE)
        return runlog_verdict(run, true);
    verdict.kind = kind;
    verdict.name = verdicts[kind].name;
    verdict.diverged = verdicts[kind].diverged;
    return verdict;
}

Status sweep_read_result(Sweep *sweep, size_t index, Err *err) {
    SweepCell *cell = &sweep->cells[index];
    char dir[SWEEP_DIR + SWEEP_NAME + 16];
    sweep_cell_dir(sweep, index, dir, sizeof dir);
    RunLog *run = runlog_open(dir, err);
    if (!run) return err->status;
    runlog_say(run);
    Verdict verdict = runlog_verdict(run, false);
    Status status = whole_check(run, &verdict, err);
    if (cell->exit == FAIL_DIVERGED && !verdict.diverged)
        verdict = verdict_of_exit(run, verdict);
    EntropyLow low = runlog_lowest(run);
    SweepResult result = sweep_result_none();
    read_scores(&result, run);
    read_entropy(&result, &low);
    read_kinds(&result, run);
    read_sites(&result, run);
    result.loss = verdict.tail;
    result.val_loss = last_val_loss(run);
    result.chance = run->chance;
    result.guess_nll = run->guess_nll;
    result.max_logit = largest_logit(run);
    result.verdict = verdict.name;
    result.grade = verdict.grade;
    result.diverged = verdict.diverged || cell->exit == FAIL_COLLAPSED;
    result.collapsed = verdict.collapsed;
    if (verdict.spikes.count) {
        result.spike_depth = verdict.spikes.worst.depth;
        result.spike_steps = verdict.spikes.worst.steps;
    }
    result.probe_fall = verdict.probe.depth;
    result.probe_epochs = verdict.probe.until - verdict.probe.bottom;
    result.nonfinite = verdict.kind == VERDICT_NONFINITE;
    result.steps = run->train.count ? (size_t)run->train.step[run->train.count - 1] : 0;
    cell->result = result;
    origin_read(&cell->origin, run);
    runlog_free(run);
    return status;
}
