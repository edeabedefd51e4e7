#include "test/unit/recipe_text.h"

char *recipe_text(const Recipe *recipe) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    recipe_print(recipe, out);
    fclose(out);
    return text;
}
