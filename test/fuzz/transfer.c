/* Weights of another model for a classifier of its own, train.transfer: the first line is
 * train.init_grid, then a safetensors file.  What is taken are finite numbers. */
#include <math.h>
#include <string.h>

#include "test/fuzz/fuzz.h"
#include "tools/program/say.h"
#include "tools/task/transfer.h"

static void ignore(void *context, const char *line) { (void)context, (void)line; }

static Task *open_task(Recipe *recipe) {
    static const char *const SMALL[] = {
        "data.synthetic_count=20", "model.depth=1",       "model.width=4",
        "model.heads=1",           "model.patch=14",      "model.position=learned",
        "model.init_std=0.2",      "train.transfer=true", "train.init=other",
    };
    Err err = ERR_NONE;
    *recipe = recipe_default();
    fuzz_expect(!recipe_load(recipe, "demo", &err));
    for (size_t i = 0; i < COUNT(SMALL); i++)
        fuzz_expect(!recipe_set(recipe, SMALL[i], &err));
    fuzz_expect(!recipe_check(recipe, &err));
    return task_open(recipe, NULL, &err);
}

static void expect_finite(const ParamSet *params) {
    for (size_t i = 0; i < params->count; i++) {
        const Tensor *t = &params->list[i]->tensor;
        for (size_t k = 0; k < t->size; k++) fuzz_expect(isfinite(t->value[k]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Recipe recipe;
    static Task *task;
    Err err = ERR_NONE;
    if (!task) fuzz_expect((task = open_task(&recipe)) != NULL);
    const uint8_t *end = memchr(data, '\n', size);
    char word[60];
    size_t length = end ? (size_t)(end - data) : 0;
    snprintf(word, sizeof word, "train.init_grid=%.*s", (int)MIN(length, (size_t)40),
             (const char *)data);
    if (recipe_set(&recipe, word, &err)) return 0;
    const char *path = fuzz_file("other.safetensors", end ? end + 1 : data,
                                 end ? size - length - 1 : size);
    Listener before = say_to((Listener){ignore, NULL});
    task_initialize(task);
    if (!transfer_weights(task, path, NULL, "", &err)) expect_finite(task->model->params);
    say_to(before);
    return 0;
}
