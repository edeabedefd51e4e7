#include "tools/task.h"

#include "tools/rundir.h"

Task *task_open(const Recipe *recipe, Ranks *ranks, Err *err) {
    switch (recipe->task) {
    case TASK_CLASSIFY: return classify_open(recipe, ranks, err);
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

json_t *score_row(const Score *s, size_t step) {
    json_t *row = json_pack("{s:I, s:s, s:o, s:o, s:o, s:I}", "step", (json_int_t)step,
                            "split", split_name(s->split), "loss", json_number(s->loss),
                            "top1", json_number(s->top1), "top5", json_number(s->top5),
                            "count", (json_int_t)s->count);
    if (s->nll != s->loss) json_object_set_new(row, "nll", json_number(s->nll));
    if (s->skipped)
        json_object_set_new(row, "skipped", json_integer((json_int_t)s->skipped));
    return row;
}
