/* What became of a run, from its logs (tools/run/runlog.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/run/cause.h"
#include "tools/run/runlog.h"

/* What uniform attention has at a site: hardly ever another number from step to step. */
static double uniform_of(const RunLog *run, const char *name) {
    for (size_t i = 0; i < run->probe.site_count; i++) {
        const SiteLog *site = &run->probe.sites[i];
        if (strcmp(site->name, name)) continue;
        for (size_t p = run->probe.count; p-- > 0;)
            if (isfinite(site->uniform[p])) return site->uniform[p];
    }
    return NAN;
}

void runlog_see_alarm(const RunLog *run, const RunEvent *event, EntropyLow *low) {
    if (!event->site) return;
    double uniform = event->uniform;
    if (!isfinite(uniform)) uniform = uniform_of(run, event->site);
    entropy_low_warned(low, event->site, uniform, event->share, (size_t)event->step);
}

bool runlog_alarmed(const RunLog *run, const char *site) {
    for (size_t i = 0; i < run->event_count; i++) {
        const RunEvent *e = &run->events[i];
        if (e->site && !strcmp(e->site, site) && entropy_fell(e->share, COLLAPSE_SHARE))
            return true;
    }
    return false;
}

EntropyLow runlog_lowest(const RunLog *run) {
    EntropyLow low = ENTROPY_LOW_NONE;
    for (size_t p = 0; p < run->probe.count; p++)
        for (size_t i = 0; i < run->probe.site_count; i++) {
            const SiteLog *site = &run->probe.sites[i];
            entropy_low_see(&low, site->name, site->uniform[p], site->mean[p],
                            (size_t)run->probe.step[p]);
        }
    for (size_t i = 0; i < run->event_count; i++)
        runlog_see_alarm(run, &run->events[i], &low);
    return low;
}

void runlog_skips_text(const RunLog *run, char *text, size_t size) {
    double count = 0;
    char of[40] = "";
    for (size_t i = 0; i < run->event_count; i++)
        if (!strcmp(run->events[i].kind, "skip") && run->events[i].count > 0)
            count += run->events[i].count;
    size_t all = run->data.split[SPLIT_TRAIN].count;
    *text = 0;
    if (!(count > 0)) return;
    if (all) text_format(of, sizeof of, " of %zu", all);
    text_format(text, size,
                "%.0f%s training examples could not be read and were skipped.", count,
                of);
}

/* Steps at which the recipe changed, by an intervention or at a resume.  The caller
 * frees. */
static double *changes_of(const RunLog *run, size_t *count) {
    double *steps = mem_alloc(run->event_count * sizeof *steps);
    *count = 0;
    for (size_t i = 0; i < run->event_count; i++) {
        const char *kind = run->events[i].kind;
        if (!strcmp(kind, "intervene") || !strcmp(kind, "resume"))
            steps[(*count)++] = run->events[i].step;
    }
    return steps;
}

static bool ended_nonfinite(const RunLog *run) {
    for (size_t i = 0; i < run->event_count; i++)
        if (!strcmp(run->events[i].kind, RUNLOG_NONFINITE)) return true;
    return false;
}

/* Which factor of the logits grew, behind the sentence about entropy. */
static void add_cause(const RunLog *run, const EntropyLow *low, char *text, size_t size) {
    char cause[CAUSE_TEXT];
    cause_text(run, low->fell_site, low->fell_step, cause);
    size_t used = strlen(text);
    if (*cause && used + strlen(cause) + 2 <= size)
        text_format(text + used, size - used, " %s", cause);
}

/* Accuracies of the online probe on one split, and their epochs: the split of the first
 * that there is.  The caller frees both. */
static size_t probe_curve(const RunLog *run, double **top1, double **epoch,
                          size_t *pictures) {
    const char *split = NULL;
    size_t count = 0;
    *pictures = 0;
    *top1 = mem_alloc(MAX(run->eval_count, (size_t)1) * sizeof **top1);
    *epoch = mem_alloc(MAX(run->eval_count, (size_t)1) * sizeof **epoch);
    for (size_t i = 0; i < run->eval_count; i++) {
        const EvalRow *row = &run->evals[i];
        double score = row->scores[METRIC_PROBE_TOP1];
        if (!isfinite(score) || (split && strcmp(split, row->split) != 0)) continue;
        split = row->split;
        if (row->count >= 1 && row->count < 1e12) *pictures = (size_t)row->count;
        (*top1)[count] = score;
        (*epoch)[count++] = runlog_epoch(run, row->step);
    }
    return count;
}

void runlog_precision(const RunLog *run, char text[RUNLOG_PRECISION]) {
    const TrainLog *train = &run->train;
    size_t narrow = 0;
    for (size_t i = 0; train->bf16 && i < train->count; i++) narrow += train->bf16[i] > 0;
    *text = 0;
    if (narrow && narrow == train->count) text_format(text, RUNLOG_PRECISION, "bf16");
    else if (narrow)
        text_format(text, RUNLOG_PRECISION, "bf16 in %zu of %zu logged steps", narrow,
                    train->count);
}

