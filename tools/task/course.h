/* course: the recipe that the next step is made by, and when [intervene] changes it.
 *
 *     while ((group = course_due(&base, &acted, &now)) < INTERVENE_GROUPS) {
 *         acted.group[acted.count++] = group;
 *         course_set(&base, &acted, &recipe, task, &step);
 *     }                                        then task->ops->start, for batches made ahead
 *
 * For the trainer and the library, whose task was opened with `recipe`: it is what the
 * task reads, course_set writes it.  Not for: grammar and checks
 * (tools/recipe/intervene.h), rows of logs. */
#ifndef STEADY_TASK_COURSE_H
#define STEADY_TASK_COURSE_H

#include "tools/recipe/intervene.h"
#include "tools/task/step.h"

/* How far a run is. */
typedef struct CourseNow {
    size_t step; /* steps taken */
    /* The step after which `epoch` epochs are over. */
    size_t (*step_of)(const void *run, double epoch);
    const void *run;
} CourseNow;

/* Has it come? */
bool course_is_past(const CourseNow *now, Moment moment);

/* A group whose moment has come and that does not act yet; INTERVENE_GROUPS: none. */
size_t course_due(const Recipe *base, const Acted *acted, const CourseNow *now);

/* FAIL_USAGE where a group changes what the task's model does not have.  Comes before
 * course_set, which may not fail. */
Status course_check(const Recipe *base, const Task *task, Err *err);

/* FAIL_USAGE where a group that does not act yet comes with, or leads to, a recipe that
 * could not be given: in the order of their steps, which recipe_check does not know. */
Status course_check_order(const Recipe *base, const Acted *acted, const CourseNow *now,
                          Err *err);

/* Puts `base` with the groups that act into force: `recipe` (borrowed by the task), the
 * model's config, the optimizer's, the average's.  State and weights stay. */
void course_set(const Recipe *base, const Acted *acted, Recipe *recipe, Task *task,
                Step *step);

/* How the forward pass of the next step is run: temperature, recomputation,
 * precision. */
ForwardMode course_mode(const Task *task);

#endif
