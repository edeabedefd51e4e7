#include "tools/task/step.h"

#include "engine/core/machine.h"
#include "engine/optim/schedule.h"

static Tensor *loss_of(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                       size_t to) {
    Task *task = context;
    return task->ops->loss(task, tape, mode, from, to);
}

static size_t edge_of(void *context, size_t i, size_t pieces) {
    const Task *task = context;
    return task->ops->edge(task, i, pieces);
}

static void begin(Task *task, const OptimConfig *optim, Step *step) {
    step_begin(step, task->model, optim, task->ranks);
    step->seed = task->recipe->train.seed;
    step->context = task;
    step->loss_of = loss_of;
    if (task->ops->edge) step->edge_of = edge_of;
}

void task_step_begin(Task *task, size_t threads, Step *step) {
    begin(task, &task->recipe->optim, step);
    step->cache = machine_cache_share("", threads);
    step->accumulate = task->recipe->train.accumulate;
}

void task_measure_begin(Task *task, size_t piece, Step *step) {
    begin(task, NULL, step);
    step->still = true;
    step->accumulate = (task->part + piece - 1) / piece;
}

StepBatch task_step_batch(const Task *task, size_t number, ForwardMode mode) {
    return (StepBatch){
        .number = number, .examples = task->part, .tokens = task->tokens, .mode = mode};
}

double task_step_update(Task *task, Step *step, const StepPace *p) {
    const OptimConfig *o = &task->recipe->optim;
    double lr = schedule_rate(&task->recipe->schedule, o->lr, p->number, p->steps,
                              p->warmup_steps, p->reductions);
    if (task->ops->conclude) task->ops->conclude(task);
    step_update(step, lr, schedule_weight_decay(o, p->number, p->steps));
    return lr;
}
