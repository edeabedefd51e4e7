/* save: what sweep.json holds (tools/sweep/sweep.h). */
#include <string.h>

#include "tools/run/rundir.h"
#include "tools/sweep/compare.h"
#include "tools/sweep/state.h"

static json_t *whole_number(size_t n) { return json_integer((json_int_t)n); }

static json_t *values_json(const Sweep *sweep, size_t cell, size_t left_out) {
    json_t *values = json_object();
    for (size_t a = 0; a < sweep->axis_count; a++)
        for (size_t k = 0; k < sweep->axes[a].key_count; k++)
            if (a != left_out && (a == 0 || sweep_is_swept(sweep, a)) &&
                sweep_gives(sweep, cell, a))
                json_object_set_new(values, sweep->axes[a].keys[k],
                                    word_json(sweep_part(sweep, cell, a, k)));
    return values;
}

/* Those that there are: {"ppl":12.5,"bleu":30}. */
static json_t *scores_json(const double scores[METRIC_COUNT]) {
    json_t *list = json_object();
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++) {
        Metric m = metric_shown(i);
        if (isfinite(scores[m]))
            json_object_set_new(list, metrics[m].key, json_number(scores[m]));
    }
    return list;
}

/* {"encoder":0.4,"cross":0.03,"decoder":0.5}; without them where attention is of one
 * kind. */
static json_t *kinds_json(const double share[KIND_COUNT]) {
    json_t *list = json_object();
    for (size_t k = 0; k < KIND_PLAIN; k++)
        if (isfinite(share[k]))
            json_object_set_new(list, layer_kinds[k].key, json_number(share[k]));
    return list;
}

/* Splits and sites have the names that the run's logs give them, cut where they are long,
 * in the middle of a character perhaps. */
static json_t *result_json(const SweepResult *r) {
    return json_pack(
        "{s:o*, s:s*, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o}, s:o, s:s, s:s, s:b, s:b, s:b, s:{s:o, s:o}, s:{s:o, s:o}, s:o}",
        "split", *r->split ? json_text(r->split) : NULL, "metric", r->metric, "score",
        json_number(r->score), "best", json_number(r->best), "scores",
        scores_json(r->scores), "loss", json_number(r->loss), "val_loss",
        json_number(r->val_loss), "entropy", "share", json_number(r->entropy), "site",
        json_text(r->site), "step", whole_number(r->entropy_step), "kinds",
        kinds_json(r->kind_entropy), "end", json_number(r->entropy_end), "sites_low",
        json_number(r->sites_low), "sites_low_end", json_number(r->sites_low_end),
        "max_logit", json_number(r->max_logit), "verdict", r->verdict, "grade",
        grade_name(r->grade), "diverged", r->diverged, "collapsed", r->collapsed,
        "nonfinite", r->nonfinite, "spike", "depth", json_number(r->spike_depth), "steps",
        json_number(r->spike_steps), "probe", "fall", json_number(r->probe_fall),
        "epochs", json_number(r->probe_epochs), "steps", whole_number(r->steps));
}

static json_t *cell_json(const Sweep *sweep, size_t c) {
    const SweepCell *cell = &sweep->cells[c];
    json_t *row = json_pack("{s:o, s:o}", "name", word_json(cell->name), "values",
                            values_json(sweep, c, sweep->axis_count));
    if (cell->exit == SWEEP_OPEN) return row;
    json_object_set_new(row, "exit", json_integer(cell->exit));
    json_object_set_new(row, "seconds", json_number(cell->seconds));
    json_object_set_new(row, "cpu_seconds", json_number(cell->cpu_seconds));
    json_object_set_new(row, "sessions", whole_number(cell->sessions));
    if (cell->fate != FATE_UNKNOWN)
        json_object_set_new(row, "failed", json_boolean(cell->fate == FATE_FAILED));
    if (sweep_has_ended(cell)) json_object_update_new(row, result_json(&cell->result));
    return row;
}

static json_t *intervals_json(const SweepSpread spreads[METRIC_COUNT]) {
    json_t *list = json_object();
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++) {
        Metric m = metric_shown(i);
        if (isfinite(spreads[m].interval.low))
            json_object_set_new(list, metrics[m].key, interval_json(spreads[m].interval));
    }
    return list;
}

static json_t *with_intervals(json_t *row, const SweepGroup *group) {
    json_object_set_new(row, "score_interval", interval_json(group->score.interval));
    json_object_set_new(row, "scores_interval", intervals_json(group->scores));
    json_object_set_new(row, "loss_interval", interval_json(group->loss.interval));
    json_object_set_new(row, "val_loss_interval",
                        interval_json(group->val_loss.interval));
    return row;
}

