/* same: is what a folder holds this sweep, or a part of it?  (tools/sweep/state.h) */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "data/file/openfile.h"
#include "data/picture/dataset.h"
#include "engine/core/hash.h"
#include "tools/program/say.h"
#include "tools/program/shell.h"
#include "tools/recipe/keys.h"
#include "tools/run/rundir.h"
#include "tools/sweep/state.h"

/* ---- cells that train the same run ---- */

void sweep_settle(Recipe *recipe) {
    DataConfig data = recipe->data;
    data.val_fraction = -1;
    bool pictures = !source_check(data.source, 1 << EXAMPLES_PICTURES, NULL);
    double held = pictures ? dataset_held_out(&data) : 0;
    if (recipe->data.val_fraction == held) recipe->data.val_fraction = -1;
}

uint64_t sweep_digest(const Recipe *of) {
    Recipe *standard = mem_alloc(sizeof *standard), *recipe = mem_alloc(sizeof *recipe);
    *recipe = *of;
    sweep_settle(recipe);
    char value[KEY_VALUE_MAX], usual[KEY_VALUE_MAX];
    uint64_t hash = HASH_START;
    *standard = recipe_default();
    for (const Key *key = keys; key < keys + keys_count; key++) {
        if (!key_is_stored(key)) continue;
        key_print(key, recipe, value, sizeof value);
        key_print(key, standard, usual, sizeof usual);
        if (!strcmp(value, usual)) continue;
        hash = hash_bytes(hash, key->section, strlen(key->section) + 1);
        hash = hash_bytes(hash, key->name, strlen(key->name) + 1);
        hash = hash_bytes(hash, value, strlen(value) + 1);
    }
    mem_free(standard);
    mem_free(recipe);
    return hash;
}

/* Of each cell, its recipe's name included; mem_free.  NULL: err says why. */
static uint64_t *digests_of(const Sweep *sweep, Err *err) {
    uint64_t *digest = mem_alloc(sweep->cell_count * sizeof *digest);
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Status status = OK;
    for (size_t c = 0; c < sweep->cell_count && !status; c++) {
        const char *label = sweep_label(sweep, c, 0);
        status = sweep_recipe(sweep, c, recipe, err);
        recipe->train.threads = 0; /* changes with --jobs */
        digest[c] = hash_bytes(sweep_digest(recipe), label, strlen(label));
    }
    mem_free(recipe);
    if (!status) return digest;
    mem_free(digest);
    return NULL;
}

Status sweep_match(const Sweep *sweep, const Sweep *other, size_t *place, Err *err) {
    uint64_t *of = digests_of(sweep, err), *among = of ? digests_of(other, err) : NULL;
    for (size_t c = 0; among && c < sweep->cell_count; c++) {
        place[c] = 0;
        while (place[c] < other->cell_count && among[place[c]] != of[c]) place[c]++;
        if (place[c] == other->cell_count) place[c] = SIZE_MAX;
    }
    Status status = among ? OK : err->status;
    mem_free(of);
    mem_free(among);
    return status;
}

/* ---- the names that cells have ---- */

static bool is_name(const char *name) {
    bool plain = *name && *name != '.' && strlen(name) < SWEEP_NAME;
    for (; *name; name++) plain &= *name != '/' && !iscntrl((unsigned char)*name);
    return plain;
}

static bool is_taken(const Sweep *sweep, const char *name, size_t but) {
    for (size_t c = 0; c < sweep->cell_count; c++)
        if (c != but && !strcmp(sweep->cells[c].name, name)) return true;
    return false;
}

/* Cells keep the names of their folders, even where the grid would now give others. */
static Status take_names(Sweep *sweep, const json_t *state, const char *dir, Err *err) {
    const json_t *rows = json_object_get(state, "cells"), *row;
    size_t c;
    if (json_array_size(rows) != sweep->cell_count) return OK;
    json_array_foreach(rows, c, row) {
        char *name = word_of(json_object_get(row, "name"));
        bool good = is_name(name);
        if (good) text_format(sweep->cells[c].name, SWEEP_NAME, "%s", name);
        else
            err_set(err, FAIL_DATA, "%s/sweep.json: `%s` is not the name of a run", dir,
                    name);
        mem_free(name);
        if (!good) return FAIL_DATA;
    }
    for (c = 0; c < sweep->cell_count; c++)
        if (is_taken(sweep, sweep->cells[c].name, c))
            return err_set(err, FAIL_DATA, "%s/sweep.json: two runs have the name %s",
                           dir, sweep->cells[c].name);
    return OK;
}

