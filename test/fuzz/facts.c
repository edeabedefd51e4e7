/* task.json and the recipe of a classifier's run: a model is built of them, small ones only. */
#include "test/fuzz/fuzz.h"
#include "tools/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Recipe recipe;
    Err err = ERR_NONE;
    recipe = recipe_default();
    recipe_set(&recipe, "model.width=8", &err);
    recipe_set(&recipe, "model.heads=2", &err);
    recipe_set(&recipe, "model.depth=1", &err);
    recipe_set(&recipe, "model.patch=4", &err);
    fuzz_file("task.json", data, size);
    task_free(task_open_bare(&recipe, fuzz_folder(), &err));
    return 0;
}
