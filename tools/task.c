#include "tools/task.h"

Task *task_open(const Recipe *recipe, Err *err) {
    switch (recipe->task) {
    case TASK_CLASSIFY: return classify_open(recipe, err);
    }
    err_set(err, FAIL_USAGE, "task.kind has no builder");
    return NULL;
}

void task_free(Task *task) {
    if (task) task->ops->free(task);
}

const char *split_name(Split split) {
    static const char *const NAMES[] = {"train", "val", "test"};
    return NAMES[split];
}
