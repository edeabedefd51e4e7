/* dry: what a run would take (tools/train/trainer.h): some of its steps, in memory. */
#include <math.h>

#include "tools/program/say.h"
#include "tools/train/parts.h"

enum { STEPS_MOST = 4, TEXT = 40 };
static const double SECONDS_MOST = 20;

/* What was timed. */
typedef struct Trial {
    size_t steps;
    double least; /* seconds of the fastest step behind the first, or of the first */
    double loss;  /* of the first, before any update */
} Trial;

static Status try_step(Trainer *t, Trial *trial, Err *err) {
    double began = clock_now();
    if (t->task->ops->next(t->task, err), ranks_agree(t->ranks, err)) return err->status;
    size_t step = t->at.step + trial->steps + 1;
    StepBatch batch = task_step_batch(t->task, step, course_mode(t->task));
    step_gradients(&t->step, &batch);
    StepPace pace = {step, t->steps, t->warmup_steps, t->at.plateau.reductions};
    if (isfinite(t->step.grad_norm)) task_step_update(t->task, &t->step, &pace);
    double seconds = clock_now() - began;
    if (!trial->steps) trial->loss = t->step.loss;
    trial->least = trial->steps > 1 ? MIN(trial->least, seconds) : seconds;
    trial->steps++;
    return OK;
}

static void size_text(double bytes, char text[TEXT]) {
    bool large = bytes >= 1e9;
    text_format(text, TEXT, "%.3g %s", bytes / (large ? 1e9 : 1e6), large ? "GB" : "MB");
}

static void say_disk(const Trainer *t) {
    const Recipe *r = t->recipe;
    size_t copies = 1 + optim_slots_needed(&r->optim) + (r->train.ema > 0);
    double one = (double)(copies * sizeof(real) * t->task->model->params->trained);
    char each[TEXT], all[TEXT];
    size_text(one, each);
    size_text(one * (double)(r->train.keep + 1), all);
    say("disk: about %s, %zu checkpoints and the best, %s each", all, r->train.keep,
        each);
}

static void say_trial(const Trainer *t, const Trial *trial) {
    char all[TEXT];
    size_t left = t->steps - t->at.step;
    bool slow = trial->least >= 1;
    duration_text(trial->least * (double)left, all, sizeof all);
    say_disk(t);
    say("first batch: loss %.4f%s", trial->loss,
        isfinite(trial->loss) ? "" : ", not finite: training would end at once");
    say("time: about %s without evaluations: %zu steps of %.3g %s (%zu measured)", all,
        left, trial->least * (slow ? 1 : 1000), slow ? "s" : "ms", trial->steps);
    say("dry run: all checks passed, nothing was written; leave out --dry-run to train");
}

Status trainer_estimate(Trainer *t, Err *err) {
    Trial trial = {0};
    double began = clock_now();
    size_t most = MIN((size_t)STEPS_MOST, t->steps - t->at.step);
    bool more = most > 0;
    while (more && !try_step(t, &trial, err)) {
        more = trial.steps < most && clock_now() - began < SECONDS_MOST;
        ranks_copy(t->ranks, &more, sizeof more);
    }
    if (!err->status && ranks_lead(t->ranks)) say_trial(t, &trial);
    return err->status;
}
