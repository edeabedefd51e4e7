/* recipes: of cells, as their words have them or as their runs were trained
 * (tools/sweep/sweep.h). */
#include <string.h>

#include "tools/run/rundir.h"
#include "tools/sweep/factor.h"
#include "tools/sweep/state.h"

/* ---- words ---- */

static char *join_word(const char *key, const char *value) {
    size_t size = strlen(key) + strlen(value) + 2;
    char *word = mem_alloc(size);
    text_format(word, size, "%s=%s", key, value);
    return word;
}

char **sweep_cell_words(const Sweep *sweep, size_t cell, size_t *count) {
    size_t most = 0;
    for (size_t a = 1; a < sweep->axis_count; a++) most += sweep->axes[a].key_count;
    char **words = mem_zalloc((most + 1) * sizeof *words);
    *count = 0;
    for (size_t a = 1; a < sweep->axis_count; a++)
        for (size_t k = 0; k < sweep->axes[a].key_count; k++)
            if (sweep_gives(sweep, cell, a))
                words[(*count)++] =
                    join_word(sweep->axes[a].keys[k], sweep_part(sweep, cell, a, k));
    return words;
}

static Status apply_words(const Sweep *sweep, size_t cell, Recipe *recipe, Err *err) {
    size_t count;
    char **words = sweep_cell_words(sweep, cell, &count);
    Status status = OK;
    for (size_t i = 0; i < count && !status; i++)
        status = recipe_set(recipe, words[i], err);
    sweep_free_words(words, count);
    return status;
}

/* ---- what runs were trained with ---- */

static const char *recipe_of(const Sweep *sweep, size_t cell) {
    return sweep->axes[0].values[sweep_index(sweep, cell, 0)];
}

Status sweep_trained_recipe(const Sweep *sweep, size_t cell, Recipe *recipe, Err *err) {
    char dir[PATH_SIZE], path[PATH_SIZE];
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    rundir_path(path, dir, "recipe.ini");
    *recipe = recipe_default();
    Status status = recipe_load_file(recipe, path, dir, err);
    return status ? status : recipe_check(recipe, err);
}

/* Has the run the value of its cell's word, however it is written?  If not, `text` says
 * "optim.lr = 1, not 0.01". */
static bool has_value(const Recipe *trained, const Key *key, const char *word, char *text,
                      size_t size) {
    char had[KEY_VALUE_MAX], wanted[KEY_VALUE_MAX];
    Recipe *recipe = mem_alloc(sizeof *recipe);
    *recipe = *trained;
    Status status = recipe_set(recipe, word, NULL);
    if (!status) sweep_settle(recipe);
    key_print(key, trained, had, sizeof had);
    key_print(key, recipe, wanted, sizeof wanted);
    mem_free(recipe);
    if (status || !strcmp(had, wanted)) return true;
    snprintf(text, size, "%s.%s = %.100s, not %.100s", key->section, key->name,
             *had ? had : "none", *wanted ? wanted : "none");
    return false;
}

/* A word that all runs share may be of how they are computed: those may differ in it. */
static bool must_agree(const Sweep *sweep, size_t axis, const Key *key) {
    return key && key_is_stored(key) &&
           (sweep_is_swept(sweep, axis) || factor_changes_numbers(key));
}

Status sweep_check_words_of(const Sweep *sweep, size_t cell, Err *err) {
    Recipe *trained = mem_alloc(sizeof *trained);
    char text[300] = "", dir[PATH_SIZE];
    bool agrees = true, known = !sweep_trained_recipe(sweep, cell, trained, NULL);
    if (known) sweep_settle(trained);
    for (size_t a = 1; a < sweep->axis_count && known; a++)
        for (size_t k = 0; k < sweep->axes[a].key_count && agrees; k++) {
            const char *name = sweep->axes[a].keys[k];
            const Key *key = key_find(name);
            if (!sweep_gives(sweep, cell, a) || !must_agree(sweep, a, key)) continue;
            char *word = join_word(name, sweep_part(sweep, cell, a, k));
            agrees = has_value(trained, key, word, text, sizeof text);
            mem_free(word);
        }
    mem_free(trained);
    if (agrees) return OK;
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    return err_set(
        err, FAIL_DATA,
        "%s has a run with %s as in the sweep's words (recipe.ini); was it "
        "moved, copied or resumed by hand?  Restore its folder, or remove it and "
        "resume the sweep to train the run again",
        dir, text);
}

void recipes_forget(Sweep *sweep) {
    for (size_t r = 0; r < sweep->axes[0].count; r++) sweep->begun[r] = SIZE_MAX;
}

/* The first run of the recipe, or cell_count.  Looking through all folders for each cell
 * would be quadratic. */
static size_t first_begun(const Sweep *trained, size_t r, Recipe *recipe) {
    size_t *first = &trained->begun[r];
    if (*first != SIZE_MAX) return *first;
    for (*first = 0; *first < trained->cell_count; ++*first)
        if (sweep_index(trained, *first, 0) == r &&
            !sweep_trained_recipe(trained, *first, recipe, NULL))
            break;
    return *first;
}

/* That of any run of such a recipe: the words of a cell replace all that its own did. */
static bool find_trained(const Sweep *trained, const char *name, size_t *cell,
                         Recipe *recipe) {
    const SweepAxis *recipes = &trained->axes[0];
    size_t r = 0;
    while (r < recipes->count && strcmp(recipes->values[r], name)) r++;
    if (r == recipes->count) return false;
    *cell = first_begun(trained, r, recipe);
    return *cell < trained->cell_count &&
           !sweep_trained_recipe(trained, *cell, recipe, NULL);
}

static bool recall(const Sweep *sweep, size_t cell, Recipe *recipe) {
    size_t from;
    return find_trained(sweep->trained, recipe_of(sweep, cell), &from, recipe) &&
           (sweep->trained == sweep || plan_restore(sweep, cell, from, recipe));
}

/* Nothing of the recipe is left: there is no run of it either, so its values only fill
 * places in lists. */
static Status words_alone(const Sweep *sweep, size_t cell, Recipe *recipe) {
    *recipe = recipe_default();
    apply_words(sweep, cell, recipe, NULL);
    return OK;
}

static Status read_recipe(const Sweep *sweep, size_t cell, Recipe *recipe) {
    if (sweep->trained == sweep && !sweep_trained_recipe(sweep, cell, recipe, NULL))
        return OK;
    Status status = OK;
    if (!recall(sweep, cell, recipe)) {
        *recipe = recipe_default();
        status = recipe_load(recipe, recipe_of(sweep, cell), NULL);
    }
    if (!status) status = apply_words(sweep, cell, recipe, NULL);
    if (!status) status = recipe_check(recipe, NULL);
    return status ? words_alone(sweep, cell, recipe) : OK;
}

Status sweep_recipe(const Sweep *sweep, size_t cell, Recipe *recipe, Err *err) {
    if (sweep->trained) return read_recipe(sweep, cell, recipe);
    *recipe = recipe_default();
    Status status = recipe_load(recipe, recipe_of(sweep, cell), err);
    if (!status) status = apply_words(sweep, cell, recipe, err);
    return status ? status : recipe_check(recipe, err);
}
