/* recipe_text: a recipe as text, to compare two. */
#ifndef STEADY_TEST_RECIPE_TEXT_H
#define STEADY_TEST_RECIPE_TEXT_H

#include "tools/recipe/recipe.h"

char *recipe_text(const Recipe *recipe); /* the caller frees it with free() */

#endif
