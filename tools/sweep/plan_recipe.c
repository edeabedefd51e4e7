/* plan_recipe: what a plan says of its recipes, and whether it still holds
 * (tools/sweep/state.h). */
#include <inttypes.h>
#include <string.h>

#include "tools/recipe/intervene.h"
#include "tools/recipe/keys.h"
#include "tools/run/rundir.h"
#include "tools/sweep/state.h"

enum { KEY_NAME = 64, CHANGES_SHOWN = 6 };

static void name_of(const Key *key, char name[KEY_NAME]) {
    text_format(name, KEY_NAME, "%s.%s", key->section, key->name);
}

static json_t *digest_json(uint64_t digest) {
    char text[20];
    text_format(text, sizeof text, "%016" PRIx64, digest);
    return json_string(text);
}

static uint64_t recipe_digest(const char *name, Err *err) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    *recipe = recipe_default();
    uint64_t digest = recipe_load(recipe, name, err) ? 0 : sweep_digest(recipe);
    mem_free(recipe);
    return digest;
}

/* ---- keys that its words leave to the recipe ---- */

static size_t first_cell(const Sweep *sweep, size_t recipe) {
    size_t c = 0;
    while (sweep_index(sweep, c, 0) != recipe) c++;
    return c;
}

/* Does a word say it for this recipe?  A word of [intervene] says the whole section. */
static bool is_worded(const Sweep *sweep, size_t cell, const Key *key) {
    static const char INTERVENE[] = "intervene.";
    char name[KEY_NAME];
    name_of(key, name);
    size_t length = strncmp(name, INTERVENE, sizeof INTERVENE - 1) ? sizeof name
                                                                   : sizeof INTERVENE - 1;
    for (size_t a = 1; a < sweep->axis_count; a++)
        for (size_t k = 0; k < sweep->axes[a].key_count; k++)
            if (sweep_gives(sweep, cell, a) &&
                !strncmp(sweep->axes[a].keys[k], name, length))
                return true;
    return false;
}

/* Threads change with --jobs. */
static bool is_recipes(const Sweep *sweep, size_t cell, const Key *key) {
    return key_is_stored(key) && !is_worded(sweep, cell, key) &&
           key != key_find("train.threads");
}

static bool has_default(const Key *key, const Recipe *recipe, const Recipe *standard) {
    char value[KEY_VALUE_MAX], usual[KEY_VALUE_MAX];
    key_print(key, recipe, value, sizeof value);
    key_print(key, standard, usual, sizeof usual);
    return !strcmp(value, usual);
}

/* Values of the recipe's cells that no word gives and that act in one of them, or are not
 * the default: {"model.norm": "pre"}. */
static Status add_keys(const Sweep *sweep, size_t r, json_t *list, Err *err) {
    Recipe *first = mem_alloc(sizeof *first), *recipe = mem_alloc(sizeof *recipe),
           *standard = mem_alloc(sizeof *standard);
    bool *acts = mem_zalloc(keys_count * sizeof *acts);
    size_t cell = first_cell(sweep, r);
    *standard = recipe_default();
    Status status = sweep_recipe(sweep, cell, first, err);
    for (size_t c = cell; c < sweep->cell_count && !status; c++) {
        if (sweep_index(sweep, c, 0) != r) continue;
        status = sweep_recipe(sweep, c, recipe, err);
        for (size_t k = 0; k < keys_count && !status; k++)
            acts[k] |= key_acts(&keys[k], recipe, NULL, 0);
    }
    for (size_t k = 0; k < keys_count && !status; k++) {
        char name[KEY_NAME], value[KEY_VALUE_MAX];
        if (!is_recipes(sweep, cell, &keys[k]) ||
            !(acts[k] || !has_default(&keys[k], first, standard)))
            continue;
        name_of(&keys[k], name);
        key_print(&keys[k], first, value, sizeof value);
        json_object_set_new(list, name, word_json(value));
    }
    mem_free(first);
    mem_free(recipe);
    mem_free(standard);
    mem_free(acts);
    return status;
}

json_t *plan_recipes(const Sweep *sweep, Err *err) {
    const SweepAxis *recipes = &sweep->axes[0];
    json_t *list = json_array();
    for (size_t r = 0; r < recipes->count && !err->status; r++) {
        uint64_t digest = recipe_digest(recipes->values[r], err);
        json_t *values = json_object();
        if (!err->status) add_keys(sweep, r, values, err);
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "recipe",
                                              word_json(recipes->values[r]), "digest",
                                              digest_json(digest), "keys", values));
    }
    return list;
}

/* ---- before the grid had grown ---- */

/* Does only the grown grid give it? */
static bool is_added(const Sweep *planned, size_t cell, size_t from, const Key *key) {
    return key_is_stored(key) && is_worded(planned->trained, from, key) &&
           !is_worded(planned, cell, key);
}

