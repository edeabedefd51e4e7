/* step: the training step (models/step.h) of a task, as its recipe wants it.
 *
 *     Step step;
 *     task_step_begin(task, threads, &step);
 *     StepBatch batch = task_step_batch(task, n, mode);         behind task->ops->next
 *     step_gradients(&step, &batch);
 *     double lr = task_step_update(task, &step, &pace);
 *     step_end(&step);
 *
 * For the trainer and the library.  Not for: averaged weights, which begin when the
 * weights are there (the caller sets step.ema). */
#ifndef STEADY_TASK_STEP_H
#define STEADY_TASK_STEP_H

#include "models/step.h"
#include "tools/task/task.h"

/* `task` is borrowed.  Pieces fit the cache that so many threads have. */
void task_step_begin(Task *task, size_t threads, Step *step);

/* The same to measure a sample (TaskOps.sample): no optimizer, no masks (Step.still), and
 * pieces of `piece` examples at most on every machine. */
void task_measure_begin(Task *task, size_t piece, Step *step);

/* The present batch, that of step `number`. */
StepBatch task_step_batch(const Task *task, size_t number, ForwardMode mode);

/* Where in its schedule a step is. */
typedef struct StepPace {
    size_t number, steps, warmup_steps;
    size_t reductions; /* of the learning rate so far, with schedule.name = plateau */
} StepPace;

/* New weights from the step's gradients, and what the task does then
 * (TaskOps.conclude); returns the learning rate. */
double task_step_update(Task *task, Step *step, const StepPace *pace);

#endif
