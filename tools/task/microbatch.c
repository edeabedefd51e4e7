#include "tools/task/microbatch.h"

size_t microbatch_edge(const Task *task, size_t i, size_t pieces) {
    return task->ops->edge ? task->ops->edge(task, i, pieces) : task->part * i / pieces;
}

/* With layer drop a piece must not reach over the end of a micro-batch: each is cut equally. */
size_t microbatch_pieces(const Task *task, size_t cache) {
    const Recipe *r = task->recipe;
    size_t fitting = model_parts(&r->model, task->tokens, task->part, cache);
    size_t accumulate = r->train.accumulate;
    if (r->model.layer_drop > 0)
        return (fitting + accumulate - 1) / accumulate * accumulate;
    return MAX(MIN(MAX(accumulate, fitting), task->part), (size_t)1);
}

size_t microbatch_last(const Task *task, size_t pieces) {
    for (size_t i = pieces; i-- > 0;)
        if (microbatch_edge(task, i, pieces) < microbatch_edge(task, i + 1, pieces))
            return i;
    return pieces;
}

size_t microbatch_pass(const Task *task, size_t from) {
    size_t count = task->recipe->train.accumulate, k = count - 1;
    while (k && microbatch_edge(task, k, count) > from) k--;
    return ranks_number(task->ranks) * count + k;
}
