#include "tools/sweep/factor.h"

#include <string.h>

#include "engine/core/grow.h"
#include "tools/sweep/state.h"
#include "tools/sweep/word.h"

static const char FOLDER_KEY[] = "sweep", RATE_KEY[] = "optim.lr",
                  SEED_KEY[] = "train.seed";

static Factor *find_factor(Factors *factors, const char *key) {
    for (size_t i = 0; i < factors->count; i++)
        if (!strcmp(factors->list[i].key, key)) return &factors->list[i];
    return NULL;
}

static Factor *add_factor(Factors *factors, const char *key) {
    GROW(factors->list, factors->count, factors->room, 1);
    Factor *factor = &factors->list[factors->count++];
    *factor = (Factor){.key = mem_strdup(key)};
    factor->text = mem_zalloc(factors->cell_count * sizeof *factor->text);
    return factor;
}

void factors_free(Factors *factors) {
    for (size_t i = 0; i < factors->count; i++) {
        for (size_t c = 0; c < factors->cell_count; c++)
            mem_free(factors->list[i].text[c]);
        mem_free(factors->list[i].text);
        mem_free(factors->list[i].key);
    }
    mem_free(factors->list);
}

/* "0.07,spectral" of "model.init_std,model.gamma_init", as the recipe has them. */
static char *resolved(const Recipe *recipe, const char *names) {
    char text[2 * KEY_VALUE_MAX] = "", *copy = mem_strdup(names), *rest = copy, *name;
    while ((name = strsep(&rest, ","))) {
        size_t used = strlen(text);
        const Key *key = key_find(name);
        if (used + 1 < sizeof text && *text) text[used++] = ',';
        if (key && key_is_stored(key))
            key_print(key, recipe, text + used, sizeof text - used);
    }
    mem_free(copy);
    return mem_strdup(text);
}

static const SweepAxis *axis_named(const Sweep *sweep, const char *key) {
    for (size_t a = 0; a < sweep->axis_count; a++)
        if (!strcmp(sweep->axes[a].key, key)) return &sweep->axes[a];
    return NULL;
}

/* Of one sweep as its words have it; a rate that no word gives is the recipe's. */
static char *text_in_sweep(const Sweep *sweep, size_t cell, const char *key,
                           const Recipe *recipe) {
    size_t axis = (size_t)(axis_named(sweep, key) - sweep->axes);
    if (sweep_gives(sweep, cell, axis) || strcmp(key, RATE_KEY))
        return mem_strdup(sweep_label(sweep, cell, axis));
    return resolved(recipe, key);
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* The folder's name, or its path where another folder has the same name. */
static const char *folder_name(const Factors *factors, const Sweep *sweep) {
    const char *name = last_part(sweep->dir);
    for (size_t s = 0; s < factors->sweep_count; s++)
        if (&factors->sweeps[s] != sweep &&
            !strcmp(name, last_part(factors->sweeps[s].dir)))
            return sweep->dir;
    return name;
}

static Status fill_cell(Factors *factors, const Sweep *sweep, size_t cell, size_t at,
                        Err *err) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Status status = sweep_recipe(sweep, cell, recipe, err);
    sweep_settle(recipe);
    for (size_t i = 0; i < factors->count && !status; i++) {
        const char *key = factors->list[i].key;
        char **text = &factors->list[i].text[at];
        if (!strcmp(key, FOLDER_KEY)) *text = mem_strdup(folder_name(factors, sweep));
        else if (!strcmp(key, sweep->axes[0].key))
            *text = mem_strdup(sweep_label(sweep, cell, 0));
        else if (factors->sweep_count == 1)
            *text = text_in_sweep(sweep, cell, key, recipe);
        else *text = resolved(recipe, key);
    }
    mem_free(recipe);
    return status;
}

static bool is_axis(const Factors *factors, const char *key) {
    for (size_t s = 0; s < factors->sweep_count; s++)
        if (axis_named(&factors->sweeps[s], key)) return true;
    return false;
}

static void want_factor(Factors *factors, const char *key) {
    if (!find_factor(factors, key)) add_factor(factors, key);
}

static bool has_alone(const Factors *factors, const char *names) {
    char *copy = mem_strdup(names), *rest = copy, *key;
    bool alone = false;
    while ((key = strsep(&rest, ","))) alone |= is_axis(factors, key);
    mem_free(copy);
    return alone;
}

/* Linked keys are one factor, unless one of several sweeps gives one of them alone. */
static void want_factors(Factors *factors, const char *names) {
    char *copy = mem_strdup(names), *rest = copy, *key;
    if (factors->sweep_count == 1 || !has_alone(factors, names))
        want_factor(factors, names);
    else
        while ((key = strsep(&rest, ","))) want_factor(factors, key);
    mem_free(copy);
}

/* ---- keys that no word gives ---- */

