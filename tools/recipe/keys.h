/* keys: the table of recipe keys, and their values as text.
 *
 *     const Key *key = key_find("optim.lr");
 *     key_parse(key, &recipe, "0.02", &err);
 *     key_print(key, &recipe, text, sizeof text);       "0.02"
 *
 * Adding a key: a field in its struct, a line in the table of tools/recipe/keys.c and one
 * in that of tools/recipe/key_change.c.  One that has an effect only beside certain
 * values of others says so in the first, in WHEN; what several keys must not say together
 * is a function in tools/recipe/check.c.  Not for: files, line numbers. */
#ifndef STEADY_KEYS_H
#define STEADY_KEYS_H

#include "tools/program/nearest.h"
#include "tools/recipe/recipe.h"

typedef enum {
    KEY_SIZE,   /* size_t: digits */
    KEY_SEED,   /* uint64_t: digits */
    KEY_REAL,   /* double */
    KEY_FLAG,   /* bool: true false yes no on off 1 0 */
    KEY_CHOICE, /* an enum; names in its order */
    KEY_TEXT,   /* char[room] */
    KEY_REALS,  /* double[room] and a size_t: numbers separated by commas or blanks */
    KEY_MOMENT, /* Moment: steps, epochs with an e, never */
} KeyType;

typedef struct Key {
    const char *section, *name;
    KeyType type;
    size_t offset;              /* in Recipe */
    size_t room;                /* text: bytes with the final 0; reals: most numbers */
    size_t count_offset;        /* reals: where their count is */
    size_t least;               /* reals: fewest numbers */
    const char *const *choices; /* in the order of the enum; ends with NULL */
    const char *between;        /* choices: what is between them in help; NULL: " | " */
    const char *const *later;   /* names that are known but not built in yet, or NULL */
    const char *standard;       /* default, as text */
    double min, max;
    bool above_min, below_max; /* min, max themselves are out */
    bool whole;                /* reals: integers only */
    /* pairs: another name of a choice, its name; ends with NULL */
    const char *const *aliases;
    const char *unset; /* word that leaves the choice to the program; stored as -1;
                        * of a whole number as 0 */
    Status (*check)(const char *value, Err *err); /* text: a rule of its own, or NULL; its
                                                     message names the key */
    /* FOR_... of tools/recipe/tasks.h: tasks that use it; 0: none of this version */
    unsigned tasks;
    const char *sentence;
    const char *when; /* condition under which it has an effect (below); NULL: always */
    /* one of several like the row of a name without a number; help does not list it */
    bool again;
} Key;

/* Keys in the order of files and help: grouped by section. */
extern const Key keys[];
extern const size_t keys_count;

/* Names of sections in order; ends with NULL. */
extern const char *const key_sections[];

const Key *key_find(const char *full);                         /* "model.width" or NULL */
const Key *key_find_in(const char *section, const char *name); /* or NULL */

/* The key whose values a word `full=value` takes (tools/recipe/intervene.h): that of
 * key_find, or of intervene.optim.lr2 optim.lr.  NULL: no such word. */
const Key *key_of_word(const char *full);

/* The key that "section.name" or a bare name was probably meant to be: by what other
 * programs call it, else by distance, also in another section.  NULL: none is near.
 * `among`: those alone that it is true of; NULL: all. */
const Key *key_near(const char *full, bool (*among)(const Key *key));

/* "; did you mean section.name?", for the end of a message; where none is near, the
 * command that lists them. */
const char *key_hint(const char *full, char hint[NEAREST_HINT]);

/* What other programs call our keys (tools/recipe/key_alias.c), such as batch-size and
 * learning_rate.  NULL: not known. */
const Key *key_by_alias(const char *name);
const char *key_of_alias(const char *name); /* "section.name" */
const char *key_alias(size_t i);            /* NULL: there are no more */

/* Does the recipe's task use the key? */
bool key_applies(const Key *key, const Recipe *recipe);

/* Is the key one that a task of this version uses?  The others have no place in Recipe:
 * their value is checked as text and dropped. */
bool key_is_stored(const Key *key);

