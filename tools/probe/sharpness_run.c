/* sharpness_run: of a checkpoint of a run (tools/probe/sharpness.h). */
#include <math.h>
#include <stdio.h>

#include "engine/optim/schedule.h"
#include "tools/probe/sharpness.h"
#include "tools/program/start.h"
#include "tools/run/runlog.h"

/* The rate in train.jsonl; NaN: no row is of this step. */
static double logged_rate(const char *dir, size_t step) {
    RunLog *run = runlog_open(dir, NULL);
    double rate = NAN;
    for (size_t i = 0; run && i < run->train.count; i++)
        if (run->train.step[i] == (double)step) rate = run->train.lr[i];
    runlog_free(run);
    return rate;
}

static size_t steps_of(double epochs, const Progressed *at) {
    return moment_step(epochs, (double)at->epoch_steps);
}

/* By the recipe, where batches were made in one way all the time. */
static double scheduled_rate(const Recipe *r, const Progressed *at) {
    const ScheduleConfig *s = &r->schedule;
    size_t steps = r->train.steps ? r->train.steps : steps_of(r->train.epochs, at);
    size_t warmup = s->warmup_steps ? s->warmup_steps : steps_of(s->warmup_epochs, at);
    if (!at->epoch_steps || at->anchor.step) return NAN;
    return schedule_rate(s, r->optim.lr, at->step, MAX(steps, (size_t)1), warmup,
                         at->plateau.reductions);
}

/* The weights are those that the optimizer left: its state is beside them. */
static const char *load_state(OpenRun *run, bool averaged, Step *step, Err *err) {
    if (!run->own)
        return "the file is not a checkpoint of a run and has no optimizer "
               "state";
    if (averaged || run->average) return "averaged weights have no optimizer state";
    if (!run->at.step) return "no step was taken yet";
    CheckpointParts parts = {.model = run->task->model,
                             .optim = step->optim,
                             .optimizer = optim_name(run->was->optim.name)};
    checkpoint_load(run->checkpoint, run->root, &parts, &run->at, err);
    return NULL;
}

Status sharpness_of_run(OpenRun *run, const SharpnessWish *wish, Sharpness *s, Err *err) {
    Step step;
    task_step_begin(run->task, start_threads(run->recipe->train.threads), &step);
    SharpnessTask job = {.task = run->task,
                         .step = &step,
                         .mode = run_mode(run),
                         .split = wish->split,
                         .sample = wish->sample,
                         .lr = NAN,
                         .no_state = load_state(run, wish->averaged, &step, err)};
    if (run->at.step && !err->status) job.lr = logged_rate(wish->dir, run->at.step);
    if (run->at.step && isnan(job.lr)) job.lr = scheduled_rate(run->recipe, &run->at);
    if (!err->status && !sharpness_measure(&job, s, err)) s->step = run->at.step;
    step_end(&step);
    return err->status;
}
