/* Lists of model.freeze, for a little classifier: what is accepted leaves something to
 * train. */
#include <string.h>

#include "test/fuzz/fuzz.h"
#include "tools/task/freeze.h"

static Task *open_task(Recipe *recipe) {
    static const char *const SMALL[] = {"data.synthetic_count=20", "model.depth=2",
                                        "model.width=4", "model.heads=1",
                                        "model.patch=14"};
    Err err = ERR_NONE;
    *recipe = recipe_default();
    fuzz_expect(!recipe_load(recipe, "demo", &err));
    for (size_t i = 0; i < COUNT(SMALL); i++)
        fuzz_expect(!recipe_set(recipe, SMALL[i], &err));
    return task_open(recipe, NULL, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Recipe recipe;
    static Task *task;
    Err err = ERR_NONE;
    if (!task) fuzz_expect((task = open_task(&recipe)) != NULL);
    ParamSet *params = task->model->params;
    size_t frozen = 0;
    for (size_t i = 0; i < params->count; i++) params->list[i]->frozen = false;
    strcpy(recipe.model.freeze, fuzz_text(data, size, sizeof recipe.model.freeze - 1));
    Status status = freeze_apply(task, &err);
    for (size_t i = 0; i < params->count; i++) frozen += params->list[i]->frozen;
    fuzz_expect(status || frozen < params->count);
    fuzz_expect(status || !*recipe.model.freeze == !frozen);
    return 0;
}
