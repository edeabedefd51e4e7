/* newest: what a checkpoint holds of a trainer, and the one that a run goes on from
 * (tools/train/parts.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/run/runlog.h"
#include "tools/task/meaning.h"
#include "tools/train/parts.h"

CheckpointParts trainer_checkpoint_parts(const Trainer *t) {
    return (CheckpointParts){.model = t->task->model,
                             .optim = t->step.optim,
                             .optimizer = optim_name(t->recipe->optim.name),
                             .ema = t->step.ema,
                             .warned = t->warned,
                             .moved = t->moved,
                             .skips = &t->task->skips,
                             .prober = t->prober};
}

/* Until a step is taken the recipe that led here is the old one. */
Status trainer_save(Trainer *t, const char *path, Err *err) {
    if (!ranks_lead(t->ranks)) return OK;
    if (log_sync(&t->train_log, err) || log_sync(&t->probe_log, err) ||
        log_sync(&t->eval_log, err))
        return err->status;
    bool old = t->was && t->at.step && t->at.step == t->began;
    TextBuffer recipe = {0};
    recipe_digest(old ? t->was : t->base, &recipe);
    trainer_mark_data(t->task, t->at.data);
    if (old) memcpy(t->at.data, t->data_was, sizeof t->at.data);
    CheckpointParts parts = trainer_checkpoint_parts(t);
    TextBuffer meaning = {0};
    meaning_describe(t->task, t->at.temperature, &meaning);
    char best_by[SCORE_NAMES];
    score_names(task_best(t->task), t->step.ema != NULL,
                t->recipe->train.label_smoothing > 0, best_by);
    parts.best_by = best_by;
    if (t->recipe->train.precision != TRAIN_FP32)
        parts.precision = precision_name(trainer_precision(t).products);
    parts.recipe = recipe.text;
    parts.meaning = meaning.text;
    Status status = checkpoint_save(path, t->dir, &parts, &t->at, err);
    text_free(&meaning);
    text_free(&recipe);
    return status;
}

size_t trainer_newest_step(Trainer *t) {
    size_t step = ranks_lead(t->ranks) ? checkpoint_newest(t->dir, SIZE_MAX) : 0;
    ranks_copy(t->ranks, &step, sizeof step);
    return step;
}

/* ---- where there is none ---- */

/* The last step that the run has logged, where it then had saved a
 * checkpoint before; else 0. */
static size_t step_behind_checkpoint(const Trainer *t) {
    const TrainConfig *c = &t->was->train;
    RunLog *run = runlog_open(t->dir, NULL);
    size_t rows = run ? run->train.count : 0, last = 0;
    if (rows) {
        double step = run->train.step[rows - 1], epoch = run->train.epoch[rows - 1];
        bool saved = c->checkpoint_every ? step > (double)c->checkpoint_every : epoch > 1;
        if (saved) last = (size_t)step;
    }
    runlog_free(run);
    return last;
}

/* The logs would be cut back to nothing: only where no checkpoint can have been there. */
static Status check_lost(const Trainer *t, Err *err) {
    size_t last = step_behind_checkpoint(t);
    if (!last) return OK;
    return err_set(
        err, FAIL_DATA,
        "%s/checkpoints has no step-NUMBER.safetensors, but the run was at step %zu "
        "(train.jsonl); restore the file to resume, or start a new run with train.init, "
        "or "
        "remove the folder to train this run again",
        t->dir, last);
}

size_t trainer_find_newest(Trainer *t, Err *err) {
    size_t step = trainer_newest_step(t);
    if (!step && ranks_lead(t->ranks) && !checkpoint_check_folder(t->dir, err))
        check_lost(t, err);
    return step;
}

/* ---- loading ---- */

/* A copy under another number would be taken for the newest at every resume. */
static Status check_name(const Trainer *t, const char *path, size_t step, Err *err) {
    if (t->at.step == step) return OK;
    return err_set(
        err, FAIL_DATA,
        "%s: __metadata__ says step %zu, the name %zu; rename or remove the file", path,
        t->at.step, step);
}

/* Scores on other data are no measure of those to come; the learning rate that
 * they led to stays. */
static void forget_scores(Progressed *at) {
    at->best_score = NAN;
    at->plateau = plateau_again(&at->plateau);
}

/* Rank 0 reads first; a file that is not good is met once. */
Status trainer_load_step(Trainer *t, size_t step, Err *err) {
    char path[PATH_SIZE];
    trainer_checkpoint_path(t, step, path);
    CheckpointParts parts = trainer_checkpoint_parts(t);
    if (ranks_lead(t->ranks) && !checkpoint_load(path, t->dir, &parts, &t->at, err))
        check_name(t, path, step, err);
    if (ranks_agree(t->ranks, err)) return err->status;
    if (!ranks_lead(t->ranks)) checkpoint_load(path, t->dir, &parts, &t->at, err);
    t->stepped = t->at.acted.count;
    /* A checkpoint of this process has scores on the present data. */
    if (t->other_scores && (!t->began || step <= t->began)) forget_scores(&t->at);
    return ranks_agree(t->ranks, err);
}

/* A damaged checkpoint is not passed over silently: steps would be lost unseen. */
static void advise_older(const Trainer *t, size_t step, Err *err) {
    size_t older = checkpoint_newest(t->dir, step);
    if (!older || t->away || err->status != FAIL_DATA) return;
    Err seen = *err;
    err_set(err, seen.status,
            "%.800s; if you remove this file, --resume continues from step %zu",
            seen.text, older);
}

Status trainer_load_newest(Trainer *t, size_t step, Err *err) {
    if (trainer_load_step(t, step, err) && ranks_lead(t->ranks))
        advise_older(t, step, err);
    return err->status;
}
