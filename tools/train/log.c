/* log: what a step leaves behind (tools/train/parts.h). */
#include <math.h>

#include "tools/train/parts.h"

bool trainer_logs_step(const Trainer *t, size_t step) {
    size_t every = t->recipe->train.log_every;
    return ranks_lead(t->ranks) && (!every || step % every == 0);
}

/* Speed and waiting are of the time that steps took since the last row: evaluations and
 * checkpoints between them do not count. */
static Status log_row_of_step(Trainer *t, double lr, Err *err) {
    double now = clock_now();
    t->stepping += now - t->step_clock;
    trainer_took(t, PACE_STEP, t->step_clock);
    if (!trainer_logs_step(t, t->at.step)) return OK;
    double spent = t->stepping;
    double items = t->items - t->logged_items, flops = t->flops - t->logged_flops;
    double rate = spent > 0 ? items / spent : 0;
    Precision precision = trainer_precision(t);
    double product = precision.plain ? 0 : t->product_rate[precision.products];
    double machine = product * (double)ranks_count(t->ranks);
    double mfu = machine > 0 && spent > 0 ? 3 * flops / spent / machine : NAN;
    double waited = spent > 0 ? t->waited / spent : 0;
    t->waited = t->stepping = 0;
    t->logged_items = t->items;
    t->logged_flops = t->flops;
    double epoch = trainer_epoch(t, t->at.step);
    json_t *row =
        json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o*}", "step",
                  (json_int_t)t->at.step, "epoch", json_number(epoch), "loss",
                  json_number(t->step.loss), "lr", json_number(lr), "grad_norm",
                  json_number(t->step.grad_norm), "items_per_s", json_number(rate), "mfu",
                  json_number(mfu), "wait", json_number(waited), "moved", t->moves);
    if (precision.products == PRECISION_BF16)
        json_object_set_new(row, "precision", json_string("bf16"));
    t->moves = NULL;
    if (t->task->ops->add_numbers) t->task->ops->add_numbers(t->task, row);
    return log_row(&t->train_log, row, err);
}

static bool on_beat(const Trainer *t, size_t step) {
    size_t every = t->recipe->probe.every;
    return every && (step % every == 0 || step == 1);
}

/* The last step always has a row.  A run that goes on from there drops it
 * (log_open_further). */
static bool is_end(const Trainer *t, size_t step) {
    return t->recipe->probe.every && step == t->steps && !on_beat(t, step);
}

/* On every rank: each measures its part. */
static bool is_due(const Trainer *t, size_t step) {
    return on_beat(t, step) || is_end(t, step);
}

static bool is_probed(const Trainer *t, size_t step) {
    return ranks_lead(t->ranks) && is_due(t, step);
}

MeasureLevel trainer_measures(const Trainer *t, size_t step) {
    return is_due(t, step) ? probe_level(&t->recipe->probe, step) : MEASURE_NOTHING;
}

void trainer_look(Trainer *t, size_t step) {
    const ProbeConfig *p = &t->recipe->probe;
    bool probed = is_probed(t, step);
    if (probed) (is_end(t, step) ? prober_glance : prober_look)(t->prober, p, step);
    bool guarded = t->recipe->guard.update_above > 0 && ranks_lead(t->ranks);
    OptimWatch without = guarded ? OPTIM_WATCH_MOVES : OPTIM_WATCH_NONE;
    optim_watch(t->step.optim, probed && p->gradients ? OPTIM_WATCH_GRADS : without);
}

Status trainer_log_probe(Trainer *t, size_t step, bool updated, Err *err) {
    if (!is_probed(t, step)) return OK;
    const Optimizer *optim = updated ? t->step.optim : NULL;
    json_t *row = prober_row(t->prober, &t->recipe->probe, step, optim);
    if (!is_end(t, step)) return log_row(&t->probe_log, row, err);
    json_t *marked = json_pack("{s:I, s:b}", "step", (json_int_t)step, "end", 1);
    json_object_update_missing(marked, row);
    json_decref(row);
    return log_row(&t->probe_log, marked, err);
}

void trainer_took(Trainer *t, TrainerPace pace, double since) {
    t->spent[pace] += clock_now() - since;
    t->done[pace]++;
}

/* How many of the steps from the present one on are due for something each `every`; 0:
 * each epoch. */
static double times_left(const Trainer *t, size_t every) {
    if (!every) every = t->steps_per_epoch;
    double to = ceil((double)t->steps / (double)every);
    return fmax(to - floor((double)(t->at.step - 1) / (double)every), 0);
}

/* Seconds to the end; *more: of evaluations or checkpoints none has been measured. */
static double time_left(const Trainer *t, bool *more) {
    const TrainConfig *train = &t->recipe->train;
    bool scored = t->task->has_val || t->task->has_test;
    double count[] = {[PACE_STEP] = (double)(t->steps - t->at.step),
                      [PACE_SCORE] = scored ? times_left(t, train->eval_every) : 0,
                      [PACE_SAVE] = times_left(t, train->checkpoint_every)};
    double left = 0;
    *more = false;
    for (size_t i = 0; i < COUNT(count); i++) {
        if (t->done[i]) left += count[i] * t->spent[i] / (double)t->done[i];
        else *more |= count[i] > 0;
    }
    return left;
}

static void show(Trainer *t) {
    ProgressNow now = {.step = t->at.step,
                       .loss = t->step.loss,
                       .epoch = trainer_epoch(t, t->at.step)};
    now.entropy = model_lowest_entropy(t->task->model, &now.site);
    now.unit = t->task->ops->unit;
    now.rate = t->spent[PACE_STEP] > 0 ? t->amount / t->spent[PACE_STEP] : 0;
    now.left = time_left(t, &now.more);
    progress_show(&t->progress, &now);
}

Status trainer_log_step(Trainer *t, double lr, Err *err) {
    if (log_row_of_step(t, lr, err)) return err->status;
    show(t);
    return OK;
}
