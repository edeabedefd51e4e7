#include "tools/train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "engine/core/machine.h"
#include "engine/kern/reduce.h"
#include "models/together.h"
#include "tools/program/stop.h"
#include "tools/run/datafacts.h"
#include "tools/run/runlog.h"
#include "tools/train/fault.h"
#include "tools/train/parts.h"

enum { ROLLBACKS_MAX = 3 };

/* ---- one step ---- */

static StepBatch batch_of(const Trainer *t, size_t step) {
    ForwardMode mode = course_mode(t->task);
    mode.measure = trainer_measures(t, step);
    return task_step_batch(t->task, step, mode);
}

/* Gradients are ready: the update of `step`; returns its learning rate. */
static double update(Trainer *t, size_t step) {
    StepPace pace = {.number = step,
                     .steps = t->steps,
                     .warmup_steps = t->warmup_steps,
                     .reductions = t->at.plateau.reductions};
    return task_step_update(t->task, &t->step, &pace);
}

/* ---- a number that is not finite ---- */

/* The step again, now looking for the first number that is not finite; the rank that has
 * it in its part tells the others. */
static Status nonfinite(Trainer *t, size_t step, Err *err) {
    StepBatch batch = batch_of(t, step);
    TapeFault fault = step_watch(&t->step, &batch);
    const ParamSet *params = t->task->model->params;
    const char *what = isfinite(t->step.loss) ? "gradient" : "loss";
    if (fault.op) fault_report(err, what, step, fault, params);
    if (ranks_agree(t->ranks, err)) return err->status;
    return fault_report(err, what, step, fault, params);
}

/* ---- evaluation and saving ---- */

/* The singular vectors are those of the weights as trained: those of the average are
 * found, and undone afterwards. */
static void use_average(Trainer *t, real *kept, bool on) {
    ParamSet *params = t->task->model->params;
    size_t bytes = params->buffered * sizeof(real);
    ema_swap(t->step.ema);
    if (on) {
        memcpy(kept, params->buffers, bytes);
        model_settle(t->task->model);
    } else {
        memcpy(params->buffers, kept, bytes);
    }
}

/* Translations are made where they choose the best checkpoint or the rate, and at the
 * end. */
static bool thorough(const Trainer *t) {
    const ScheduleConfig *s = &t->recipe->schedule;
    bool watched =
        s->name == SCHEDULE_PLATEAU && metrics[metric_watch(s->watch)].translated;
    return t->at.step == t->steps || metrics[task_best(t->task)].translated || watched;
}

Status trainer_score(Trainer *t, Split split, bool averaged, Score *score, Err *err) {
    ForwardMode mode = course_mode(t->task);
    mode.temperature = t->at.temperature;
    real *kept = NULL;
    if (averaged) {
        kept = mem_alloc(t->task->model->params->buffered * sizeof(real));
        use_average(t, kept, true);
    } else {
        model_freeze(t->task->model);
    }
    Status status =
        task_evaluate(t->task, t->step.tape, &mode, split, thorough(t), score, err);
    if (averaged) use_average(t, kept, false);
    mem_free(kept);
    return status;
}

static Status evaluate_split(Trainer *t, Split split, Score *score, double *goodness,
                             Err *err) {
    if (trainer_score(t, split, false, score, err)) return err->status;
    *goodness = score_goodness(score, task_best(t->task));
    json_t *row = score_row(score, t->at.step);
    json_t *answers = trainer_answers(t, split);
    score_clear(score);
    if (t->step.ema) {
        Score averaged;
        if (trainer_score(t, split, true, &averaged, err))
            return json_decref(row), json_decref(answers), err->status;
        score_clear(&averaged);
        score_add_average(row, &averaged);
        *goodness = fmax(*goodness, score_goodness(&averaged, task_best(t->task)));
    }
    if (ranks_lead(t->ranks)) log_row(&t->eval_log, row, err);
    else json_decref(row);
    if (ranks_agree(t->ranks, err)) return json_decref(answers), err->status;
    if (!isfinite(score->value[METRIC_LOSS]))
        return json_decref(answers),
               err_set(err, FAIL_DIVERGED, "non-finite %s loss after step %zu",
                       split_name(split), t->at.step);
    char text[SCORE_TEXT];
    score_text(score, text, sizeof text);
    progress_say(&t->progress, "step %zu  %s", t->at.step, text);
    trainer_keep_answers(t, split, answers);
    return OK;
}

