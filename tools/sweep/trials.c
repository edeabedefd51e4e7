#include "tools/sweep/trials.h"

#include <stdlib.h>
#include <string.h>

/* ---- the score ---- */

static double score_of(const Pool *pool, const SweepCell *cell, Metric metric) {
    const SweepResult *r = &cell->result;
    if (metric < METRIC_COUNT && !pool_same_split(pool, cell)) return NAN;
    double score =
        metric == METRIC_COUNT ? r->loss : metrics[metric].factor * r->scores[metric];
    return r->nonfinite || !isfinite(score) ? NAN : score;
}

static bool has_score(const Pool *pool, Metric metric) {
    for (const PoolCell *c = pool->cells; c < pool->cells + pool->count; c++)
        if (sweep_has_ended(c->cell) && isfinite(score_of(pool, c->cell, metric)))
            return true;
    return false;
}

static Status refuse_score(const Pool *pool, const char *score, Err *err) {
    char known[200] = "";
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        size_t used = strlen(known);
        if (has_score(pool, (Metric)m))
            snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                     metrics[m].key);
    }
    return err_set(err, FAIL_USAGE,
                   "--score %s: no run has this score; expected one "
                   "of %s",
                   score, *known ? known : "none, because nothing was evaluated");
}

static Status choose_metric(SweepTrials *trials, const Pool *pool, const char *score,
                            Err *err) {
    trials->metric = metric_find(score ? score : pool->like->metric);
    bool has = trials->metric < METRIC_COUNT && has_score(pool, trials->metric);
    if (score && !has) return refuse_score(pool, score, err);
    if (!has) trials->metric = METRIC_COUNT;
    return OK;
}

void trials_score_name(const SweepTrials *trials, const Pool *pool, char name[96]) {
    Metric metric = trials->metric;
    if (metric == METRIC_COUNT) text_format(name, 96, "training loss, last fifth");
    else
        text_format(name, 96, "%s (%s)",
                    metrics[metric].label ? metrics[metric].label : metrics[metric].key,
                    split_word(pool->like->split));
}

/* ---- the order ---- */

static double turned(Metric metric, double score) {
    return metric == METRIC_COUNT ? score : metric_turned(metric, score);
}

/* Below 0: a is better. */
static int compare_scores(Metric metric, const SweepTrial *a, const SweepTrial *b) {
    bool has = isfinite(a->score), other = isfinite(b->score);
    if (has != other) return has ? -1 : 1;
    double x = has ? turned(metric, a->score) : -(double)a->at->cell->result.steps;
    double y = has ? turned(metric, b->score) : -(double)b->at->cell->result.steps;
    return x < y ? -1 : x > y;
}

/* By insertion, so that equal ones stay in the order of the grid. */
static void insert(SweepTrials *trials, SweepTrial trial) {
    size_t at = trials->count++;
    for (; at > 0; at--) {
        const SweepTrial *before = &trials->list[at - 1];
        if (before->at->method != trial.at->method ||
            compare_scores(trials->metric, before, &trial) <= 0)
            break;
        trials->list[at] = *before;
    }
    trials->list[at] = trial;
}

Status trials_open(SweepTrials *trials, const Pool *pool, const char *score, Err *err) {
    *trials = (SweepTrials){.count = 0};
    Status status = choose_metric(trials, pool, score, err);
    if (status) return status;
    trials->list = mem_array(pool->count, sizeof *trials->list);
    trials->first = mem_zarray(pool->methods.count + 1, sizeof *trials->first);
    for (const PoolCell *c = pool->cells; c < pool->cells + pool->count; c++) {
        if (!sweep_has_ended(c->cell)) continue;
        insert(trials, (SweepTrial){.at = c,
                                    .score = score_of(pool, c->cell, trials->metric),
                                    .failed = pool_fate(pool, c->cell) == FATE_FAILED});
        for (size_t m = c->method; m < pool->methods.count; m++) trials->first[m + 1]++;
    }
    if (trials->count) return OK;
    trials_close(trials);
    return err_set(err, FAIL_USAGE, "no run has ended yet, so there is nothing to draw");
}

void trials_close(SweepTrials *trials) {
    mem_free(trials->list);
    mem_free(trials->first);
    *trials = (SweepTrials){.count = 0};
}

size_t trials_failed(const SweepTrials *trials, size_t method) {
    size_t failed = 0;
    for (size_t i = trials->first[method]; i < trials->first[method + 1]; i++)
        failed += trials->list[i].failed;
    return failed;
}
