/* `section.key=value` words of the command line, one a line. */
#include <string.h>

#include "test/fuzz/fuzz.h"
#include "tools/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Recipe recipe;
    Err err = ERR_NONE;
    recipe = recipe_default();
    const char *text = fuzz_text(data, size, 400);
    char copy[401], *rest = copy, *word;
    strcpy(copy, text);
    while ((word = strsep(&rest, "\n"))) recipe_set(&recipe, word, &err);
    recipe_check(&recipe, &err);
    return 0;
}