static Status save_step(Trainer *t, Err *err) {
    char path[PATH_SIZE];
    double clock = clock_now();
    checkpoint_path(path, t->dir, t->at.step);
    if (trainer_save(t, path, err)) return err->status;
    if (ranks_lead(t->ranks)) checkpoint_prune(t->dir, t->recipe->train.keep);
    trainer_took(t, PACE_SAVE, clock);
    return OK;
}

/* A new run that is killed before its first checkpoint would lose all of its steps: the
 * first one comes after some minutes.  Rank 0 has the clock. */
static bool saves_early(Trainer *t) {
    if (t->began || t->done[PACE_SAVE]) return false;
    double spent = t->spent[PACE_STEP] + t->spent[PACE_SCORE];
    bool due = t->first_save > 0 && spent > t->first_save;
    ranks_copy(t->ranks, &due, sizeof due);
    return due;
}

static Status save_early(Trainer *t, Err *err) {
    if (save_step(t, err)) return err->status;
    t->early = t->at.step;
    progress_say(&t->progress,
                 "step %zu  first checkpoint saved, should the run be killed",
                 t->at.step);
    return OK;
}

/* Then the early one has served. */
static Status save_in_turn(Trainer *t, Err *err) {
    if (save_step(t, err)) return err->status;
    char path[PATH_SIZE];
    checkpoint_path(path, t->dir, t->early);
    if (t->early && ranks_lead(t->ranks)) openfile_remove(path, t->dir);
    t->early = 0;
    return OK;
}

/* Said once: a split without it has none at any step. */
static void say_unscored(Trainer *t, Split split) {
    if (!t->unscored)
        progress_say(&t->progress,
                     "step %zu: %s has no %s, the score of train.best; such evaluations "
                     "choose no best checkpoint",
                     t->at.step, split_name(split), metrics[task_best(t->task)].key);
    t->unscored = true;
}

static Status keep_best(Trainer *t, Split split, double goodness, Err *err) {
    if (isnan(goodness)) say_unscored(t, split);
    if (isnan(goodness) || t->at.best_score >= goodness) return OK;
    t->at.best_score = goodness;
    t->at.best_step = t->at.step;
    char path[PATH_SIZE];
    rundir_path(path, t->dir, "checkpoints/best.safetensors");
    return trainer_save(t, path, err);
}

static Status evaluate(Trainer *t, Err *err) {
    t->at.pending_eval = true;
    bool last = t->at.step == t->steps;
    Split split = t->task->has_val ? SPLIT_VAL : SPLIT_TEST;
    Score score = {0};
    double goodness = NAN, ignored, clock = clock_now();
    if (t->task->has_val || t->task->has_test) {
        if (evaluate_split(t, split, &score, &goodness, err)) return err->status;
    }
    if (last && t->task->has_val && t->task->has_test) {
        Score test;
        if (evaluate_split(t, SPLIT_TEST, &test, &ignored, err)) return err->status;
    }
    t->at.pending_eval = false;
    if (score.count && trainer_see_plateau(t, split, &score, err)) return err->status;
    if (score.count && keep_best(t, split, goodness, err)) return err->status;
    trainer_took(t, PACE_SCORE, clock);
    return OK;
}

/* ---- the loop ---- */

/* Back to the last checkpoint, and past the batches that led here. */
static Status roll_back(Trainer *t, size_t bad_step, Err *err) {
    size_t step = trainer_newest_step(t);
    if (step == t->early) step = 0; /* where it is, the clock decides */
    if (t->recipe->guard.nonfinite != NONFINITE_ROLLBACK || !step ||
        ++t->rollbacks > ROLLBACKS_MAX)
        return err->status;
    Progressed before = t->at;
    Err reason = *err;
    char text[sizeof reason.text + 100];
    progress_say(&t->progress, "%s", reason.text);
    *err = ERR_NONE;
    json_decref(t->task->events);
    t->task->events = NULL;
    if (trainer_load_step(t, step, err) || trainer_open_logs(t, err)) return err->status;
    trainer_go_back_sharpness(t);
    t->at.data_offset = before.data_offset + bad_step - step;
    t->at.epoch_steps = before.epoch_steps, t->at.epoch_left = before.epoch_left;
    t->at.anchor = before.anchor;
    trainer_set_course(t);
    progress_say(&t->progress,
                 "rolled back to step %zu, skipping %zu batches "
                 "(rollback %zu of %d)",
                 step, bad_step - step, t->rollbacks, ROLLBACKS_MAX);
    text_format(text, sizeof text, "rolled back to step %zu, skipping %zu batches: %s",
                step, bad_step - step, reason.text);
    if (ranks_lead(t->ranks) && /* they act again, with rows of their own */
        trainer_drop_departures(&t->train_log, step, "intervene", err))
        return err->status;
    if (trainer_log_event(t, step, "rollback", text, NULL, err)) return err->status;
    return t->task->ops->start(t->task, t->at.step + t->at.data_offset + 1, err);
}

