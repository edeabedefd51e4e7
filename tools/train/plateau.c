/* plateau: schedule.name = plateau in the trainer (tools/train/parts.h). */

#include "engine/optim/schedule.h"
#include "tools/train/parts.h"

static Status check(const Recipe *now, void *input, Err *err) {
    const Task *task = input;
    if (now->schedule.name != SCHEDULE_PLATEAU || task->has_val || task->has_test)
        return OK;
    return err_set(err, FAIL_USAGE,
                   "schedule.name = plateau needs a validation or test split; set "
                   "data.val_fraction");
}

Status trainer_check_plateau(const Trainer *t, Err *err) {
    Acted acted = trainer_acted_ahead(t);
    return intervene_check_ahead(t->base, &acted, check, t->task, err);
}

static double next_rate(const Trainer *t, size_t reductions) {
    return schedule_rate(&t->recipe->schedule, t->recipe->optim.lr, t->at.step + 1,
                         t->steps, t->warmup_steps, reductions);
}

static Status say_reduction(Trainer *t, Split split, double old, double new, Err *err) {
    size_t bad = t->recipe->schedule.patience + 1;
    char text[200];
    text_format(text, sizeof text,
                "%s %s has not improved for %zu evaluation%s: learning rate %.4g -> %.4g",
                split_name(split), metric_watch_names[t->recipe->schedule.watch], bad,
                bad == 1 ? "" : "s", old, new);
    progress_say(&t->progress, "step %zu: %s", t->at.step, text);
    return trainer_log_event(t, t->at.step, "plateau", text,
                             json_pack("{s:o, s:o}", "from", json_number(old), "to",
                                       json_number(new)),
                             err);
}

Status trainer_see_plateau(Trainer *t, Split split, const Score *score, Err *err) {
    const ScheduleConfig *s = &t->recipe->schedule;
    Plateau *p = &t->at.plateau;
    /* The evaluation at a run's end would not be there in a longer run. */
    bool regular = trainer_on_beat(t, t->at.step, t->recipe->train.eval_every);
    if (s->name != SCHEDULE_PLATEAU || t->at.step <= t->warmup_steps || !regular)
        return OK;
    double old = next_rate(t, p->reductions);
    double watched = score_watched(score, metric_watch(s->watch));
    if (isnan(watched)) {
        progress_say(
            &t->progress,
            "step %zu: %s has no %s; schedule.name = plateau ignores this evaluation",
            t->at.step, split_name(split), metric_watch_names[s->watch]);
        return OK;
    }
    plateau_see(p, s->watch, watched, s->patience);
    /* A last bit of the score that differs on another machine must not part the ranks. */
    ranks_copy(t->ranks, p, sizeof *p);
    double new = next_rate(t, p->reductions);
    return new != old ? say_reduction(t, split, old, new, err) : OK;
}
