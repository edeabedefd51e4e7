/* introduce: what is said of a run before its first step (tools/train/trainer.h). */
#include <stdio.h>

#include "tools/program/say.h"
#include "tools/program/start.h"
#include "tools/task/freeze.h"
#include "tools/train/parts.h"

/* A line for each key that is not as it was, and one where that moves the
 * place in the data. */
static void say_changes(const Trainer *t) {
    const Anchor *a = &t->at.anchor;
    for (size_t i = 0; i < t->changes.count; i++) {
        const RecipeChange *c = &t->changes.change[i];
        say("steady: note: %s.%s changed from %s to %s", c->key->section, c->key->name,
            c->was, c->is);
    }
    if (trainer_best_changed(t))
        say("steady: note: the choice of the best checkpoint starts anew, because "
            "earlier scores are not comparable");
    if (t->data_change.length)
        say("steady: note: the data changed: %s%s", t->data_change.text,
            t->other_scores ? "; the choice of the best checkpoint starts anew" : "");
    if (t->was && !t->at.step)
        say("steady: note: %s has no checkpoint yet; restarting at step 1 "
            "(train.checkpoint_every=N saves every N steps)",
            t->dir);
    if (!a->step || a->step != t->at.step) return;
    fprintf(stderr, "steady: note: epoch %.4g continues %s; %zu of its steps remain\n",
            a->epoch,
            t->new_order ? "at the same fraction of a new order of the examples"
                         : "with the examples not yet used",
            t->at.epoch_left);
}

/* Learning rates that differ from layer to layer. */
static void say_layer_decay(const Trainer *t) {
    const OptimConfig *c = &t->recipe->optim;
    const ParamSet *params = t->task->model->params;
    char last[60] = "";
    if (c->layer_decay == 1) return;
    if (params->layer > 2)
        text_format(last, sizeof last, "%.3g in block %zu, ",
                    optim_layer_scale(c, params, params->layer - 1), params->layer - 2);
    say("optim.layer_decay = %g: learning rate times %.3g in the front end, %.3g in "
        "block 0, %s1 after the blocks",
        c->layer_decay, optim_layer_scale(c, params, 0), optim_layer_scale(c, params, 1),
        last);
}

/* What is about to be trained, in five lines. */
static void say_run(const Trainer *t) {
    const Recipe *r = t->recipe;
    const Model *model = t->task->model;
    size_t gains = 0, matrices = 0;
    for (size_t i = 0; i < model->params->count; i++) {
        const Param *p = model->params->list[i];
        if (p->role == PARAM_GAIN) gains += p->tensor.size;
        if (p->role == PARAM_MATRIX) matrices += p->tensor.size;
    }
    size_t all = params_trained_count(model->params);
    fprintf(stderr,
            "%s: %zu parameters (%zu in matrices, %zu in biases, norms and tokens, %zu "
            "gains), reparam %s, width %zu, depth %zu\n",
            r->name, all, matrices, all - matrices - gains, gains,
            reparam_name(r->model.reparam), r->model.width, r->model.depth);
    char ranks[40] = "";
    if (t->ranks)
        text_format(ranks, sizeof ranks, "%zu ranks of ", ranks_count(t->ranks));
    bool slots = r->train.batch_tokens > 0, sound = r->train.batch_seconds > 0;
    char batch[60];
    if (sound) text_format(batch, sizeof batch, "%g s of sound", r->train.batch_seconds);
    else
        text_format(batch, sizeof batch, "%zu%s",
                    slots ? r->train.batch_tokens : r->train.batch,
                    slots ? " token slots" : "");
    size_t threads = start_threads(r->train.threads);
    fprintf(stderr,
            "%zu training examples, %zu step%s per epoch, %zu step%s of %s, %s%zu "
            "thread%s\n",
            t->task->examples, t->steps_per_epoch, t->steps_per_epoch == 1 ? "" : "s",
            t->steps, t->steps == 1 ? "" : "s", batch, ranks, threads,
            threads == 1 ? "" : "s");
    if (!t->task->has_val && t->task->has_test &&
        !source_has(r->data.source, TRAIT_SYNTHETIC))
        say("steady: note: no validation split: the best checkpoint is chosen on the "
            "test split, so its score is optimistic%s",
            r->data.val_fraction > 0 ? ""
                                     : "; to hold out a part of the training "
                                       "data: data.val_fraction=0.1");
    freeze_say(t->task);
    say_layer_decay(t);
    trainer_say_precision(t);
    if (trainer_precision(t).products == PRECISION_BF16 && trainer_wants_sharpness(t))
        say("steady: note: steady64 measures probe.sharpness in double precision, "
            "whatever train.precision is");
    trainer_say_memory(t);
    fprintf(stderr, "%s %s\n", t->dry ? "would write to" : "writing to",
            t->away ? t->out : t->dir);
}

/* Of a run that goes on, what is left. */
static void say_resume(const Trainer *t) {
    if (!t->was || !t->at.step) return;
    trainer_say_branch(t);
    say("%s at step %zu of %zu%s", t->dry ? "would resume" : "resuming", t->at.step,
        t->steps, t->at.step < t->steps ? "" : ": its evaluation is left to do");
}

/* Where the recipe has both in one unit, its own notes say so (tools/recipe/notes.c). */
static void note_warmup(const Trainer *t) {
    const ScheduleConfig *s = &t->recipe->schedule;
    bool by_steps = s->warmup_steps > 0, steps_known = t->recipe->train.steps > 0;
    if (t->warmup_steps <= t->steps || by_steps == steps_known) return;
    char text[80];
    if (by_steps)
        text_format(text, sizeof text, "schedule.warmup_steps = %zu", s->warmup_steps);
    else
        text_format(text, sizeof text, "schedule.warmup_epochs = %g (%zu steps)",
                    s->warmup_epochs, t->warmup_steps);
    say("steady: note: %s is longer than the run (%zu step%s): the learning rate never "
        "reaches optim.lr",
        text, t->steps, t->steps == 1 ? "" : "s");
}

void trainer_introduce(const Trainer *t) {
    say_changes(t);
    say_run(t);
    note_warmup(t);
    say_resume(t);
    trainer_note_interventions(t);
}