/* Weights that are not finite are never saved: the checkpoint before them stays the
 * newest. */
static bool weights_good(const ParamSet *params) {
    return reduce_all_finite(params->values, params->trained);
}

/* What follows the gradients: probes, guards, update, logs.  A rank may fail in it
 * alone. */
static Status finish_step(Trainer *t, size_t step, Err *err) {
    if (trainer_log_task_events(t, step, err)) return err->status;
    trainer_look(t, step);
    bool stops = trainer_collapses(t); /* and shows why */
    double lr = stops ? 0 : update(t, step);
    if (trainer_log_probe(t, step, !stops, err)) return err->status;
    if (trainer_guard_collapse(t, step, err)) return err->status;
    if (trainer_guard_moves(t, step, err)) return err->status;
    t->at.step = step;
    t->at.temperature = t->recipe->model.temperature;
    t->stepped = t->at.acted.count;
    t->items += t->task->items;
    t->amount += t->task->amount > 0 ? t->task->amount : t->task->items;
    t->flops += t->task->flops;
    if (trainer_log_step(t, lr, err)) return err->status;
    return trainer_log_sharpness(t, step, err);
}

static Status take_step(Trainer *t, Err *err) {
    size_t step = t->at.step + 1;
    const ParamSet *params = t->task->model->params;
    StepBatch batch = batch_of(t, step);
    step_gradients(&t->step, &batch);
    if (!isfinite(t->step.loss) || !isfinite(t->step.grad_norm)) {
        nonfinite(t, step, err);
        return roll_back(t, step, err);
    }
    finish_step(t, step, err);
    bool scoring = trainer_due(t, step, t->recipe->train.eval_every);
    bool saving = trainer_due(t, step, t->recipe->train.checkpoint_every);
    bool early = !saving && saves_early(t);
    if (!scoring && !saving && !early) return err->status;
    /* A rank that failed alone says so before the ranks compare anything. */
    if (ranks_agree(t->ranks, err)) return err->status;
    together_check(t->ranks, params, step, err);
    if (ranks_agree(t->ranks, err)) return err->status;
    if (!weights_good(params)) {
        fault_report(err, "update", step, (TapeFault){0}, params);
        return roll_back(t, step, err);
    }
    if (scoring && evaluate(t, err))
        return err->status == FAIL_DIVERGED ? roll_back(t, step, err) : err->status;
    return saving ? save_in_turn(t, err) : early ? save_early(t, err) : OK;
}

static Status next_batch(Trainer *t, Err *err) {
    t->step_clock = clock_now();
    t->task->ops->next(t->task, err);
    t->waited += clock_now() - t->step_clock;
    return err->status;
}

/* Have all ranks come through the last step, and has each its part of the next batch? */
static Status ready(Trainer *t, Err *err) {
    if (err->status || t->at.step == t->steps) return ranks_agree(t->ranks, err);
    if (stop_requested())
        err_set(err, FAIL_INTERRUPTED, "interrupted at step %zu", t->at.step);
    else if (!trainer_intervene(t, err)) next_batch(t, err);
    return ranks_agree(t->ranks, err);
}

static Status loop(Trainer *t, Err *err) {
    if (t->at.pending_eval && !evaluate(t, err)) save_step(t, err);
    while (!ready(t, err) && t->at.step < t->steps) take_step(t, err);
    return err->status;
}

Status trainer_run(Trainer *t, Err *err) {
    progress_start(&t->progress, t->at.step, t->steps, !ranks_lead(t->ranks));
    loop(t, err);
    Status status = trainer_end_sharpness(t, err);
    progress_end(&t->progress);
    bool saving =
        status == FAIL_INTERRUPTED || status == FAIL_COLLAPSED || status == FAIL_DATA;
    Err failed = ERR_NONE;
    trainer_take_back(t);
    if (saving && t->at.step > t->began && save_step(t, &failed)) *err = failed;
    if (status == FAIL_DATA && !t->at.step) trainer_remove_unbegun(t);
    /* Behind every checkpoint, so that a resume cuts it off. */
    if (status == FAIL_DIVERGED)
        trainer_log_event(t, t->at.step + 1, RUNLOG_NONFINITE, err->text, NULL, &failed);
    return ranks_agree(t->ranks, err);
}
