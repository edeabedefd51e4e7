#include "tools/task/task.h"

#include <stdarg.h>
#include <stdio.h>

#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"

void task_free(Task *task) {
    if (!task) return;
    facts_free(&task->notes);
    json_decref(task->events);
    skips_end(&task->skips);
    task->ops->free(task);
}

void task_initialize(Task *task) {
    task->ops->initialize(task, task->recipe->train.seed);
    model_draw_vectors(task->model, task->recipe->train.seed);
}

Status task_evaluate(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                     bool thorough, Score *score, Err *err) {
    if (task->ops->evaluate(task, tape, mode, split, thorough, score, err))
        return err->status;
    if (task->ops->grade && score->count) score->grade = task->ops->grade(task, score);
    return OK;
}

Status task_sample(Task *task, Split split, size_t count, Err *err) {
    if (task->ops->sample(task, split, count, err) || task->part) return err->status;
    return err_set(err, FAIL_DATA, "no example of the %s split can be read",
                   split_name(split));
}

Metric task_best(const Task *task) {
    Metric best = metric_best(task->recipe->train.best);
    return best < METRIC_COUNT ? best : task->ops->best;
}

Split task_scored_split(const Task *task) {
    return !task->has_test && task->has_val ? SPLIT_VAL : SPLIT_TEST;
}

const DataFacts *task_facts(const Task *task, Split split) {
    return task->ops->facts ? task->ops->facts(task, split) : NULL;
}

Status task_save_facts(const Task *task, const char *run_dir, Err *err) {
    const DataFacts *split[3];
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) split[s] = task_facts(task, s);
    if (task->ops->save_facts(task, run_dir, err)) return err->status;
    return datafacts_save(&task->notes, split, run_dir, err);
}

void task_say_split(const Task *task, Split split) {
    datafacts_say_notes(task_facts(task, split), split_name(split));
}

void task_say_facts(const Task *task) {
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) task_say_split(task, s);
    datafacts_say_notes(&task->notes, "");
}

void task_event(Task *task, const char *event, size_t count, const char *format, ...) {
    char text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!task->events) task->events = json_array();
    json_array_append_new(task->events,
                          json_pack("{s:s, s:o, s:I}", "event", event, "text",
                                    json_text(text), "count", (json_int_t)count));
}

void task_skips_text(const Skips *skips, size_t fresh, char *text, size_t size) {
    char more[60] = "";
    if (fresh > 1) text_format(more, sizeof more, ", and %zu more", fresh - 1);
    text_format(text, size, "%s (%zu of %zu so far)", more, skips->count, skips->items);
}

void task_see_skips(Task *task, const SkipList *broken) {
    char more[TASK_SKIPS_TEXT];
    const Skip *first = NULL;
    size_t fresh = skips_see_all(&task->skips, broken, &first);
    if (!fresh) return;
    task_skips_text(&task->skips, fresh, more, sizeof more);
    task_event(task, "skip", fresh, "%s%s", first->text, more);
}