/* New cells whose name an old one has get another. */
static void settle_names(Sweep *sweep, const size_t *place, size_t had) {
    for (size_t c = 0; c < sweep->cell_count; c++) {
        bool old = false;
        for (size_t i = 0; i < had; i++) old |= place[i] == c;
        char *name = sweep->cells[c].name;
        size_t length = MIN(strlen(name), (size_t)SWEEP_NAME - 12);
        for (size_t n = c + 1; !old && is_taken(sweep, name, c); n++)
            text_format(name + length, SWEEP_NAME - length, "~%zu", n);
    }
}

/* ---- its words ---- */

static void join_words(char *const *words, size_t count, char *text, size_t size) {
    *text = 0;
    char word[SHELL_WORD];
    for (size_t i = 0, used = 0; i < count && used + 1 < size; i++, used = strlen(text))
        snprintf(text + used, size - used, " %s", shell_word(words[i], word));
}

/* The cells of `had` are those of a smaller grid; `place` is where they are in this. */
static Status grow(Sweep *sweep, const Sweep *had, const size_t *place, Err *err) {
    char text[400], word[SHELL_WORD];
    size_t c = 0;
    while (c < had->cell_count && place[c] != SIZE_MAX) c++;
    if (c < had->cell_count) {
        join_words(had->words, had->word_count, text, sizeof text);
        return err_set(
            err, FAIL_USAGE,
            "%s contains another sweep, steady sweep%s; a grid can only grow, but this "
            "one lacks the run %s; choose another --out, or resume that one: steady "
            "sweep --resume %s",
            sweep->dir, text, had->cells[c].name, shell_word(sweep->dir, word));
    }
    for (c = 0; c < had->cell_count; c++)
        memcpy(sweep->cells[place[c]].name, had->cells[c].name, SWEEP_NAME);
    settle_names(sweep, place, had->cell_count);
    sweep->kept = had->cell_count;
    return OK;
}

/* Is it a part of this grid? */
static Status compare_grids(Sweep *sweep, char *const *words, size_t count,
                            const json_t *state, Err *err) {
    Sweep had;
    Status status = sweep_open(&had, (const char *const *)words, count, err);
    if (status) return err_wrap(err, "%s/sweep.json", sweep->dir);
    size_t *place = mem_alloc(had.cell_count * sizeof *place);
    status = take_names(&had, state, sweep->dir, err);
    if (!status) status = sweep_match(&had, sweep, place, err);
    if (!status) status = grow(sweep, &had, place, err);
    mem_free(place);
    sweep_close(&had);
    return status;
}

Status sweep_check_words(Sweep *sweep, const json_t *state, Err *err) {
    size_t count;
    char **words = words_of(json_object_get(state, "words"), &count);
    bool same = count == sweep->word_count;
    for (size_t i = 0; i < count && same; i++) same = !strcmp(words[i], sweep->words[i]);
    Status status = same ? take_names(sweep, state, sweep->dir, err)
                         : compare_grids(sweep, words, count, state, err);
    sweep_free_words(words, count);
    return status;
}

/* ---- the recipes of its runs ---- */

/* "model.norm = post before, norm = pre now" */
static void name_difference(Recipe *had, Recipe *now, char *text, size_t size) {
    char before[KEY_VALUE_MAX], after[KEY_VALUE_MAX];
    sweep_settle(had);
    sweep_settle(now);
    *text = 0;
    for (const Key *key = keys; key < keys + keys_count && !*text; key++) {
        if (!key_is_stored(key)) continue;
        key_print(key, had, before, sizeof before);
        key_print(key, now, after, sizeof after);
        if (strcmp(before, after))
            snprintf(text, size, "%s.%s = %.100s before, %s = %.100s now", key->section,
                     key->name, *before ? before : "none", key->name,
                     *after ? after : "none");
    }
}

