#include <string.h>

#include "tools/run/runlog_parts.h"

/* TASK_KINDS: the run does not say, or says something else. */
static size_t task_of(const RunLog *run) {
    const char *name = runlog_setting(run, "task.kind");
    size_t kind = 0;
    while (kind < TASK_KINDS && (!name || strcmp(name, task_name((TaskKind)kind)) != 0))
        kind++;
    return kind;
}

bool runlog_counts_tokens(const RunLog *run) {
    size_t kind = task_of(run);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        if (!metrics[m].of_tokens) continue;
        bool its = kind < TASK_KINDS ? task_is((TaskKind)kind, metrics[m].tasks)
                                     : runlog_scored(run, (Metric)m);
        if (its) return true;
    }
    return false;
}