/* A recipe's name, and the first recipe of that name. */
typedef struct Named {
    const char *label;
    Recipe *recipe;
} Named;

typedef struct NamedList {
    Named *list;
    size_t count, room;
} NamedList;

static bool is_factor(const Factors *factors, const char *key) {
    for (size_t i = 0; i < factors->count; i++)
        if (keys_have(factors->list[i].key, key)) return true;
    return false;
}

/* Where it acts in neither, it makes no difference. */
static bool differ_in(const Key *key, const Recipe *a, const Recipe *b) {
    char one[KEY_VALUE_MAX], other[KEY_VALUE_MAX];
    key_print(key, a, one, sizeof one);
    key_print(key, b, other, sizeof other);
    return strcmp(one, other) && (key_acts(key, a, NULL, 0) || key_acts(key, b, NULL, 0));
}

/* The first of its name, which it is where there is none. */
static const Recipe *first_named(NamedList *named, const char *label,
                                 const Recipe *recipe) {
    for (size_t i = 0; i < named->count; i++)
        if (!strcmp(named->list[i].label, label)) return named->list[i].recipe;
    GROW(named->list, named->count, named->room, 1);
    Recipe *copy = mem_alloc(sizeof *copy);
    *copy = *recipe;
    named->list[named->count++] = (Named){label, copy};
    return copy;
}

bool factor_changes_numbers(const Key *key) {
    return key_change(key) != CHANGE_SPEED && key != key_find("train.keep") &&
           key != key_find("train.checkpoint_every");
}

static void compare_keys(const Recipe *first, const Recipe *recipe, bool *differs) {
    for (size_t k = 0; k < keys_count; k++)
        if (!differs[k] && key_is_stored(&keys[k]) && factor_changes_numbers(&keys[k]))
            differs[k] = differ_in(&keys[k], first, recipe);
}

static void want_others(Factors *factors, const bool *differs) {
    for (size_t k = 0; k < keys_count; k++) {
        char name[64];
        text_format(name, sizeof name, "%s.%s", keys[k].section, keys[k].name);
        if (differs[k] && !is_factor(factors, name)) add_factor(factors, name);
    }
}

/* Two files may have one name, and a recipe may have changed between two sweeps. */
static Status find_others(Factors *factors, Err *err) {
    NamedList named = {0};
    Recipe *recipe = mem_alloc(sizeof *recipe);
    bool *differs = mem_zalloc(keys_count * sizeof *differs);
    Status status = OK;
    for (size_t s = 0; s < factors->sweep_count; s++)
        for (size_t c = 0; c < factors->sweeps[s].cell_count && !status; c++) {
            const Sweep *sweep = &factors->sweeps[s];
            if ((status = sweep_recipe(sweep, c, recipe, err))) break;
            sweep_settle(recipe);
            compare_keys(first_named(&named, sweep_label(sweep, c, 0), recipe), recipe,
                         differs);
        }
    if (!status) want_others(factors, differs);
    for (size_t i = 0; i < named.count; i++) mem_free(named.list[i].recipe);
    mem_free(named.list);
    mem_free(recipe);
    mem_free(differs);
    return status;
}

static Status fill_factors(Factors *factors, Err *err) {
    Status status = OK;
    size_t at = 0;
    add_factor(factors, FOLDER_KEY);
    for (size_t s = 0; s < factors->sweep_count; s++)
        for (size_t a = 0; a < factors->sweeps[s].axis_count; a++)
            want_factors(factors, factors->sweeps[s].axes[a].key);
    if (factors->sweep_count > 1) status = find_others(factors, err);
    for (size_t s = 0; s < factors->sweep_count; s++)
        for (size_t c = 0; c < factors->sweeps[s].cell_count && !status; c++)
            status = fill_cell(factors, &factors->sweeps[s], c, at++, err);
    return status;
}

/* ---- what each of them is for ---- */

static bool varies(const Factors *factors, const Factor *factor) {
    for (size_t c = 1; c < factors->cell_count; c++)
        if (strcmp(factor->text[0], factor->text[c])) return true;
    return false;
}

/* Several sweeps have the values of their recipes, which may be empty. */
static bool has_gaps(const Factors *factors, const Factor *factor) {
    if (factors->sweep_count > 1) return false;
    for (size_t c = 0; c < factors->cell_count; c++)
        if (!*factor->text[c]) return true;
    return false;
}

/* What one sweep was given and another was not, without a word in the numbers; runs of a
 * sweep of its values stay apart. */
static bool is_aside(const Factors *factors, const Factor *factor) {
    const Key *key = key_find(factor->key);
    bool swept = factors->sweep_count < 2;
    for (size_t s = 0; s < factors->sweep_count && !swept; s++)
        swept =
            sweep_axis(&factors->sweeps[s], factor->key) < factors->sweeps[s].axis_count;
    return key && !factor_changes_numbers(key) && !swept;
}