/* A key that the plan does not have had its default. */
static void restore_key(const Key *key, const json_t *then, const Recipe *standard,
                        Recipe *recipe) {
    char name[KEY_NAME], usual[KEY_VALUE_MAX];
    name_of(key, name);
    key_print(key, standard, usual, sizeof usual);
    const json_t *said = json_object_get(then, name);
    char *text = json_is_string(said) ? word_of(said) : mem_strdup(usual);
    if (strcmp(key->section, "intervene")) key_parse(key, recipe, text, NULL);
    else if (said) intervene_give(recipe, key->name, text, NULL);
    mem_free(text);
}

bool plan_restore(const Sweep *planned, size_t cell, size_t from, Recipe *recipe) {
    const json_t *recipes = json_object_get(planned->trained->plan, "recipes");
    const json_t *row = json_array_get(recipes, sweep_index(planned, cell, 0));
    const json_t *then = json_object_get(row, "keys");
    Recipe *standard = mem_alloc(sizeof *standard);
    *standard = recipe_default();
    bool known = true;
    if (is_added(planned, cell, from, intervene_at_key(0)))
        recipe->intervene = standard->intervene;
    for (const Key *key = keys; key < keys + keys_count && known; key++) {
        if (!is_added(planned, cell, from, key)) continue;
        known = json_is_object(then);
        if (known) restore_key(key, then, standard, recipe);
    }
    mem_free(standard);
    return known;
}

/* ---- what changed ---- */

/* "model.norm pre -> post, ..." of so many. */
typedef struct Changes {
    char text[800];
    size_t count;
} Changes;

static void add_change(Changes *changes, const char *name, const char *was,
                       const char *now) {
    size_t used = strlen(changes->text), size = sizeof changes->text - used;
    if (changes->count++ < CHANGES_SHOWN)
        snprintf(changes->text + used, size, "%s%s %.40s -> %.40s", used ? ", " : "",
                 name, *was ? was : "none", *now ? now : "none");
}

/* A key that the plan does not have had its default: it did nothing, or came later. */
static void compare_keys(const Sweep *planned, size_t cell, const Recipe *recipe,
                         const json_t *then, Changes *changes) {
    Recipe *standard = mem_alloc(sizeof *standard);
    *standard = recipe_default();
    for (const Key *key = keys; key < keys + keys_count; key++) {
        char name[KEY_NAME], now[KEY_VALUE_MAX], was[KEY_VALUE_MAX];
        if (!is_recipes(planned, cell, key)) continue;
        name_of(key, name);
        key_print(key, recipe, now, sizeof now);
        key_print(key, standard, was, sizeof was);
        const json_t *said = json_object_get(then, name);
        char *text = json_is_string(said) ? word_of(said) : mem_strdup(was);
        if (strcmp(text, now)) add_change(changes, name, text, now);
        mem_free(text);
    }
    mem_free(standard);
}

static Status compare_values(const Sweep *planned, size_t r, const json_t *then,
                             json_t *list, Err *err) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Changes changes = {.count = 0};
    size_t cell = first_cell(planned, r);
    Status status = sweep_recipe(planned, cell, recipe, err);
    if (!status) compare_keys(planned, cell, recipe, then, &changes);
    if (changes.count > CHANGES_SHOWN)
        plan_say(list, "recipe %s changed: %s and %zu more", planned->axes[0].values[r],
                 changes.text, changes.count - CHANGES_SHOWN);
    else if (changes.count)
        plan_say(list, "recipe %s changed: %s", planned->axes[0].values[r], changes.text);
    mem_free(recipe);
    return status;
}

/* "optim.lr, train.seed" */
static void list_worded(const Sweep *planned, size_t r, char *text, size_t size) {
    size_t cell = first_cell(planned, r);
    *text = 0;
    for (size_t a = 1; a < planned->axis_count; a++)
        for (size_t k = 0; k < planned->axes[a].key_count; k++) {
            size_t used = strlen(text);
            if (sweep_gives(planned, cell, a))
                snprintf(text + used, size - used, "%s%s", used ? ", " : "",
                         planned->axes[a].keys[k]);
        }
    if (!*text) snprintf(text, size, "none");
}

/* Plans of earlier versions have a digest of the recipe alone. */
static void compare_digests(const Sweep *planned, size_t r, const json_t *digest,
                            json_t *list) {
    const char *name = planned->axes[0].values[r];
    Err why = ERR_NONE;
    char worded[700];
    json_t *now = digest_json(recipe_digest(name, &why));
    list_worded(planned, r, worded, sizeof worded);
    if (why.status)
        plan_say(list, "recipe %s cannot be read, so it may have changed", name);
    else if (!json_equal(now, (json_t *)digest))
        plan_say(list,
                 "recipe %s changed (in which keys is not known: this plan has only its "
                 "digest; the plan's words give %s)",
                 name, worded);
    json_decref(now);
}

Status plan_compare_recipes(const Sweep *planned, const json_t *plan, json_t *list,
                            Err *err) {
    const json_t *row;
    size_t r;
    Status status = OK;
    json_array_foreach(json_object_get(plan, "recipes"), r, row) {
        const json_t *then = json_object_get(row, "keys");
        if (status || r >= planned->axes[0].count) break;
        if (json_is_object(then)) status = compare_values(planned, r, then, list, err);
        else compare_digests(planned, r, json_object_get(row, "digest"), list);
    }
    return status;
}
