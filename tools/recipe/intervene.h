/* intervene: keys that change while a run goes on, the recipe's [intervene] section.
 *
 *     [intervene]
 *     at = 10e                       after 10 epochs; 100: after 100 steps; never
 *     model.temperature = 0.1
 *     at2 = 2000                     a second group, its changes with the same number
 *     optim.lr2 = 0.001
 *
 * A name in the section is that of a key (model.temperature), or of a key and a number
 * from 2 on, the group's (optim.beta22: beta2 in group 2).  Where a name is a key as it
 * stands, it is that key in the first group (optim.beta2).  `key = optim.lr=0.001` (key2,
 * ...) says the same, several changes with commas between.  The older form, `temperature`
 * with `at_epoch`, is read as model.temperature with at = Ne.
 *
 * A group at N acts after N steps: step N + 1 is the first with the new values.  The
 * recipe that a step is made by is recipe_in_force: the same as after a resume at N with
 * these keys given.  Not for: when a group acts (tools/task/course.h). */
#ifndef STEADY_RECIPE_INTERVENE_H
#define STEADY_RECIPE_INTERVENE_H

#include "tools/recipe/keys.h"

enum { ACTED_TEXT = INTERVENE_GROUPS * 3 };

/* The groups that act, in the order in which they began to. */
typedef struct Acted {
    size_t count;
    size_t group[INTERVENE_GROUPS];
} Acted;

bool acted_has(const Acted *acted, size_t group);

/* "1 3 2", groups by number as a checkpoint has them; "" or NULL: none.  Reading is false
 * where it is no such list. */
bool acted_read(const char *text, Acted *acted);
void acted_print(const Acted *acted, char text[ACTED_TEXT]);

/* Rows of the table for a group's moment and its changes. */
const Key *intervene_at_key(size_t group);
const Key *intervene_changes_key(size_t group);

/* A name of [intervene], without the section: the key that changes, and the group; NULL:
 * no such name, or one that has a row of its own (at, key2). */
const Key *intervene_find(const char *name, size_t *group);

/* Is it a name of the older form: "temperature", "at_epoch"? */
bool intervene_is_old(const char *name);

/* Gives a name of [intervene] its value.  Of a change that the group has already the new
 * value wins.  FAIL_USAGE says what was seen and wanted; the recipe is then unchanged. */
Status intervene_give(Recipe *recipe, const char *name, const char *value, Err *err);

/* The value that such a name has; "" without one.  FAIL_USAGE: no such name. */
Status intervene_value(const Recipe *recipe, const char *name, char *value, size_t size,
                       Err *err);

/* One change of a group. */
typedef struct Change {
    const Key *key;
    char value[INTERVENE_TEXT];
} Change;

/* Takes the next change off *rest, at first a group's `changes`; false: there is none. */
bool intervene_next(const char **rest, Change *change);

/* The value that a group gives a key; false: it leaves it alone. */
bool intervene_changes(const Recipe *recipe, size_t group, const Key *key,
                       char value[INTERVENE_TEXT]);

/* `base` with the changes of the groups that act. */
void recipe_in_force(const Recipe *base, const Acted *acted, Recipe *now);

/* What the groups say together: a moment without a change and the other way round, one
 * key twice at one moment, keys that the task does not use.  recipe_check calls it. */
Status intervene_check(const Recipe *recipe, Err *err);

/* ---- what is in force between two moments (tools/recipe/intervene_order.c) ---- */

/* Where groups act: the steps of their moments, by so many steps per epoch; NaN: a group
 * without changes, or whose moment never comes. */
void intervene_places(const Recipe *recipe, double steps_per_epoch,
                      double place[INTERVENE_GROUPS]);

/* The groups that act already, then the others in the order of their places, those of
 * one place by number. */
Acted intervene_order(const Acted *acted, const double place[INTERVENE_GROUPS]);

/* Calls `check` with the recipe and with what is in force from each later place on.
 * An error names the group that brought it. */
Status intervene_check_course(const Recipe *recipe, const Acted *acted,
                              const double place[INTERVENE_GROUPS],
                              Status (*check)(const Recipe *, const Recipe *, Err *),
                              Err *err);

/* Calls `check` with what the next step is made by, if these groups act, and then with
 * what each group still to come adds to it, in the order of their numbers.  For what a
 * machine must have: what is over is not asked for.  An error names the group that
 * brought it. */
Status intervene_check_ahead(const Recipe *recipe, const Acted *acted,
                             Status (*check)(const Recipe *now, void *input, Err *err),
                             void *input, Err *err);

/* Is each recipe that comes into force one that could be given at the start?  For where
 * the steps of all moments are known; recipe_check knows steps from epochs only by
 * trying. */
Status recipe_check_course(const Recipe *recipe, const Acted *acted,
                           const double place[INTERVENE_GROUPS], Err *err);

/* Lines for recipe_notes: the user's changes that have no effect.  Returns how many. */
size_t intervene_notes(const Recipe *recipe, FILE *out);

/* "at = 10e", "optim.lr2 = 0.01": the section's lines. */
void intervene_print(const Recipe *recipe, FILE *out);

#endif