static bool same_cell(const Factors *factors, size_t a, size_t b) {
    for (size_t i = 1; i < factors->count; i++)
        if (!is_aside(factors, &factors->list[i]) &&
            strcmp(factors->list[i].text[a], factors->list[i].text[b]))
            return false;
    return true;
}

/* Do two cells differ in their folders alone? */
static bool folders_matter(const Factors *factors) {
    for (size_t a = 0; a < factors->cell_count && factors->sweep_count > 1; a++)
        for (size_t b = 0; b < a; b++)
            if (same_cell(factors, a, b)) return true;
    return false;
}

/* Linked keys are asked for by any of them. */
static bool is_asked_for(const Factor *factor, const char *methods) {
    char *copy = mem_strdup(methods), *rest = copy, *word;
    bool asked = false;
    while ((word = strsep(&rest, ","))) asked |= keys_have(factor->key, word);
    mem_free(copy);
    return asked;
}

static bool is_known(const Factors *factors, const char *word) {
    for (size_t i = 0; i < factors->count; i++)
        if (varies(factors, &factors->list[i]) && keys_have(factors->list[i].key, word))
            return true;
    return false;
}

/* Each word of the list must be a key that varies. */
static Status check_methods(const Factors *factors, const char *list, Err *err) {
    char *copy = mem_strdup(list), *rest = copy, *word, known[400] = "";
    for (size_t i = 0; i < factors->count; i++) {
        size_t used = strlen(known);
        if (varies(factors, &factors->list[i]))
            snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                     factors->list[i].key);
    }
    Status status = OK;
    while ((word = strsep(&rest, ",")) && !status)
        if (!is_known(factors, word))
            status = err_set(err, FAIL_USAGE,
                             "--method %s: the runs do not differ in this key; "
                             "expected some of %s",
                             word, *known ? known : "none");
    mem_free(copy);
    return status;
}

static FactorPart part_of(const Factors *factors, const Factor *factor,
                          const char *methods) {
    if (!varies(factors, factor)) return PART_FIXED;
    if (methods && is_asked_for(factor, methods)) return PART_METHOD;
    if (is_aside(factors, factor)) return PART_FIXED;
    if (!strcmp(factor->key, RATE_KEY)) return PART_RATE;
    if (!strcmp(factor->key, SEED_KEY)) return PART_SEED;
    return has_gaps(factors, factor) ? PART_METHOD : PART_REST;
}

/* The first factor that is neither rate nor seed: the folder, the recipe, a key.  Keys
 * that are linked with one of these make the methods only where nothing else does. */
static void choose_method(Factors *factors) {
    Factor *linked = NULL;
    for (size_t i = 0; i < factors->count; i++) {
        Factor *factor = &factors->list[i];
        if (factor->part != PART_REST) continue;
        if (!keys_have(factor->key, RATE_KEY) && !keys_have(factor->key, SEED_KEY)) {
            factor->part = PART_METHOD;
            return;
        }
        if (!linked) linked = factor;
    }
    if (linked) linked->part = PART_METHOD;
}

static bool same_method(const Factors *factors, size_t a, size_t b) {
    for (size_t i = 0; i < factors->count; i++)
        if (factors->list[i].part == PART_METHOD &&
            strcmp(factors->list[i].text[a], factors->list[i].text[b]))
            return false;
    return true;
}

/* Compared with the first cell of the same method. */
static bool follows_method(const Factors *factors, const Factor *factor) {
    for (size_t c = 0; c < factors->cell_count; c++) {
        size_t first = 0;
        while (!same_method(factors, first, c)) first++;
        if (strcmp(factor->text[first], factor->text[c])) return false;
    }
    return true;
}

/* What follows from the method is never equal between two of them. */
static void find_followers(Factors *factors) {
    for (size_t i = 0; i < factors->count; i++) {
        Factor *factor = &factors->list[i];
        if (factor->part == PART_REST && follows_method(factors, factor))
            factor->part = PART_ALONG;
    }
}

static Status assign_parts(Factors *factors, const char *methods, Err *err) {
    if (methods && check_methods(factors, methods, err)) return err->status;
    for (size_t i = 0; i < factors->count; i++)
        factors->list[i].part = part_of(factors, &factors->list[i], methods);
    Factor *folder = &factors->list[0];
    if (folder->part == PART_REST && !folders_matter(factors)) folder->part = PART_FIXED;
    if (!methods) choose_method(factors);
    find_followers(factors);
    return OK;
}

Status factors_open(Factors *factors, const Sweep *sweeps, size_t count,
                    const char *methods, Err *err) {
    *factors = (Factors){.sweeps = sweeps, .sweep_count = count};
    for (size_t s = 0; s < count; s++) factors->cell_count += sweeps[s].cell_count;
    Status status = fill_factors(factors, err);
    return status ? status : assign_parts(factors, methods, err);
}
