/* change: how two recipes of one run differ, and whether a run that has begun bears it.
 *
 *     RecipeChanges changes = recipe_compare(&was, &is);
 *     if (recipe_check_resumed(&changes, &is, "runs/mnist", &err)) ...      model.heads was 2, is 4: ...
 *     recipe_changes_text(&changes, &text);                            "train.batch was 8, is 4"
 *     recipe_changes_free(&changes);
 *
 * What a change of each key means is in the table of tools/recipe/key_change.c. */
#ifndef STEADY_RECIPE_CHANGE_H
#define STEADY_RECIPE_CHANGE_H

#include "data/file/textbuffer.h"
#include "tools/recipe/keys.h"

typedef struct RecipeChange {
    const Key *key;
    char *was, *is; /* owned; never empty: "(empty)" */
} RecipeChange;

typedef struct RecipeChanges {
    RecipeChange *change;
    size_t count;
} RecipeChanges;

/* Keys of the task whose values differ, in the table's order. */
RecipeChanges recipe_compare(const Recipe *was, const Recipe *is);
void recipe_changes_free(RecipeChanges *changes);

/* Is there a change of this kind? */
bool recipe_changes_have(const RecipeChanges *changes, KeyChange kind);

/* Does the run go on otherwise than it would have?  Not so where it is only computed in
 * another way, or made longer under a schedule that does not look at its end. */
bool recipe_changes_course(const RecipeChanges *changes, const Recipe *is);

/* FAIL_USAGE for the first change that a run with trained weights cannot take: a word of
 * the command line, or what an edited recipe.ini says (`is` knows which). */
Status recipe_check_resumed(const RecipeChanges *changes, const Recipe *is,
                            const char *dir, Err *err);

/* Words given to `command` (eval, predict, export) on a run, `was` being the recipe that
 * its weights were trained by: FAIL_USAGE for one that changes the model, or has no
 * effect there; a value that is the run's own is no change.  A recipe.ini that says
 * something else of the model than its checkpoint is refused as well.  `use` is USE_...
 * of tools/recipe/keys.h, one or several. */
Status recipe_check_use(const Recipe *was, const Recipe *is, unsigned use,
                        const char *command, Err *err);

/* "train.batch was 8, is 4; optim.lr was 0.003, is 0.0001", added to text. */
void recipe_changes_text(const RecipeChanges *changes, TextBuffer *text);

/* What a checkpoint keeps of its recipe: a line `section.key=value` for each key of the
 * task that can change the run's numbers or logs, in UTF-8 (other bytes of names as
 * \xNN).  Reading passes over what this version does not know. */
void recipe_digest(const Recipe *recipe, TextBuffer *text);
void recipe_read_digest(Recipe *recipe, const char *digest);

#endif
