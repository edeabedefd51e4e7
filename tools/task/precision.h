/* precision: what train.precision comes to in this process.
 *
 *     if (precision_check(&recipe, &units, force, &err)) ...      a new run
 *     precision_choose(task, &units, was, note);                  task->way, from then on
 *     mode.precision = recipe_precision(task->recipe, &task->way);
 *
 * Where the processor has no products in bf16, bf16 is refused to training unless forced,
 * `auto` is fp32, and what uses a trained run is computed in fp32. */
#ifndef STEADY_TASK_PRECISION_H
#define STEADY_TASK_PRECISION_H

#include "tools/program/units.h"
#include "tools/recipe/intervene.h"
#include "tools/task/task.h"

/* FAIL_USAGE: the recipe, or a group of its [intervene], wants bf16 and there are no
 * units.  `force`: plain loops are fine, but for the double build. */
Status precision_check(const Recipe *recipe, const Units *units, bool force, Err *err);

/* The same of a run that goes on after `step`, whose next step is made with these groups:
 * a precision that is over needs no units. */
Status precision_check_resumed(const Recipe *recipe, const Acted *acted, size_t step,
                               const Units *units, bool force, Err *err);

/* What a process alone makes of the recipe.  auto, where there are units, goes by the
 * product of the model's MLP: bf16 where that is at least PRECISION_GAIN times as fast,
 * since conversions elsewhere take time, too.  note: a line that says what was chosen,
 * and why; "" where the recipe says it all. */
#define PRECISION_GAIN 1.1
enum { PRECISION_NOTE = 400 };
PrecisionWay precision_way(const Recipe *recipe, const Units *units,
                           char note[PRECISION_NOTE]);

/* Sets task->way for training.  `was`: what the checkpoint that it goes on from was
 * trained in ("bf16", "fp32"), which auto keeps where it can; NULL: nothing to go on
 * from.  All ranks of the task call it, and come to the same.  note: a line that says
 * what was chosen, and why; "" where the recipe says it all. */
void precision_choose(Task *task, const Units *units, const char *was,
                      char note[PRECISION_NOTE]);

/* The same for evaluation of weights that were trained in `was` (NULL: not known).
 * FAIL_USAGE: a word of the command line wants bf16 and there are no units. */
Status precision_follow(Task *task, const Units *units, const char *was,
                        char note[PRECISION_NOTE], Err *err);

#endif
