#include "tools/task/course.h"

#include <math.h>

#include "models/temperature.h"

bool course_is_past(const CourseNow *now, Moment moment) {
    switch (moment.unit) {
    case MOMENT_STEPS: return (double)now->step >= moment.value;
    case MOMENT_EPOCHS: return now->step >= now->step_of(now->run, moment.value);
    case MOMENT_NEVER:
    case MOMENT_NONE: return false;
    }
    return false;
}

size_t course_due(const Recipe *base, const Acted *acted, const CourseNow *now) {
    size_t g = 0;
    while (g < INTERVENE_GROUPS &&
           (acted_has(acted, g) || !course_is_past(now, base->intervene.group[g].at)))
        g++;
    return g;
}

void course_set(const Recipe *base, const Acted *acted, Recipe *recipe, Task *task,
                Step *step) {
    recipe_in_force(base, acted, recipe);
    Err err = ERR_NONE;
    model_set_config(task->model, &recipe->model);
    CHECK(!model_set_temperatures(task->model, recipe->model.temperature_at, &err), "%s",
          err.text);
    if (step->optim) step_set_optim(step, &recipe->optim);
    if (step->ema) ema_set_decay(step->ema, recipe->train.ema);
}

/* ---- before the first step ---- */

static Status check_group(const Task *task, const Recipe *now, Err *err) {
    Status status = model_check_temperatures(task->model, now->model.temperature_at, err);
    if (status || !task->ops->check_change) return status;
    return task->ops->check_change(task, now, err);
}

/* After each group, also where the next one comes at the same step: course_set is called
 * between them. */
Status course_check(const Recipe *base, const Task *task, Err *err) {
    Recipe *now = mem_alloc(sizeof *now);
    double place[INTERVENE_GROUPS];
    intervene_places(base, (double)task->steps_per_epoch, place);
    Acted acted = {0}, order = intervene_order(&acted, place);
    Status status = OK;
    for (size_t i = 0; i < order.count && !status; i++) {
        acted.group[acted.count++] = order.group[i];
        recipe_in_force(base, &acted, now);
        status = check_group(task, now, err);
        if (status && err)
            err_wrap(err, "with intervene.%s", intervene_at_key(order.group[i])->name);
    }
    mem_free(now);
    return status;
}

Status course_check_order(const Recipe *base, const Acted *acted, const CourseNow *now,
                          Err *err) {
    double place[INTERVENE_GROUPS];
    intervene_places(base, 0, place);
    for (size_t g = 0; g < INTERVENE_GROUPS; g++) {
        Moment at = base->intervene.group[g].at;
        if (at.unit == MOMENT_EPOCHS && !isnan(place[g]))
            place[g] = (double)now->step_of(now->run, at.value);
    }
    return recipe_check_course(base, acted, place, err);
}

ForwardMode course_mode(const Task *task) {
    const Recipe *recipe = task->recipe;
    return (ForwardMode){.temperature = recipe->model.temperature,
                         .recompute = recipe->train.recompute == RECOMPUTE_BLOCK,
                         .precision = recipe_precision(recipe, &task->way)};
}
