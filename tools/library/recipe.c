#include "tools/library/recipe.h"

/* `source` is a name, or the text itself where `is_text`; NULL: the defaults. */
static void make(steady_recipe **made, const char *source, bool is_text, Err *err) {
    steady_recipe *recipe = *made = mem_zalloc(sizeof *recipe);
    recipe->recipe = recipe_default();
    if (!source) return;
    if (is_text) recipe_read(&recipe->recipe, "recipe", source, err);
    else recipe_load(&recipe->recipe, source, err);
}

static steady_status make_at_door(steady_recipe **made, const char *source,
                                  const char *missing, bool is_text,
                                  steady_error *error) {
    THROUGH_DOOR(NULL, missing, error, make(made, source, is_text, &door.err));
}

static steady_status make_whole(steady_recipe **recipe, const char *source,
                                const char *missing, bool is_text, steady_error *error) {
    if (recipe) *recipe = NULL;
    else missing = "recipe";
    steady_status status = make_at_door(recipe, source, missing, is_text, error);
    if (!status || !recipe) return status;
    steady_recipe_free(*recipe);
    *recipe = NULL;
    return status;
}

steady_status steady_recipe_new(steady_recipe **recipe, steady_error *error) {
    return make_whole(recipe, NULL, NULL, false, error);
}

steady_status steady_recipe_open(const char *name, steady_recipe **recipe,
                                 steady_error *error) {
    return make_whole(recipe, name, MISSING1(name), false, error);
}

steady_status steady_recipe_parse(const char *text, steady_recipe **recipe,
                                  steady_error *error) {
    return make_whole(recipe, text, MISSING1(text), true, error);
}

steady_status steady_recipe_set(steady_recipe *recipe, const char *key, const char *value,
                                steady_error *error) {
    THROUGH_DOOR(recipe ? &recipe->handle : NULL, MISSING3(recipe, key, value), error,
                 recipe_give(&recipe->recipe, key, value, &door.err));
}

steady_status steady_recipe_get(const steady_recipe *recipe, const char *key, char *value,
                                size_t size, steady_error *error) {
    THROUGH_DOOR(NULL, MISSING3(recipe, key, value), error,
                 recipe_get(&recipe->recipe, key, value, size, &door.err));
}

void steady_recipe_free(steady_recipe *recipe) { mem_free(recipe); }
