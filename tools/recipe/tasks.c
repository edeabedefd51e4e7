#include "tools/recipe/tasks.h"

static const struct {
    const char *name, *heading;
    ExampleKind examples;
} TASKS[] = {
#define TASK_ROW(KIND, name_, examples_, heading_)                                       \
    [TASK_##KIND] = {#name_, heading_, EXAMPLES_##examples_},
    TASK_LIST(TASK_ROW)
#undef TASK_ROW
};

const char *task_name(TaskKind task) { return TASKS[task].name; }
const char *task_heading(TaskKind task) { return TASKS[task].heading; }
ExampleKind task_examples(TaskKind task) { return TASKS[task].examples; }
