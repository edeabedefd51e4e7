/* Values of [intervene], `name = value` lines: what is given is read back, and the recipe
 * that a step is made by can be put together for every group. */
#include <string.h>

#include "test/fuzz/fuzz.h"
#include "tools/recipe/intervene.h"
#include "tools/recipe/recipe.h"

static void act(const Recipe *recipe) {
    static Recipe now;
    Acted acted = {0}, again;
    char text[ACTED_TEXT];
    for (size_t g = 0; g < INTERVENE_GROUPS; g++) acted.group[acted.count++] = g;
    recipe_in_force(recipe, &acted, &now);
    acted_print(&acted, text);
    fuzz_expect(acted_read(text, &again) && again.count == acted.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Recipe recipe;
    Err err = ERR_NONE;
    Acted acted;
    size_t group;
    char copy[1001], value[INTERVENE_TEXT];
    strcpy(copy, fuzz_text(data, size, sizeof copy - 1));
    recipe = recipe_default();
    for (char *rest = copy, *line; (line = strsep(&rest, "\n"));) {
        char *name = strsep(&line, "=");
        if (!line) acted_read(name, &acted);
        else if (!intervene_give(&recipe, name, line, &err))
            fuzz_expect(!intervene_find(name, &group) ||
                        !intervene_value(&recipe, name, value, sizeof value, &err));
    }
    if (!intervene_check(&recipe, &err)) act(&recipe);
    return 0;
}
