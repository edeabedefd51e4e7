/* open: from a recipe, and the folder of a run that goes on, to a trainer
 * (tools/train/trainer.h). */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "tools/program/rate.h"
#include "tools/program/start.h"
#include "tools/program/stop.h"
#include "tools/task/init.h"
#include "tools/train/parts.h"

/* Opens the logs, cut back to the present step; an evaluation that was
 * broken off comes again. */
Status trainer_open_logs(Trainer *t, Err *err) {
    if (!ranks_lead(t->ranks)) return OK;
    /* A score at the end of a run that now goes on past it would not be
     * there without the stop. */
    bool scored =
        !t->at.pending_eval && trainer_due(t, t->at.step, t->recipe->train.eval_every);
    size_t last_score = t->at.step && !scored ? t->at.step - 1 : t->at.step;
    log_close(&t->train_log);
    log_close(&t->probe_log);
    log_close(&t->eval_log);
    const Recipe *now = t->recipe, *was = t->was ? t->was : now;
    bool scores = t->task->has_val || t->task->has_test;
    const struct {
        Log *log;
        const char *name, *key;
        size_t was, now, last;
    } logs[] = {{&t->train_log, "train.jsonl", "train.log_every",
                 MAX(was->train.log_every, (size_t)1),
                 MAX(now->train.log_every, (size_t)1), t->at.step},
                {&t->probe_log, "probe.jsonl", "probe.every", was->probe.every,
                 now->probe.every, t->at.step},
                {&t->eval_log, "eval.jsonl", "train.eval_every",
                 scores ? was->train.eval_every : 0, now->train.eval_every, last_score}};
    bool further = t->at.step < t->steps;
    for (size_t i = 0; i < COUNT(logs) && !err->status; i++) {
        size_t every = trainer_widest(t, logs[i].key, logs[i].was, logs[i].now);
        (further ? log_open_further : log_open)(logs[i].log, t->dir, logs[i].name, every,
                                                logs[i].last, err);
        if (*logs[i].log->note)
            progress_say(&t->progress, "steady: note: %s", logs[i].log->note);
    }
    return err->status;
}

static Status check_batch(Trainer *t, Err *err) {
    const Recipe *r = t->recipe;
    bool counted = !r->train.batch_tokens && r->train.batch_seconds == 0;
    if (!t->task->steps_per_epoch)
        return err_set(err, FAIL_USAGE,
                       "train.batch = %zu is more than the %zu training examples",
                       r->train.batch, t->task->examples);
    if (counted && r->train.batch < ranks_count(t->ranks))
        return err_set(
            err, FAIL_USAGE,
            "train.batch = %zu is too small for %zu ranks: each needs at least one "
            "example",
            r->train.batch, ranks_count(t->ranks));
    return OK;
}

static Status fill_model(Trainer *t, size_t resume_step, Err *err) {
    const Recipe *r = t->recipe;
    ParamSet *params = t->task->model->params;
    if (resume_step) {
        if (r->train.ema > 0) t->step.ema = ema_new(params, r->train.ema);
        return trainer_load_newest(t, resume_step, err);
    }
    if (init_weights(t->task, "; to compare only the shapes: train.init_fit=shapes", err))
        return err->status;
    if (r->train.ema > 0) t->step.ema = ema_new(params, r->train.ema);
    return OK;
}

static Status save_recipe(const Trainer *t, Err *err) {
    char draft[PATH_SIZE];
    rundir_path(draft, t->dir, "recipe.ini.new");
    if (!recipe_save(t->base, draft, t->dir, err))
        return rundir_replace(t->dir, "recipe.ini", err);
    openfile_remove(draft, t->dir);
    return err->status;
}

/* Makes a new run's folder.  recipe.ini comes first: what a killed process leaves is a
 * run. */
static Status make_folder(Trainer *t, Err *err) {
    if (rundir_make_folders(t->dir, &t->made, err) ||
        rundir_lock(t->dir, &t->lock, err) || rundir_check_free(t->dir, err))
        return err->status;
    t->fresh = true;
    return save_recipe(t, err) ? err->status : rundir_create(t->dir, err);
}

