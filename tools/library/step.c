/* step: one step of training, as tools/train/trainer.c takes it without logs and
 * saving. */
#include <math.h>

#include "engine/kern/reduce.h"
#include "tools/library/model.h"
#include "tools/train/fault.h"

ForwardMode model_mode(const steady_model *m) {
    return m->run.task ? run_mode(&m->run) : course_mode(m->task);
}

/* ---- interventions ---- */

void model_set_acted(steady_model *m, const Acted *acted) {
    m->acted = *acted;
    course_set(&m->base, acted, &m->recipe, m->task, &m->step);
    model_count_steps(m);
}

static void say_group(const steady_model *m, size_t group) {
    const char *rest = m->base.intervene.group[group].changes;
    for (Change c; intervene_next(&rest, &c);) {
        char was[KEY_VALUE_MAX];
        key_print(c.key, &m->recipe, was, sizeof was);
        say("steady: note: step %zu: intervention: %s.%s changed from %s to %s", m->done,
            c.key->section, c.key->name, was, c.value);
    }
}

/* Groups whose moment has come; batches that were made ahead are made again. */
static Status intervene(steady_model *m, Err *err) {
    CourseNow now = model_now(m);
    Acted acted = m->acted;
    size_t group, before = acted.count;
    while ((group = course_due(&m->base, &acted, &now)) < INTERVENE_GROUPS) {
        say_group(m, group);
        acted.group[acted.count++] = group;
        model_set_acted(m, &acted);
    }
    if (acted.count == before) return OK;
    return m->task->ops->start(m->task, m->done + m->passed + 1, err);
}

/* What the batch brought with it that a run writes into its log. */
static void say_events(Task *task) {
    size_t i;
    json_t *event;
    json_array_foreach(task->events, i, event) {
        const char *text = json_string_value(json_object_get(event, "text"));
        if (text) say("steady: note: %s", text);
    }
    json_decref(task->events);
    task->events = NULL;
}

static bool is_finite(const steady_model *m) {
    return isfinite(m->step.loss) && isfinite(m->step.grad_norm);
}

static double update(steady_model *m, size_t step) {
    StepPace pace = {.number = step, .steps = m->steps, .warmup_steps = m->warmup_steps};
    return task_step_update(m->task, &m->step, &pace);
}

static Status check_weights(const ParamSet *params, size_t step, Err *err) {
    if (reduce_all_finite(params->values, params->trained)) return OK;
    return fault_report(err, "update", step, (TapeFault){0}, params);
}

static Status take_step(steady_model *m, steady_step *out, Err *err) {
    size_t step = m->done + 1;
    if (m->run.task)
        return err_set(err, FAIL_USAGE,
                       "a model opened from a run folder cannot be trained; use steady "
                       "train --resume, or load its weights with steady_model_load");
    if (m->done >= m->steps)
        return err_set(
            err, FAIL_USAGE,
            "all %zu steps are done; for more, set train.steps before creating the "
            "model",
            m->steps);
    if (intervene(m, err) || m->task->ops->next(m->task, err)) return err->status;
    say_events(m->task);
    const ParamSet *params = m->task->model->params;
    StepBatch batch = task_step_batch(m->task, step, model_mode(m));
    step_gradients(&m->step, &batch);
    if (!is_finite(m)) {
        const char *what = isfinite(m->step.loss) ? "gradient" : "loss";
        m->passed++;
        return fault_report(err, what, step, step_watch(&m->step, &batch), params);
    }
    double lr = update(m, step);
    m->done = step;
    if (out)
        *out = (steady_step){.number = step,
                             .epoch = (double)step / (double)m->task->steps_per_epoch,
                             .loss = m->step.loss,
                             .learning_rate = lr,
                             .gradient_norm = m->step.grad_norm};
    return check_weights(params, step, err);
}

steady_status steady_model_step(steady_model *model, steady_step *step,
                                steady_error *error) {
    THROUGH_DOOR(handle_of(model), MISSING1(model), error,
                 take_step(model, step, &door.err));
}
