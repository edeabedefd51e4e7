/* task.json and the recipe of a run, a classifier's and a recogniser's: a model is built
 * of them, small ones only. */
#include "test/fuzz/fuzz.h"
#include "tools/task/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Recipe recipe;
    static const TaskKind KINDS[] = {TASK_CLASSIFY, TASK_TRANSCRIBE};
    fuzz_file("task.json", data, size);
    for (size_t k = 0; k < COUNT(KINDS); k++) {
        Err err = ERR_NONE;
        recipe = recipe_default();
        recipe.task = KINDS[k];
        recipe.model.width = 8, recipe.model.heads = 2, recipe.model.depth = 1;
        recipe.model.patch = 4;
        task_free(task_open_bare(&recipe, fuzz_folder(), &err));
    }
    return 0;
}
