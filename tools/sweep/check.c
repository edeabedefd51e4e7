/* check: can the cells be run?  (tools/sweep/sweep.h) */
#include "tools/recipe/keys.h"
#include "tools/sweep/sweep.h"

/* ---- keys that do nothing ---- */

/* Of a key: how many cells it is given in, in how many of them it does nothing, the
 * first of these and its reason. */
typedef struct Idle {
    size_t given, idle, first;
    char why[KEY_WHY_MAX];
} Idle;

static Status count_idle(const Sweep *sweep, size_t axis, const char *word, Idle *found,
                         Err *err) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Status status = OK;
    found->given = found->idle = 0;
    for (size_t c = sweep->cell_count; c-- > 0 && !status;) {
        if (!sweep_gives(sweep, c, axis)) continue;
        found->given++;
        status = sweep_recipe(sweep, c, recipe, err);
        if (status || word_acts(word, recipe, found->why, sizeof found->why)) continue;
        found->first = c;
        found->idle++;
    }
    mem_free(recipe);
    return status;
}

/* A swept key that does nothing anywhere would train the same run several times. */
static Status check_key(const Sweep *sweep, size_t axis, const char *name, FILE *notes,
                        Err *err) {
    Idle found;
    if (count_idle(sweep, axis, name, &found, err)) return err->status;
    if (!found.idle) return OK;
    if (found.idle == found.given && sweep_is_swept(sweep, axis))
        return err_set(err, FAIL_USAGE,
                       "%s has no effect in any run of the sweep: %s; leave it out", name,
                       found.why);
    if (notes && found.idle == found.given)
        fprintf(notes, "steady: note: %s has no effect: %s\n", name, found.why);
    else if (notes)
        fprintf(notes,
                "steady: note: %s has no effect in %zu of %zu runs (first: %s): %s\n",
                name, found.idle, found.given, sweep->cells[found.first].name, found.why);
    return OK;
}

Status sweep_check(const Sweep *sweep, FILE *notes, Err *err) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Status status = OK;
    for (size_t c = 0; c < sweep->cell_count && !status; c++) {
        status = sweep_recipe(sweep, c, recipe, err);
        if (status) err_wrap(err, "run %s", sweep->cells[c].name);
    }
    mem_free(recipe);
    for (size_t a = 1; a < sweep->axis_count; a++)
        for (size_t k = 0; k < sweep->axes[a].key_count && !status; k++)
            status = check_key(sweep, a, sweep->axes[a].keys[k], notes, err);
    return status;
}
