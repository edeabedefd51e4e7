/* check: can the cells be run?  (tools/sweep/sweep.h) */
#include <string.h>

#include "data/file/textbuffer.h"
#include "tools/recipe/keys.h"
#include "tools/sweep/state.h"

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

/* ---- a list of words is one value: were two meant? ---- */

/* 'KEY={A;B}' for an axis whose only value is a list of words that the key's rule knows,
 * "A,B"; false: it is no such axis. */
static bool apart(const SweepAxis *axis, TextBuffer *text) {
    const Key *key = axis->key_count == 1 ? key_find(axis->key) : NULL;
    const char *value = NULL;
    size_t given = 0;
    for (size_t v = 0; v < axis->count; v++)
        if (v != axis->none) value = axis->values[v], given++;
    if (!key || !key->check || given != 1 || !strchr(value, ',')) return false;
    text_append_format(text, "'%s={", axis->key);
    for (const char *c = value; *c; c++) text_append_byte(text, *c == ',' ? ';' : *c);
    text_append_format(text, "}'");
    return true;
}

static void note_lists(const Sweep *sweep, FILE *notes) {
    for (size_t a = 1; a < sweep->axis_count; a++) {
        TextBuffer text = {0};
        if (apart(&sweep->axes[a], &text))
            fprintf(notes,
                    "steady: note: %s has one value, a list; for a run with each: %s\n",
                    sweep->axes[a].key, text.text);
        text_free(&text);
    }
}

/* Adds to a refusal of such a list what gives a run with each. */
static void advise_lists(const Sweep *sweep, Err *err) {
    for (size_t a = 1; a < sweep->axis_count; a++) {
        TextBuffer text = {0};
        const Err was = *err;
        if (strstr(was.text, sweep->axes[a].key) && apart(&sweep->axes[a], &text))
            err_set(err, was.status, "%.1500s; for a run with each: %s", was.text,
                    text.text);
        text_free(&text);
    }
}

Status sweep_check(const Sweep *sweep, FILE *notes, Err *err) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Status status = OK;
    for (size_t c = 0; c < sweep->cell_count && !status; c++) {
        status = sweep_recipe(sweep, c, recipe, err);
        if (!status) continue;
        if (err) advise_lists(sweep, err);
        err_wrap(err, "run %s", sweep->cells[c].name);
    }
    if (!status && notes) note_lists(sweep, notes);
    mem_free(recipe);
    for (size_t a = 1; a < sweep->axis_count; a++)
        for (size_t k = 0; k < sweep->axes[a].key_count && !status; k++)
            status = check_key(sweep, a, sweep->axes[a].keys[k], notes, err);
    return status;
}

/* ---- runs that are equal ---- */

/* Of each cell, whatever its recipe is called; mem_free.  NULL: err says why. */
static uint64_t *digests_of(const Sweep *sweep, Err *err) {
    uint64_t *digest = mem_alloc(sweep->cell_count * sizeof *digest);
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Status status = OK;
    for (size_t c = 0; c < sweep->cell_count && !status; c++) {
        status = sweep_recipe(sweep, c, recipe, err);
        digest[c] = sweep_digest(recipe);
    }
    mem_free(recipe);
    if (!status) return digest;
    mem_free(digest);
    return NULL;
}

typedef struct Twins {
    size_t count, cells; /* of so many cells of a recipe */
    size_t one, other;   /* the first two */
} Twins;

/* Cells of the recipe that another recipe before it has as well. */
static Twins twins_of(const Sweep *sweep, const uint64_t *digest, size_t recipe) {
    Twins twins = {.count = 0};
    for (size_t c = 0; c < sweep->cell_count; c++) {
        if (sweep_index(sweep, c, 0) != recipe) continue;
        size_t d = 0;
        while (d < c && (digest[d] != digest[c] || sweep_index(sweep, d, 0) == recipe))
            d++;
        twins.cells++;
        if (d < c && !twins.count++) twins.one = d, twins.other = c;
    }
    return twins;
}

Status sweep_check_twins(const Sweep *sweep, bool refuse, FILE *notes, Err *err) {
    Status status = OK;
    if (sweep->axes[0].count < 2) return OK;
    uint64_t *digest = digests_of(sweep, err);
    if (!digest) return err->status;
    for (size_t r = 1; r < sweep->axes[0].count && !status; r++) {
        Twins twins = twins_of(sweep, digest, r);
        const char *one = sweep->cells[twins.one].name,
                   *other = sweep->cells[twins.other].name,
                   *name = sweep->axes[0].values[r];
        if (refuse && twins.count && twins.count == twins.cells)
            status = err_set(err, FAIL_USAGE,
                             "recipe %s is the same as another one: the runs %s and %s "
                             "would be equal; leave it out",
                             name, one, other);
        else if (notes && twins.count)
            fprintf(notes,
                    "steady: note: %zu of %zu runs of recipe %s are the same as runs of "
                    "another recipe (first: %s and %s)\n",
                    twins.count, twins.cells, name, one, other);
    }
    mem_free(digest);
    return status;
}