/* Writes what says what the run is, and opens the logs; a run that cannot go on keeps its
 * recipe. */
static Status open_folder(Trainer *t, Err *err) {
    if (!t->was && make_folder(t, err)) return err->status;
    if (t->from && trainer_fill_folder(t, err)) return err->status;
    if (t->was && !t->from && rundir_create(t->dir, err)) return err->status;
    if (task_save_facts(t->task, t->dir, err) || trainer_open_logs(t, err))
        return err->status;
    if (!t->was) return OK;
    trainer_find_sharpness(t, true);
    return trainer_log_resumed(t, err) ? err->status : save_recipe(t, err);
}

void trainer_remove_unbegun(const Trainer *t) {
    if (!t->fresh) return;
    if (t->from) branch_remove(t->from, t->dir);
    rundir_remove_unbegun(t->dir);
    rundir_remove_folders(t->dir, &t->made);
}

/* Could the folder be made?  By the nearest one above it that is there. */
static Status check_writable(const char *dir, Err *err) {
    char path[PATH_SIZE];
    text_format(path, sizeof path, "%s", dir);
    while (*path && access(path, F_OK)) {
        char *slash = strrchr(path, '/');
        if (!slash) text_format(path, sizeof path, ".");
        else *(slash == path ? slash + 1 : slash) = 0;
    }
    if (!access(path, W_OK | X_OK)) return OK;
    return err_set(err, FAIL_RUN, "%s cannot be created: %s: %s", dir, path,
                   strerror(errno));
}

/* Is there what this run's steps need?  Of one that goes on, those that are to come: it
 * is asked where their place is known. */
static Status check_means(Trainer *t, Err *err) {
    if (trainer_check_plateau(t, err)) return err->status;
    if (ranks_lead(t->ranks) && trainer_check_sharpness(t, err)) return err->status;
    return t->was ? trainer_check_precision(t, err) : OK;
}

/* The folder is free, the data are there and fit: what a rank may fail in alone. */
static Status begin(Trainer *t, Err *err) {
    bool goes_on = t->was && !t->away; /* in its folder */
    const char *new = t->away ? t->out : t->dir;
    Status status = OK;
    if (ranks_lead(t->ranks))
        status =
            goes_on ? rundir_lock(t->dir, &t->lock, err) : rundir_check_free(new, err);
    if (!status && t->dry && !goes_on && ranks_lead(t->ranks))
        status = check_writable(new, err);
    if (status) return status;
    t->task = task_open(t->recipe, t->ranks, err);
    if (!t->task || course_check(t->base, t->task, err) || trainer_check_memory(t, err) ||
        (!t->was && check_means(t, err)))
        return err->status;
    if (ranks_lead(t->ranks)) task_say_facts(t->task);
    return check_batch(t, err);
}

static Status start_batches(Trainer *t, Err *err) {
    if (t->at.step > t->steps)
        return err_set(err, FAIL_USAGE,
                       "%s already has %zu steps, more than train.steps = %zu", t->dir,
                       t->at.step, t->steps);
    size_t first = t->at.step + t->at.data_offset + 1;
    return t->at.step < t->steps ? t->task->ops->start(t->task, first, err) : OK;
}