/* `when` is parts joined by " and "; a part is terms joined by " or "; a term is
 *
 *     section.key = VALUE|VALUE     one of these, as text       section.key is empty
 *     section.key != VALUE|VALUE    none of these               section.key is given
 *     section.key > NUMBER
 *
 * so "a = 1 or b = 2 and c > 0" is (a = 1 or b = 2) and (c > 0).  A VALUE "{fixed}"
 * stands for all sources of data/sources.h with TRAIT_FIXED, "{beta1}" for all
 * optimizers, schedules or methods that name beta1 among their keys; key_condition puts
 * them in.  The recipe must have been checked (recipe_check), so that keys of other tasks
 * are at their defaults.  False: `why` (may be NULL) is filled in from the first part
 * that does not hold,
 *
 *     "it needs data.tokens = bpe (is word)" */
enum { KEY_WHY_MAX = 900 };
bool key_has_effect(const Key *key, const Recipe *recipe, char *why, size_t size);

enum { KEY_CONDITION_MAX = 600 };
void key_condition(const Key *key, char *text, size_t size); /* "" without one */

/* The same, false also for a key of other tasks or of a later version. */
bool key_acts(const Key *key, const Recipe *recipe, char *why, size_t size);

/* The same of such a word: a change of [intervene] acts where its group does and its key
 * does in the recipe that is then in force. */
bool word_acts(const char *full, const Recipe *recipe, char *why, size_t size);

/* The condition for readers, "(a = 1 or b = 2) and c > 0"; "" without one. */
void key_when_text(const Key *key, char *text, size_t size);

/* Sets of keys, in Recipe: RECIPE_BITS words, bit i for keys[i]. */
void keyset_add(uint64_t *set, const Key *key);
void keyset_remove(uint64_t *set, const Key *key);
bool keyset_has(const uint64_t *set, const Key *key);

/* Reads `text` into the key's place.  FAIL_USAGE says what was seen and wanted; the
 * recipe is then unchanged. */
Status key_parse(const Key *key, Recipe *recipe, const char *text, Err *err);

/* What another value means to a run that has begun.  The table is
 * tools/recipe/key_change.c: each key has a row. */
typedef enum {
    CHANGE_MODEL, /* what the saved weights compute or mean: refused */
    CHANGE_USE,   /* how the weights are used: a resume may; others are refused */
    CHANGE_START, /* acts when a run begins, and has no effect later: refused */
    CHANGE_STATE, /* leaves the optimizer's state without use: refused */
    /* where the data are; that they are the same is checked (data.changed) */
    CHANGE_FILES,
    CHANGE_ITEMS,  /* which of them are used */
    CHANGE_BATCH,  /* how many make a batch */
    CHANGE_ORDER,  /* in what order they come */
    CHANGE_COURSE, /* how the run goes on, what it watches and keeps */
    /* where it ends; what is before stays as it is, but for schedules to the end */
    CHANGE_LENGTH,
    CHANGE_SPEED, /* how it is computed; the numbers stay as they are */
} KeyChange;

KeyChange key_change(const Key *key); /* CHANGE_MODEL: also of a key without a row */
bool key_change_known(const Key *key);

/* Can its value change while a run goes on (tools/recipe/intervene.h)? */
bool key_may_intervene(const Key *key);

/* Commands on a run in which a word for the key does something. */
enum {
    USE_EVAL_TRAIN = 1, /* eval --split train */
    USE_EVAL_VAL = 2,
    USE_EVAL_TEST = 4,
    USE_PREDICT_SPLIT = 8,  /* predict without INPUT: the test split */
    USE_PREDICT_INPUT = 16, /* with INPUT, and where the task takes no split */
    USE_EXPORT = 32,
    USE_PROBE_TRAIN = 128, /* probe --split train */
    USE_PROBE_VAL = 256,
    USE_PROBE_TEST = 512,
    USE_MODEL = 64, /* weights from elsewhere: words say what model they are of */
};
unsigned key_uses(const Key *key, const Recipe *recipe);

/* The value as text that key_parse reads back to the same bits; size of KEY_VALUE_MAX is
 * always enough. */
enum { KEY_VALUE_MAX = 64 * 26 };
void key_print(const Key *key, const Recipe *recipe, char *text, size_t size);

/* What can be given: "pre | post | none", "number > 0", "whole number >= 1", ... */
void key_wanted(const Key *key, char *text, size_t size);

#endif
