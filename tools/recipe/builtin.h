/* builtin: the built-in recipes, tools/recipes/NAME.ini (asked for through
 * tools/recipe/recipe.h).
 *
 * The first line of a recipe is a comment that says in one sentence what it is. */
#ifndef STEADY_RECIPE_BUILTIN_H
#define STEADY_RECIPE_BUILTIN_H

#include <stddef.h>

struct RecipeText {
    const char *name, *text;
};

/* Made from the files at build time, in the order of their names. */
extern const struct RecipeText recipes_builtin[];
extern const size_t recipes_builtin_count;

#endif