static json_t *group_json(const Sweep *sweep, const SweepGroup *group, size_t seeds) {
    double mean[METRIC_COUNT], sd[METRIC_COUNT];
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        mean[m] = group->scores[m].mean;
        sd[m] = group->scores[m].sd;
    }
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "values", values_json(sweep, group->first, seeds), "runs",
        whole_number(group->count), "diverged", whole_number(group->diverged),
        "collapsed", whole_number(group->collapsed), "nonfinite",
        whole_number(group->nonfinite), "score_mean", json_number(group->score.mean),
        "score_sd", json_number(group->score.sd), "scores_mean", scores_json(mean),
        "scores_sd", scores_json(sd), "loss_mean", json_number(group->loss.mean),
        "loss_sd", json_number(group->loss.sd), "val_loss_mean",
        json_number(group->val_loss.mean), "val_loss_sd", json_number(group->val_loss.sd),
        "entropy_lowest", json_number(group->entropy), "entropy_kinds",
        kinds_json(group->kind_entropy));
}

static json_t *groups_json(const Sweep *sweep, bool ended) {
    json_t *list = json_array();
    size_t seeds = sweep_axis(sweep, "train.seed");
    SweepGroup *groups = mem_zalloc(sweep->cell_count * sizeof *groups);
    size_t count = seeds < sweep->axis_count ? sweep_group(sweep, groups) : 0;
    if (ended) sweep_intervals(sweep, groups, count);
    for (size_t g = 0; g < count; g++) {
        json_t *row = group_json(sweep, &groups[g], seeds);
        json_array_append_new(list, ended ? with_intervals(row, &groups[g]) : row);
    }
    mem_free(groups);
    return list;
}

static json_t *failures_row(const Sweep *sweep, const SweepFailures *of) {
    char name[SWEEP_NAME];
    sweep_method(sweep, of->first, name);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "method", word_json(name),
                     "runs", whole_number(of->runs), "failed", whole_number(of->failed),
                     "configurations", whole_number(of->configurations), "any_seed",
                     whole_number(of->any), "most_seeds", whole_number(of->most),
                     "every_seed", whole_number(of->every));
}

static json_t *failures_json(const Sweep *sweep) {
    json_t *list = json_array();
    SweepFailures *of = mem_zalloc(sweep->cell_count * sizeof *of);
    size_t count = sweep_failures(sweep, of);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, failures_row(sweep, &of[i]));
    mem_free(of);
    return list;
}

/* NULL: no criterion. */
static json_t *fail_json(const Sweep *sweep) {
    char text[SWEEP_DEFINITION];
    if (!sweep->fail) return NULL;
    sweep_fail_definition(sweep, text, sizeof text);
    return json_pack("{s:s, s:s, s:o}", "criterion", sweep_fail_text(sweep), "definition",
                     text, "methods", failures_json(sweep));
}

/* Whether it was followed, once it is known how all ended, unless it cannot be compared,
 * as the table then says; NULL: no plan. */
static json_t *plan_json(const Sweep *sweep, bool ended) {
    if (!sweep->plan) return NULL;
    json_t *list = ended ? sweep_deviations(sweep, NULL) : NULL;
    if (!list) return json_pack("{s:O}", "plan", sweep->plan);
    return json_pack("{s:b, s:o, s:O}", "followed", !json_array_size(list), "deviations",
                     list, "plan", sweep->plan);
}

static json_t *sweep_json(const Sweep *sweep, bool ended) {
    json_t *words = words_json(sweep), *cells = json_array();
    for (size_t c = 0; c < sweep->cell_count; c++)
        json_array_append_new(cells, cell_json(sweep, c));
    return json_pack("{s:o, s:s, s:o, s:o*, s:o*, s:o, s:o}", "words", words,
                     "definition", verdict_definition(), "choice", choice_json(sweep),
                     "fail", fail_json(sweep), "plan", plan_json(sweep, ended), "cells",
                     cells, "over_seeds", groups_json(sweep, ended));
}

/* A new file takes the old one's place, or the old one stays. */
static Status save(const Sweep *sweep, json_t *state, Err *err) {
    return rundir_save_json(sweep->dir, "sweep.json", state, JSON_REAL_PRECISION(9), err);
}

Status sweep_save(const Sweep *sweep, Err *err) {
    return save(sweep, sweep_json(sweep, false), err);
}

Status sweep_save_results(const Sweep *sweep, json_t *methods, Err *err) {
    json_t *state = sweep_json(sweep, true);
    json_object_set_new(state, "methods", methods);
    return save(sweep, state, err);
}
