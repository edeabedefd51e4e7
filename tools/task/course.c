#include "tools/task/course.h"

bool course_is_past(const CourseNow *now, Moment moment) {
    switch (moment.unit) {
    case MOMENT_STEPS: return (double)now->step >= moment.value;
    case MOMENT_EPOCHS: return now->is_past(now->run, now->step, moment.value);
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
    model_set_config(task->model, &recipe->model);
    if (step->optim) step_set_optim(step, &recipe->optim);
    if (step->ema) ema_set_decay(step->ema, recipe->train.ema);
}

ForwardMode course_mode(const Recipe *recipe) {
    return (ForwardMode){.temperature = recipe->model.temperature,
                         .recompute = recipe->train.recompute == RECOMPUTE_BLOCK};
}
