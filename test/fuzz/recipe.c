/* A recipe file: what loads is also what it saves and loads again. */
#include <string.h>

#include "test/fuzz/fuzz.h"
#include "tools/recipe/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Recipe recipe, again;
    Err err = ERR_NONE;
    recipe = recipe_default();
    const char *path = fuzz_file("recipe.ini", data, size);
    if (recipe_load_file(&recipe, path, NULL, &err) || recipe_check(&recipe, &err))
        return 0;
    if (recipe_save(&recipe, path, NULL, &err)) return 0;
    again = recipe_default();
    fuzz_expect(!recipe_load_file(&again, path, NULL, &err));
    return 0;
}
