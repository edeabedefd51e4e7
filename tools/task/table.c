/* table: the kinds of task of TASK_LIST (tools/recipe/tasks.h) with their functions.  It
 * stands above them, and what they share (task.c) below. */
#include "models/temperature.h"
#include "tools/task/bench.h"
#include "tools/task/freeze.h"
#include "tools/task/predict.h"

#define TASK_ROW(KIND, name, examples, heading) [TASK_##KIND] = &name##_ops,
static const TaskOps *const TASKS[] = {TASK_LIST(TASK_ROW)};

#define PREDICT_ROW(KIND, name, examples, heading) [TASK_##KIND] = &name##_predict,
static const TaskPredict *const PREDICTS[] = {TASK_LIST(PREDICT_ROW)};

#define BENCH_ROW(KIND, name, examples, heading) [TASK_##KIND] = &name##_bench,
static const TaskBench *const BENCHES[] = {TASK_LIST(BENCH_ROW)};

const TaskBench *task_bench(TaskKind kind) { return BENCHES[kind]; }
const TaskPredict *task_predict(TaskKind kind) { return PREDICTS[kind]; }
const TaskOps *task_ops(TaskKind kind) { return TASKS[kind]; }

/* Sites and parameters have names now. */
static Task *with_names(Task *task, Err *err) {
    if (!task ||
        (!model_set_temperatures(task->model, task->recipe->model.temperature_at, err) &&
         !freeze_apply(task, err)))
        return task;
    task_free(task);
    return NULL;
}

Task *task_open(const Recipe *recipe, Ranks *ranks, Err *err) {
    return with_names(TASKS[recipe->task]->open(recipe, ranks, err), err);
}

Task *task_open_bare(const Recipe *recipe, const char *run_dir, Err *err) {
    return with_names(TASKS[recipe->task]->open_bare(recipe, run_dir, err), err);
}
