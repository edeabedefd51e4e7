/* schedule: the learning rate and the weight decay of a step.
 *
 *     double lr = schedule_rate(&config, optim.lr, n, steps, warmup_steps, reductions);
 *
 * n counts from 1, N = total_steps, w = warmup_steps (the caller has turned epochs into
 * steps).  For n <= w every schedule warms up:
 *     warmup_init + (lr - warmup_init) n / w
 * and then, with t = (n - w) / (N - w), at most 1:
 *     constant      lr
 *     cosine        min_lr + (lr - min_lr) (1 + cos(pi t)) / 2
 *     linear        min_lr + (lr - min_lr) (1 - t)
 *     inverse-sqrt  lr sqrt(w / n), with w = 1 where there is no warm-up
 *     step          lr times step_factor for each entry a of step_at with n >= a: the step
 *                   `a` itself is the first one at the lower rate
 *     plateau       lr times step_factor for each of `reductions` (engine/optim/plateau.h),
 *                   but not below min_lr; the others do not look at `reductions`
 * Where N <= w nothing is left after the warm-up and t is 1. */
#ifndef STEADY_SCHEDULE_H
#define STEADY_SCHEDULE_H

#include "engine/optim/config.h"

double schedule_rate(const ScheduleConfig *config, double base_lr, size_t step,
                     size_t total_steps, size_t warmup_steps, size_t reductions);

/* Weight decay of step n: weight_decay, or, where weight_decay_end = e is set,
 *     e + (weight_decay - e) (1 + cos(pi n / N)) / 2
 * whatever the warm-up; e itself from step N on. */
double schedule_weight_decay(const OptimConfig *config, size_t step, size_t total_steps);

/* Does the rate go by how many steps the run has, down to min_lr? */
bool schedule_has_end(ScheduleKind kind);

/* "step_at|step_factor": keys of [schedule] that act for it, the warm-up's aside. */
const char *schedule_keys(ScheduleKind kind);

#endif
