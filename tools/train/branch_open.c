/* branch_open: a run that goes on from another one's checkpoint (tools/train/parts.h).
 * Up to the moment in which its folder is made all is read from the other run's, as at a
 * resume of that one. */
#include <math.h>
#include <string.h>

#include "tools/program/say.h"
#include "tools/train/parts.h"

void trainer_checkpoint_path(const Trainer *t, size_t step, char path[PATH_SIZE]) {
    if (t->away) text_format(path, PATH_SIZE, "%s", t->from->path);
    else checkpoint_path(path, t->dir, step);
}

Status trainer_branch_off(Trainer *t, Err *err) {
    if (!t->away) return OK;
    if (t->at.best_step && !branch_best(t->from, t->at.best_step)) t->at.best_score = NAN;
    if (t->at.step < t->steps || t->at.pending_eval) return OK;
    return err_set(err, FAIL_USAGE,
                   "the run ends at step %zu, so no step is left to train from the "
                   "checkpoint of step %zu; to extend: train.steps=N",
                   t->steps, t->at.step);
}

void trainer_leave(Trainer *t) {
    t->away = false;
    memcpy(t->dir, t->out, sizeof t->dir);
}

/* recipe.ini comes last (open.c): what a killed process leaves is no run. */
Status trainer_fill_folder(Trainer *t, Err *err) {
    if (rundir_make_folders(t->dir, &t->made, err) ||
        rundir_lock(t->dir, &t->lock, err) || rundir_check_free(t->dir, err))
        return err->status;
    t->fresh = true;
    if (rundir_create(t->dir, err)) return err->status;
    return branch_copy(t->from, t->dir, t->sharpness.step, t->sharpness.count, err);
}

void trainer_say_branch(const Trainer *t) {
    if (!t->from) return;
    if (t->at.best_step && !*t->from->best)
        say("steady: note: the best checkpoint up to step %zu, of step %zu, is not in "
            "%s any more: the choice starts anew",
            t->at.step, t->at.best_step, t->from->run);
    if (!t->changes.count && checkpoint_newest(t->from->run, SIZE_MAX) > t->at.step)
        say("steady: note: no key is changed: the next steps will be those of %s again",
            t->from->run);
    say("continuing from %s; %s stays as it is", t->from->path, t->from->run);
}
