/* state: what a sweep's folder says of it.  For tools/sweep alone. */
#ifndef STEADY_SWEEP_STATE_H
#define STEADY_SWEEP_STATE_H

#include <jansson.h>

#include "tools/sweep/sweep.h"

/* ---- words in JSON (wordjson.c) ---- */

/* Words and what is made of them may hold names of files that are not UTF-8. */
json_t *word_json(const char *word);
char *word_of(const json_t *string); /* mem_free; "" where it is no string */
json_t *words_json(const Sweep *sweep);
char **words_of(const json_t *list, size_t *count); /* sweep_free_words */

/* ---- plans (plan.c, plan_check.c, plan_recipe.c) ---- */

/* The grid of the words of the sweep's plan; sweep_close. */
Status plan_open(const Sweep *sweep, Sweep *planned, Err *err);

/* False: the plan says something else than the grid of its words, `text` what. */
bool plan_agrees(const Sweep *planned, const json_t *plan, char *text, size_t size);

/* Of each recipe its name, its digest, and the values that no word gives to its runs. */
json_t *plan_recipes(const Sweep *sweep, Err *err);

/* Adds a sentence to the deviations from a plan. */
void plan_say(json_t *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds a sentence for each recipe whose runs are no longer those that the plan meant. */
Status plan_compare_recipes(const Sweep *planned, const json_t *plan, json_t *list,
                            Err *err);

/* `recipe` is that of the run `from` of planned->trained, whose grid may have grown by
 * keys: these get the values that the plan's recipes had.  False: an earlier version's
 * plan does not say. */
bool plan_restore(const Sweep *planned, size_t cell, size_t from, Recipe *recipe);

/* ---- methods and baseline (choice.c) ---- */

json_t *choice_json(const Sweep *sweep); /* {method, baseline}, those that there are */
/* Adds a sentence for each of them that is not as `had` has it. */
void choice_compare(const Sweep *sweep, const json_t *had, json_t *list);
/* Drops a baseline that the plan or the folder has and that is no method of this grid,
 * with a note if it would have been used. */
void choice_settle(Sweep *sweep);

/* ---- what its runs were trained with (recipes.c) ---- */

/* FAIL_DATA where the recipe.ini of a cell's run has another value than the cell's words:
 * it would count under values that it was not trained with. */
Status sweep_check_words_of(const Sweep *sweep, size_t cell, Err *err);

/* Its folder or the names of its cells are others now, or runs have begun. */
void recipes_forget(Sweep *sweep);

/* ---- is it this sweep?  (same.c) ---- */

/* What data.val_fraction = auto comes to may be written out, as it was before there was
 * auto: auto takes its place. */
void sweep_settle(Recipe *recipe);

/* Of what differs from the defaults: keys of later versions leave it as it is. */
uint64_t sweep_digest(const Recipe *recipe);

/* place[sweep->cell_count]: of each cell, that of the other sweep which trains the same
 * run, by its recipe's name and all its values; SIZE_MAX: there is none. */
Status sweep_match(const Sweep *sweep, const Sweep *other, size_t *place, Err *err);

/* FAIL_USAGE unless sweep.json is of this grid, or of a part of it.  Cells get the names
 * that they have there; of a part, sweep->kept says how many they are. */
Status sweep_check_words(Sweep *sweep, const json_t *state, Err *err);

/* FAIL_USAGE where the run in the cell's folder was trained with another recipe than the
 * sweep has for it. */
Status sweep_check_recipe(const Sweep *sweep, size_t cell, Err *err);

/* The same of all cells, unless the folder is read; FAIL_DATA where a cell's folder has
 * files, but no recipe.ini. */
Status sweep_check_cells(const Sweep *sweep, Err *err);

/* Of a folder that is read: a note for each recipe that is not what its runs were trained
 * with. */
void sweep_note_recipes(const Sweep *sweep);

#endif
