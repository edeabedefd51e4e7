#include "tools/sweep/whole.h"

#include <math.h>
#include <string.h>

#include "tools/program/version.h"
#include "tools/run/rundir.h"

#define SAME 1e-5 /* of numbers that files have with nine digits */

static bool differs(double a, double b) { return !(fabs(a - b) <= SAME * fabs(b)); }

/* why: "ends at step 8; run.json has 20 steps" */
static Status refuse(const char *dir, const char *log, const char *why, Err *err) {
    return err_set(err, FAIL_DATA,
                   "%s/%s: %s; the log is not whole: restore it, or remove that folder "
                   "and resume the sweep to train the run again",
                   dir, log, why);
}

/* ---- run.json ---- */

/* What the loss of guessing and the hashes of the data are read from.  Programs that did
 * not write down their number type did not write all of it. */
static Status check_facts(const RunLog *run, const Session *last, Err *err) {
    static const char *const FILES[] = {"task.json", "data.json"};
    for (size_t i = 0; i < COUNT(FILES) && last->real; i++) {
        Err why = ERR_NONE;
        json_t *root = rundir_load_json(run->path, FILES[i], &why);
        json_decref(root);
        if (!root)
            return err_set(err, FAIL_DATA,
                           "%.700s; the run cannot be judged without it: restore it, or "
                           "remove %.700s and resume the sweep to train the run again",
                           why.text, run->path);
    }
    return OK;
}

static double last_step(const RunLog *run) {
    double step = run->train.count ? run->train.step[run->train.count - 1] : 0;
    for (size_t i = 0; i < run->event_count; i++) step = fmax(step, run->events[i].step);
    return step;
}

/* A log whose rows end at `step`, one at least every so many. */
static Status check_end(const RunLog *run, const Session *last, const char *log,
                        double step, double every, Err *err) {
    char why[200], end[40] = "has no rows";
    if ((double)last->step < step + fmax(every, 1)) return OK;
    if (step > 0) text_format(end, sizeof end, "ends at step %.0f", step);
    text_format(why, sizeof why, "%s; run.json says that the run took %zu steps", end,
                last->step);
    return refuse(run->path, log, why, err);
}

/* A run that came to its last step was probed and evaluated there. */
static Status check_last_step(const RunLog *run, const Session *last, Err *err) {
    const ProbeLog *probe = &run->probe;
    bool off; /* a run that was not probed at a time may have ended then */
    double every = runlog_every(run, "probe.every", &off),
           scored = run->eval_count ? run->evals[run->eval_count - 1].step : 0,
           probed = probe->count ? probe->step[probe->count - 1] : 0;
    bool scores = run->data.split[SPLIT_VAL].count || run->data.split[SPLIT_TEST].count;
    Status status = OK;
    if (scores) status = check_end(run, last, "eval.jsonl", scored, 1, err);
    if (!status && !off) status = check_end(run, last, "probe.jsonl", probed, every, err);
    return status;
}

static Status check_loss(const RunLog *run, const Session *last, double tail, Err *err) {
    char why[200];
    if (!isfinite(last->loss) || !differs(tail, last->loss)) return OK;
    text_format(why, sizeof why,
                "the mean loss of the last fifth of its rows is %.6g; run.json has %.6g",
                tail, last->loss);
    return refuse(run->path, "train.jsonl", why, err);
}

/* Was the run judged by what may be another program? */
static bool is_of_another(const Session *last) {
    if (!last->version || strcmp(last->version, STEADY_VERSION)) return true;
    return last->commit && *version_commit() && strcmp(last->commit, version_commit());
}

/* Names of verdicts come and go; what a sweep counts by them stays. */
static Status check_verdict(const RunLog *run, const Session *last,
                            const Verdict *verdict, Err *err) {
    char why[300];
    VerdictKind had = last->verdict ? verdict_find(last->verdict) : VERDICT_KINDS;
    bool collapsed = had == VERDICT_COLLAPSED || had == VERDICT_AT_CHANCE_COLLAPSED;
    if (had == VERDICT_KINDS || is_of_another(last)) return OK;
    if (verdicts[had].diverged == verdict->diverged &&
        (had == VERDICT_NONFINITE) == (verdict->kind == VERDICT_NONFINITE) &&
        (!collapsed || verdict->collapsed))
        return OK;
    text_format(why, sizeof why, "by its rows the run is `%s`; run.json has `%s`",
                verdict->name, last->verdict);
    return refuse(run->path,
                  collapsed && !verdict->collapsed ? "probe.jsonl" : "train.jsonl", why,
                  err);
}

Status whole_check(const RunLog *run, const Verdict *verdict, Err *err) {
    const Sessions *sessions = &run->sessions;
    const Session *last = sessions->count ? &sessions->list[sessions->count - 1] : NULL;
    if (!last || last->exit == SESSION_OPEN) return OK;
    bool finished =
        last->step && last->step == last->steps && verdict->kind != VERDICT_NONFINITE;
    bool each; /* train.log_every = 0: every step has a row */
    double every = runlog_every(run, "train.log_every", &each);
    Status status = check_facts(run, last, err);
    if (!status) status = check_end(run, last, "train.jsonl", last_step(run), every, err);
    if (!status && finished) status = check_last_step(run, last, err);
    if (!status) status = check_loss(run, last, verdict->tail, err);
    return status ? status : check_verdict(run, last, verdict, err);
}

/* ---- sweep.json ---- */

static double number_of(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool is_text(const json_t *row, const char *key, const char *text) {
    const char *had = json_string_value(json_object_get(row, key));
    return had && text && !strcmp(had, text);
}

/* Trains its last process on, or did that not come to an end?  Then its logs have lost
 * what is written at the end of a run, until one does. */
static bool goes_on(const char *dir) {
    Sessions all = sessions_load(dir);
    SweepCell cell = {.exit = all.count ? all.list[all.count - 1].exit : OK};
    sessions_free(&all);
    return !sweep_has_ended(&cell);
}

Status whole_check_row(const Sweep *sweep, size_t cell, const json_t *row, Err *err) {
    const SweepResult *r = &sweep->cells[cell].result;
    double share = number_of(json_object_get(row, "entropy"), "share");
    const struct {
        const char *log, *what;
        double had, has;
        bool changed; /* a loss is another where the run is */
    } numbers[] = {
        {"train.jsonl", "loss", number_of(row, "loss"), r->loss, false},
        {"eval.jsonl", "score", number_of(row, "score"), r->score,
         is_text(row, "metric", r->metric) && is_text(row, "split", r->split) &&
             differs(r->score, number_of(row, "score"))},
        {"eval.jsonl", "loss of split val", number_of(row, "val_loss"), r->val_loss,
         false},
        {"probe.jsonl", "lowest site entropy", share, r->entropy,
         r->entropy > share * (1 + SAME)},
    };
    double loss = number_of(row, "loss");
    bool same = !differs(r->loss, loss) || !isfinite(r->loss);
    char dir[SWEEP_DIR + SWEEP_NAME + 16], why[200];
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    if (goes_on(dir)) return OK;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        double had = numbers[i].had, has = numbers[i].has;
        if (!isfinite(had) || !same || (isfinite(has) && !numbers[i].changed)) continue;
        text_format(why, sizeof why, "%s: sweep.json has %.6g, the log ", numbers[i].what,
                    had);
        size_t used = strlen(why);
        if (isfinite(has)) text_format(why + used, sizeof why - used, "%.6g", has);
        else text_format(why + used, sizeof why - used, "none");
        return refuse(dir, numbers[i].log, why, err);
    }
    return OK;
}