static Status prepare(Trainer *t, Err *err) {
    begin(t, err);
    if (ranks_agree(t->ranks, err)) return err->status;
    Model *model = t->task->model;
    size_t threads = start_threads(t->recipe->train.threads);
    task_step_begin(t->task, threads, &t->step);
    t->prober = prober_new(model);
    t->warned = mem_zalloc(model->site_count * sizeof *t->warned);
    t->moved = mem_zalloc(model->params->count * sizeof *t->moved);
    t->product_rate[PRECISION_FP32] = machine_rate_cached(PRECISION_FP32, threads);
    t->product_rate[PRECISION_BF16] = machine_rate_cached(PRECISION_BF16, threads);
    size_t step = t->away ? t->from->step : t->was ? trainer_find_newest(t, err) : 0;
    if (!err->status && ranks_lead(t->ranks)) trainer_check_data(t, step, err);
    if (ranks_agree(t->ranks, err)) return err->status;
    ranks_copy(t->ranks, &t->other_data, sizeof t->other_data);
    ranks_copy(t->ranks, &t->other_scores, sizeof t->other_scores);
    trainer_choose_precision(t, step);
    t->at = (Progressed){.best_score = NAN, .plateau = PLATEAU_START};
    if (!fill_model(t, step, err) && !trainer_find_place(t, t->other_data, err)) {
        trainer_set_course(t);
        if (trainer_best_changed(t)) t->at.best_score = NAN;
        if (!(t->at.temperature > 0)) t->at.temperature = t->recipe->model.temperature;
        if (!trainer_branch_off(t, err) && !trainer_check_interventions(t, err) &&
            (!t->was || !check_means(t, err)))
            start_batches(t, err);
    }
    if (ranks_agree(t->ranks, err)) return err->status;
    t->began = t->at.step;
    if (t->dry) return OK;
    stop_listen(ranks_lead(t->ranks) ? TRAINER_PROMISE : NULL);
    if (ranks_lead(t->ranks) && t->was) trainer_find_sharpness(t, false);
    ranks_copy(t->ranks, &t->sharpness.count, sizeof t->sharpness.count);
    if (t->from) trainer_leave(t);
    if (ranks_lead(t->ranks) && trainer_has_work(t)) open_folder(t, err);
    return ranks_agree(t->ranks, err);
}

bool trainer_has_work(const Trainer *t) {
    return t->at.step < t->steps || t->at.pending_eval || t->sharpness.count;
}

static Status open_trainer(Trainer *t, const Recipe *recipe, const Recipe *was,
                           const char *dir, Err *err) {
    t->base = recipe;
    t->was = was;
    t->recipe = mem_alloc(sizeof *t->recipe);
    *t->recipe = *recipe;
    if (was) t->changes = recipe_compare(was, recipe);
    if (strlen(dir) >= sizeof t->dir) {
        trainer_close(t);
        return err_set(err, FAIL_USAGE, "the name of the run folder is too long");
    }
    text_format(t->away ? t->out : t->dir, sizeof t->dir, "%s", dir);
    if (!prepare(t, err)) return OK;
    trainer_remove_unbegun(t);
    trainer_close(t);
    return err->status;
}

Status trainer_open(Trainer *t, const Recipe *recipe, const Recipe *was, const char *dir,
                    Ranks *ranks, bool force, Err *err) {
    *t = (Trainer){
        .lock = -1, .ranks = ranks, .force = force, .first_save = TRAINER_FIRST_SAVE};
    return open_trainer(t, recipe, was, dir, err);
}

Status trainer_open_dry(Trainer *t, const Recipe *recipe, const Recipe *was,
                        const char *dir, Ranks *ranks, bool force, Err *err) {
    *t = (Trainer){.lock = -1, .ranks = ranks, .force = force, .dry = true};
    return open_trainer(t, recipe, was, dir, err);
}

Status trainer_open_branch(Trainer *t, const Recipe *recipe, const Recipe *was,
                           const Branch *from, const char *dir, Ranks *ranks, bool force,
                           bool dry, Err *err) {
    *t = (Trainer){.lock = -1,
                   .ranks = ranks,
                   .force = force,
                   .dry = dry,
                   .first_save = dry ? 0 : TRAINER_FIRST_SAVE,
                   .from = mem_alloc(sizeof *t->from),
                   .away = true};
    *t->from = *from;
    text_format(t->dir, sizeof t->dir, "%s", from->run);
    return open_trainer(t, recipe, was, dir, err);
}

void trainer_close(Trainer *t) {
    mem_free(t->from);
    trainer_free_sharpness(t);
    mem_free(t->precision_note);
    text_free(&t->data_change);
    recipe_changes_free(&t->changes);
    log_close(&t->train_log);
    log_close(&t->probe_log);
    log_close(&t->eval_log);
    prober_free(t->prober);
    mem_free(t->warned);
    json_decref(t->moves);
    mem_free(t->moved);
    step_end(&t->step);
    task_free(t->task);
    mem_free(t->recipe);
    if (t->lock >= 0) close(t->lock);
    *t = (Trainer){.lock = -1};
}
