#include "tools/command/plot_sheet.h"

#include <stdio.h>
#include <string.h>

#include "tools/program/say.h"
#include "tools/recipe/recipe.h"

enum { PICTURES = 8, DRAWS = 8 };

static Status check_words(const PlotSheet *s, Err *err) {
    for (size_t i = 0; i < s->count; i++)
        if (!strchr(s->words[i], '='))
            return err_set(err, FAIL_USAGE,
                           "unexpected argument %.60s after the recipe %.60s; write "
                           "section.key=value without spaces",
                           s->words[i], s->recipe);
    return OK;
}

/* A recipe without a length is good enough here. */
static Status load_recipe(const PlotSheet *s, Recipe *recipe, Err *err) {
    *recipe = recipe_default();
    if (recipe_load(recipe, s->recipe, err)) return err->status;
    for (size_t i = 0; i < s->count; i++)
        if (recipe_set(recipe, s->words[i], err)) return err->status;
    if (!task_is(recipe->task, FOR_VISION))
        return err_set(err, FAIL_USAGE,
                       "--augment needs a recipe of pictures; %.200s has task.kind = %s",
                       s->recipe, task_name(recipe->task));
    if (!(recipe->train.epochs > 0) && !recipe->train.steps) recipe->train.steps = 1;
    if (recipe_check(recipe, err)) return err->status;
    recipe_notes(recipe, stderr);
    return OK;
}

Status plot_sheet(const PlotSheet *s, Err *err) {
    Recipe recipe;
    if (check_words(s, err) || chart_check_name(s->output, err) ||
        load_recipe(s, &recipe, err))
        return err->status;
    AugmentedOptions options = s->options;
    if (!options.pictures) options.pictures = PICTURES;
    if (!options.draws) options.draws = DRAWS;
    options.seed = recipe.train.seed;
    DataFacts notes = {0};
    augmented_write(&recipe.data, &options, s->output, &notes, err);
    for (size_t i = 0; i < notes.notes; i++) say("steady: note: %s", notes.note[i].text);
    facts_free(&notes);
    return err->status;
}