static Status compare_recipes(Recipe *had, Recipe *wants, const char *dir, Err *err) {
    char difference[400];
    if (sweep_digest(had) == sweep_digest(wants)) return OK;
    name_difference(had, wants, difference, sizeof difference);
    return err_set(err, FAIL_USAGE,
                   "%s was trained with another recipe (%s); restore that recipe, or "
                   "train a new sweep in another --out; steady report reads this one as "
                   "it is",
                   dir, difference);
}

/* A recipe file that changed since the cell was trained would mix two grids. */
Status sweep_check_recipe(const Sweep *sweep, size_t cell, Err *err) {
    char dir[PATH_SIZE], path[PATH_SIZE];
    Recipe *had = mem_alloc(sizeof *had), *wants = mem_alloc(sizeof *wants);
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    rundir_path(path, dir, "recipe.ini");
    *had = recipe_default();
    Status status = recipe_load_file(had, path, dir, err);
    if (!status) status = sweep_recipe(sweep, cell, wants, err);
    if (!status) {
        had->train.threads = wants->train.threads; /* changes with --jobs */
        status = compare_recipes(had, wants, dir, err);
    }
    mem_free(had);
    mem_free(wants);
    return status;
}

/* A run's folder may be a link, as its user wishes; a cell's belongs to the sweep. */
static Status check_cell_folder(const Sweep *sweep, const char *dir, Err *err) {
    if (!openfile_exists(dir, sweep->dir) && errno == ENOENT) return OK;
    DIR *folder = openfile_folder(dir, sweep->dir, err);
    if (!folder) return err->status;
    closedir(folder);
    if (sweep->trained || rundir_holds_run(dir) || !rundir_check_free(dir, NULL))
        return OK;
    return err_set(err, FAIL_DATA,
                   "%s has files, but no recipe.ini: restore that file, or remove this "
                   "folder to train its run again",
                   dir);
}

/* ---- recipes of a folder that is read ---- */

/* Of the runs of a recipe: how many differ from what it says now, and the first of those
 * in what; or why they cannot be compared. */
typedef struct Changed {
    size_t runs, differ;
    char what[400], why[400];
} Changed;

static void compare_trained(const Sweep *sweep, size_t cell, Changed *changed) {
    Sweep words = *sweep;
    Recipe *had = mem_alloc(sizeof *had), *now = mem_alloc(sizeof *now);
    Err err = ERR_NONE;
    words.trained = NULL;
    if (sweep_trained_recipe(sweep, cell, had, &err) ||
        sweep_recipe(&words, cell, now, &err)) {
        text_format(changed->why, sizeof changed->why, "%.390s", err.text);
    } else {
        had->train.threads = now->train.threads;
        if (sweep_digest(had) != sweep_digest(now) && !changed->differ++)
            name_difference(had, now, changed->what, sizeof changed->what);
    }
    changed->runs++;
    mem_free(had);
    mem_free(now);
}

void sweep_note_recipes(const Sweep *sweep) {
    Changed *changed = mem_zalloc(sweep->axes[0].count * sizeof *changed);
    for (size_t c = 0; c < sweep->cell_count; c++) {
        char dir[PATH_SIZE];
        sweep_cell_dir(sweep, c, dir, sizeof dir);
        if (rundir_holds_run(dir))
            compare_trained(sweep, c, &changed[sweep_index(sweep, c, 0)]);
    }
    for (size_t r = 0; r < sweep->axes[0].count; r++) {
        const char *name = sweep->axes[0].values[r];
        if (changed[r].differ)
            say("steady: note: %s: %zu of %zu runs of recipe %s were trained with "
                "another "
                "one (%s); each is read as it was trained",
                sweep->dir, changed[r].differ, changed[r].runs, name, changed[r].what);
        if (*changed[r].why)
            say("steady: note: %s: runs of recipe %s are read as they were trained: %s",
                sweep->dir, name, changed[r].why);
    }
    mem_free(changed);
}

Status sweep_check_cells(const Sweep *sweep, Err *err) {
    Status status = OK;
    for (size_t c = 0; c < sweep->cell_count && !status; c++) {
        char dir[PATH_SIZE];
        sweep_cell_dir(sweep, c, dir, sizeof dir);
        if (check_cell_folder(sweep, dir, err)) return err->status;
        bool begun = rundir_holds_run(dir) && checkpoint_newest(dir, SIZE_MAX);
        if (begun && !sweep->trained) status = sweep_check_recipe(sweep, c, err);
    }
    return status;
}