/* What the sentences before it hold for. */
static void add_precision(const RunLog *run, char *summary, size_t size) {
    char precision[RUNLOG_PRECISION];
    size_t length = strlen(summary);
    runlog_precision(run, precision);
    if (*precision && length + sizeof precision + 16 <= size)
        text_format(summary + length, size - length, " Products in %s.", precision);
}

static void score_text(const EvalRow *row, double value, char *text, size_t size) {
    bool share = metrics[metric_find(row->metric)].factor == 100;
    text_format(text, size, "%.4g%s", fmax(fmin(value, 1e9), -1e9), share ? " %" : "");
}

/* "24 examples of val are too few to tell 79.17 % from guessing (50 %)" */
static void few_text(const RunLog *run, const EvalRow *row, char *text, size_t size) {
    Metric metric = metric_find(row->metric);
    char score[40], guess[40], of[40] = "these";
    *text = 0;
    if (row->grade != GRADE_FEW || metric == METRIC_COUNT) return;
    if (row->count >= 1) text_format(of, sizeof of, "%.0f", fmin(row->count, 1e15));
    score_text(row, metrics[metric].factor * row->score, score, sizeof score);
    score_text(row, metric_guess(metric, run->guess_nll), guess, sizeof guess);
    bool one = row->count == 1;
    text_format(text, size, "%s example%s of %s %s too few to tell %s from guessing (%s)",
                of, one ? "" : "s", row->split, one ? "is" : "are", score, guess);
}

/* Losses of the split of the first row.  The caller frees. */
static double *scored_losses(const RunLog *run, size_t *count) {
    double *loss = mem_alloc(MAX(run->eval_count, (size_t)1) * sizeof *loss);
    *count = 0;
    for (size_t i = 0; i < run->eval_count; i++)
        if (!strcmp(run->evals[i].split, run->evals[0].split))
            loss[(*count)++] = run->evals[i].scores[METRIC_LOSS];
    return loss;
}

static double setting_number(const RunLog *run, const char *key) {
    const char *word = runlog_setting(run, key);
    return word ? strtod(word, NULL) : 0;
}

/* "step 20 of 300", "epoch 1.5 of 2"; NULL: the run ended behind its warm-up. */
static const char *warmup_text(const RunLog *run, char *text, size_t size) {
    const TrainLog *train = &run->train;
    double step = train->count ? train->step[train->count - 1] : NAN;
    double epoch = runlog_epoch(run, step);
    double steps = setting_number(run, "schedule.warmup_steps");
    double epochs = setting_number(run, "schedule.warmup_epochs");
    if (step < steps) text_format(text, size, "step %.0f of %.0f", step, steps);
    else if (epoch < epochs) text_format(text, size, "epoch %.3g of %g", epoch, epochs);
    else return NULL;
    return text;
}

Verdict runlog_verdict(const RunLog *run, bool nonfinite) {
    const char *width = runlog_setting(run, "model.width");
    double *top1, *epoch;
    size_t pictures, probe_count = probe_curve(run, &top1, &epoch, &pictures);
    const char *reparam = runlog_setting(run, "model.reparam");
    size_t change_count;
    EntropyLow low = runlog_lowest(run);
    char few[200] = "", warmup[80];
    const EvalRow *last = run->eval_count ? &run->evals[run->eval_count - 1] : NULL;
    if (last) few_text(run, last, few, sizeof few);
    double *changes = changes_of(run, &change_count);
    size_t scored_count;
    double *scored = scored_losses(run, &scored_count);
    Verdict verdict =
        run_verdict(&(VerdictInput){.loss = run->train.loss,
                                    .step = run->train.step,
                                    .count = run->train.count,
                                    .chance = run->chance,
                                    .nonfinite = nonfinite || ended_nonfinite(run),
                                    .warmup = warmup_text(run, warmup, sizeof warmup),
                                    .scored = scored,
                                    .scored_count = scored_count,
                                    .sigma = reparam && !strcmp(reparam, "sigma"),
                                    .changes = changes,
                                    .change_count = change_count,
                                    .grade = last ? last->grade : GRADE_UNKNOWN,
                                    .few = *few ? few : NULL,
                                    .low = low,
                                    .feature_std = run->train.feature_std,
                                    .width = width ? strtoul(width, NULL, 10) : 0,
                                    .probe = top1,
                                    .probe_epoch = epoch,
                                    .probe_count = probe_count,
                                    .probe_pictures = pictures});
    add_cause(run, &low, verdict.summary, sizeof verdict.summary);
    add_precision(run, verdict.summary, sizeof verdict.summary);
    mem_free(changes);
    mem_free(scored);
    mem_free(top1);
    mem_free(epoch);
    return verdict;
}
