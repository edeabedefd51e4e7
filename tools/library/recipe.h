/* recipe: what a steady_recipe is (include/steady.h). */
#ifndef STEADY_LIBRARY_RECIPE_H
#define STEADY_LIBRARY_RECIPE_H

#include "tools/library/door.h"
#include "tools/recipe/recipe.h"

struct steady_recipe {
    Handle handle;
    Recipe recipe;
};

#endif
