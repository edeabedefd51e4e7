#include "tools/task/freeze.h"

#include <string.h>

#include "tools/program/nearest.h"
#include "tools/program/say.h"

enum { NAME_SIZE = sizeof((Param *)0)->name };

static const char BETWEEN[] = " \t,";

/* Takes the next name off *rest, without a dot at its end; 0: there is none. */
static size_t next_name(const char **rest, const char **name) {
    *name = *rest + strspn(*rest, BETWEEN);
    size_t size = strcspn(*name, BETWEEN);
    *rest = *name + size;
    while (size > 1 && (*name)[size - 1] == '.') size--;
    return size;
}

/* Of all trained names and their beginnings up to a dot, the nearest: the first that
 * begins so, else that with the fewest changes. */
static void nearest_name(const ParamSet *params, const char *name, char best[NAME_SIZE]) {
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < params->count; i++) {
        char full[NAME_SIZE];
        if (!param_is_trained(params->list[i])) continue;
        text_format(full, sizeof full, "%s", params->list[i]->name);
        for (char *dot = full; dot; dot = strrchr(full, '.'), dot ? *dot = 0 : 0) {
            bool begins = !strncmp(full, name, strlen(name));
            size_t distance = begins ? 0 : nearest_distance(name, full);
            if (distance >= least) continue;
            least = distance;
            text_format(best, NAME_SIZE, "%s", full);
        }
    }
}

static Status refuse(const ParamSet *params, const char *name, size_t length, Err *err) {
    char word[NAME_SIZE], near[NAME_SIZE] = "";
    text_format(word, sizeof word, "%.*s", (int)MIN(length, sizeof word - 1), name);
    nearest_name(params, word, near);
    return err_set(err, FAIL_USAGE,
                   "model.freeze: %s is not a trained parameter of this model, nor the "
                   "start of a name up to a dot; the nearest is %s",
                   word, near);
}

Status freeze_apply(Task *task, Err *err) {
    const char *rest = task->recipe->model.freeze, *name;
    const ParamSet *params = task->model->params;
    size_t length, left = 0, names = 0;
    for (; (length = next_name(&rest, &name)); names++)
        if (!model_freeze_params(task->model, name, length))
            return refuse(params, name, length, err);
    if (!names && *task->recipe->model.freeze)
        return err_set(err, FAIL_USAGE, "model.freeze = \"%.200s\" has no name in it",
                       task->recipe->model.freeze);
    for (size_t i = 0; i < params->count; i++) left += param_moves(params->list[i]);
    if (left) return OK;
    return err_set(err, FAIL_USAGE, "model.freeze = %.200s leaves nothing to train",
                   task->recipe->model.freeze);
}

void freeze_say(const Task *task) {
    const ParamSet *params = task->model->params;
    size_t tensors = 0, numbers = 0;
    for (size_t i = 0; i < params->count; i++) {
        tensors += params->list[i]->frozen;
        if (params->list[i]->frozen) numbers += params->list[i]->tensor.size;
    }
    if (tensors)
        say("model.freeze: %zu tensor%s, %zu parameters, not trained (%s)", tensors,
            tensors == 1 ? "" : "s", numbers, task->recipe->model.freeze);
}
