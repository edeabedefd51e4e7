/* `section.key=value` words of the command line, one a line, and as a
 * checkpoint keeps them. */
#include <string.h>

#include "test/fuzz/fuzz.h"
#include "tools/recipe/change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Recipe recipe;
    Err err = ERR_NONE;
    recipe = recipe_default();
    const char *text = fuzz_text(data, size, 400);
    char copy[401], *rest = copy, *word;
    strcpy(copy, text);
    while ((word = strsep(&rest, "\n"))) recipe_set(&recipe, word, &err);
    recipe_check(&recipe, &err);
    recipe = recipe_default();
    recipe_read_digest(&recipe, text);
    return 0;
}
