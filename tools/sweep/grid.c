/* grid: words to axes (tools/sweep/sweep.h). */
#include <string.h>
#include <unistd.h>

#include "data/file/textbuffer.h"
#include "engine/core/grow.h"
#include "tools/program/shell.h"
#include "tools/recipe/keys.h"
#include "tools/sweep/grid.h"
#include "tools/sweep/state.h"
#include "tools/sweep/word.h"

static const char RECIPE_KEY[] = "recipe";

/* ---- values of an axis ---- */

/* The value as the recipe would write it: "1e-2" and "0.01" are one. */
static char *canonical(const char *name, const char *value, Recipe *scratch) {
    const Key *key = key_of_word(name);
    char text[KEY_VALUE_MAX];
    if (!key || !key_is_stored(key) || key_parse(key, scratch, value, NULL))
        return mem_strdup(value);
    key_print(key, scratch, text, sizeof text);
    return mem_strdup(text);
}

static bool same_value(const char *name, const char *a, const char *b, Recipe *scratch) {
    char *one = canonical(name, a, scratch), *other = canonical(name, b, scratch);
    bool same = !strcmp(one, other);
    mem_free(one);
    mem_free(other);
    return same;
}

/* The place of such a value among those of the axis, or its count. */
static size_t find_value(const SweepAxis *axis, char *const *parts, Recipe *scratch) {
    for (size_t v = 0; v < axis->count; v++) {
        bool same = true;
        for (size_t k = 0; k < axis->key_count && same; k++)
            same = same_value(axis->keys[k], axis->parts[v * axis->key_count + k],
                              parts[k], scratch);
        if (same) return v;
    }
    return axis->count;
}

static size_t add_value(SweepAxis *axis, const char *value, char *const *parts) {
    size_t v = axis->count++, parts_each = axis->key_count;
    GROW(axis->values, v, axis->room, 1);
    GROW(axis->labels, v, axis->label_room, 1);
    GROW(axis->parts, v * parts_each, axis->part_room, parts_each);
    axis->values[v] = mem_strdup(value);
    axis->labels[v] = mem_strdup(value);
    for (size_t k = 0; k < parts_each; k++)
        axis->parts[v * parts_each + k] = mem_strdup(parts ? parts[k] : "");
    return v;
}

/* Adds it to the values that a word lists; one that other recipes have is theirs. */
static Status list_value(SweepAxis *axis, SweepList *list, const char *value,
                         char *const *parts, Err *err) {
    Recipe *scratch = mem_alloc(sizeof *scratch);
    *scratch = recipe_default();
    size_t v = find_value(axis, parts, scratch);
    mem_free(scratch);
    for (size_t i = 0; i < list->count; i++)
        if (list->index[i] == v)
            return err_set(err, FAIL_USAGE, "%s: duplicate value: %s and %s", axis->key,
                           axis->values[v], value);
    if (v == axis->count) add_value(axis, value, parts);
    list->index[list->count++] = v;
    return OK;
}

/* ---- words to axes ---- */

/* Which recipes a word is for, [recipes]. */
static Status word_scope(const Sweep *sweep, const Word *word, bool *scope, Err *err) {
    const SweepAxis *recipes = &sweep->axes[0];
    for (size_t r = 0; r < recipes->count; r++) scope[r] = !word->recipes.count;
    for (size_t i = 0; i < word->recipes.count; i++) {
        const char *name = word->recipes.text[i];
        size_t r = 0;
        while (r < recipes->count && strcmp(name, recipes->values[r]) &&
               strcmp(name, recipes->labels[r]))
            r++;
        if (r == recipes->count)
            return err_set(err, FAIL_USAGE, "%s: %s is not a recipe of this sweep",
                           word->text, name);
        if (scope[r])
            return err_set(err, FAIL_USAGE, "%s: %s is given twice", word->text, name);
        scope[r] = true;
    }
    return OK;
}

/* "section.key,section.key" */
static void join_keys(const Word *word, TextBuffer *text) {
    CHECK(word->keys.count, "a word without a key");
    for (size_t k = 0; k < word->keys.count; k++) {
        if (k) text_append_byte(text, ',');
        text_append(text, word->keys.text[k], strlen(word->keys.text[k]));
    }
}

/* The axis of the word's keys, a new one where there is none. */
static SweepAxis *axis_of(Sweep *sweep, const Word *word, const char *key) {
    for (size_t a = 1; a < sweep->axis_count; a++)
        if (!strcmp(sweep->axes[a].key, key)) return &sweep->axes[a];
    SweepAxis *axis = &sweep->axes[sweep->axis_count++];
    *axis = (SweepAxis){.key = mem_strdup(key), .key_count = word->keys.count};
    axis->keys = mem_zalloc(axis->key_count * sizeof *axis->keys);
    for (size_t k = 0; k < axis->key_count; k++)
        axis->keys[k] = mem_strdup(word->keys.text[k]);
    axis->lists = mem_zalloc(sweep->axes[0].count * sizeof *axis->lists);
    return axis;
}

static Status fill_list(SweepAxis *axis, const Word *word, SweepList *list, Err *err) {
    list->index = mem_alloc(word->values.count * sizeof *list->index);
    Status status = OK;
    for (size_t i = 0; i < word->values.count && !status; i++) {
        Texts parts = {0};
        const char *value = word->values.text[i];
        status = word_parts(word, value, &parts, err);
        if (!status) status = list_value(axis, list, value, parts.text, err);
        texts_free(&parts);
    }
    return status;
}

static SweepList list_copy(const SweepList *list) {
    SweepList copy = {mem_array(list->count, sizeof *copy.index), list->count};
    for (size_t i = 0; i < list->count; i++) copy.index[i] = list->index[i];
    return copy;
}

/* Into the axis's list for all recipes, or into those of the word's. */
static Status place_values(SweepAxis *axis, const Word *word, const bool *scope,
                           size_t recipes, Err *err) {
    SweepList list = {0};
    bool all = !word->recipes.count, twice = all && axis->common.count;
    for (size_t r = 0; r < recipes; r++)
        twice |= !all && scope[r] && axis->lists[r].count;
    Status status = twice ? err_set(err, FAIL_USAGE,
                                    "%s: %s is given twice; list its values in one "
                                    "argument",
                                    word->text, axis->key)
                          : fill_list(axis, word, &list, err);
    if (all && !status) axis->common = list_copy(&list);
    for (size_t r = 0; r < recipes && !all && !status; r++)
        if (scope[r]) axis->lists[r] = list_copy(&list);
    mem_free(list.index);
    return status;
}

static Status read_setting(Sweep *sweep, const char *text, Err *err) {
    Word word;
    TextBuffer key = {0};
    size_t recipes = sweep->axes[0].count;
    bool *scope = mem_zalloc(recipes * sizeof *scope);
    Status status = word_read(&word, text, err);
    if (!status) status = word_scope(sweep, &word, scope, err);
    if (!status) {
        join_keys(&word, &key);
        status =
            place_values(axis_of(sweep, &word, key.text), &word, scope, recipes, err);
    }
    text_free(&key);
    word_free(&word);
    mem_free(scope);
    return status;
}

/* ---- recipes ---- */

/* Recipe files are shown by their names, unless two have the same. */
static void label_recipes(SweepAxis *axis) {
    for (size_t i = 0; i < axis->count; i++) {
        const char *value = axis->values[i], *slash = strrchr(value, '/');
        const char *base = slash ? slash + 1 : value;
        size_t length = strlen(base);
        if (length > 4 && !strcmp(base + length - 4, ".ini")) length -= 4;
        char *label = mem_strdup(base);
        label[length] = 0;
        bool taken = false;
        for (size_t j = 0; j < i; j++) taken |= !strcmp(label, axis->labels[j]);
        if (!taken) {
            mem_free(axis->labels[i]);
            axis->labels[i] = label;
        } else {
            mem_free(label);
        }
        mem_free(axis->parts[i]);
        axis->parts[i] = mem_strdup(axis->labels[i]);
    }
}

/* Is the word, or the first of its list, the name of a recipe, or of a file? */
static bool names_recipe(const char *text) {
    char name[200];
    text_format(name, sizeof name, "%.*s", (int)strcspn(text, ", "), text);
    return recipe_builtin_text(name) || !access(name, F_OK);
}

/* Adds a part of a list that a blank cut: "0.02" to "optim.lr=0.01,". */
static void join(TextBuffer *list, const char *word) {
    bool comma = list->length && !strchr(",;{=", list->text[list->length - 1]) &&
                 !strchr(",;}", *word);
    if (comma) text_append_byte(list, ',');
    text_append(list, word, strlen(word));
}

/* Does word i continue the list of the word before it? */
static bool goes_on(char *const *words, size_t i) {
    size_t length = i ? strlen(words[i - 1]) : 0;
    return (length && strchr(",;{=", words[i - 1][length - 1])) ||
           (i && *words[i] && strchr(",;}", *words[i]));
}

/* Word i without a `=` is the second one, or the rest of a list: which list is meant? */
static Status refuse_blank(const Sweep *sweep, size_t i, Err *err) {
    char *const *words = sweep->words, word[SHELL_WORD];
    size_t first = i;
    while (first && !strchr(words[first], '=')) first--;
    bool values =
        strchr(words[first], '=') && (goes_on(words, i) || !names_recipe(words[i]));
    TextBuffer list = {0};
    for (size_t w = values ? first : 0; w < sweep->word_count; w++) {
        bool setting = strchr(words[w], '=');
        if (values && setting && w > first) break;
        if (values || !setting) join(&list, words[w]);
    }
    Status status =
        err_set(err, FAIL_USAGE,
                values ? "%s: separate values by commas without spaces: %.600s"
                       : "%s: give recipes as one comma-separated word: %.600s",
                words[i], shell_word(list.text, word));
    text_free(&list);
    return status;
}

/* One word has no `=`: the list of recipes. */
static Status check_blanks(const Sweep *sweep, Err *err) {
    bool several = false;
    for (size_t i = 0; i < sweep->word_count; i++) {
        if (strchr(sweep->words[i], '=')) continue;
        if (several || goes_on(sweep->words, i)) return refuse_blank(sweep, i, err);
        several = true;
    }
    return OK;
}

static Status read_recipes(SweepAxis *axis, const char *text, Err *err) {
    char *copy = mem_strdup(text), *rest = copy;
    Status status = OK;
    for (char *part; !status && (part = strsep(&rest, ","));) {
        part = text_trim(part);
        if (!*part)
            status = err_set(err, FAIL_USAGE, "recipe: empty value between two `,`");
        for (size_t i = 0; i < axis->count && !status; i++)
            if (!strcmp(axis->values[i], part))
                status = err_set(err, FAIL_USAGE, "recipe: duplicate value: %s and %s",
                                 part, part);
        if (!status) add_value(axis, part, &part);
    }
    mem_free(copy);
    if (!status) label_recipes(axis);
    axis->none = axis->count;
    return status;
}

/* ---- what they say together ---- */

/* What is for all recipes is for those that no word of the same keys is for. */
static Status spread_common(SweepAxis *axis, size_t recipes, Err *err) {
    size_t left = 0;
    for (size_t r = 0; r < recipes && axis->common.count; r++) {
        if (axis->lists[r].count) continue;
        axis->lists[r] = list_copy(&axis->common);
        left++;
    }
    if (left || !axis->common.count) return OK;
    return err_set(err, FAIL_USAGE,
                   "%s=... has no effect, because it is also given for each recipe; "
                   "leave one out",
                   axis->key);
}

static const SweepAxis *other_with(const Sweep *sweep, size_t axis, size_t recipe,
                                   const char *key) {
    for (const SweepAxis *other = sweep->axes + 1; other < sweep->axes + axis; other++)
        for (size_t k = 0; k < other->key_count; k++)
            if (other->lists[recipe].count && !strcmp(other->keys[k], key)) return other;
    return NULL;
}

/* A key by itself and linked, for the same recipe, would have two values. */
static Status check_once(const Sweep *sweep, size_t a, Err *err) {
    const SweepAxis *axis = &sweep->axes[a], *other;
    for (size_t r = 0; r < sweep->axes[0].count; r++)
        for (size_t k = 0; axis->lists[r].count && k < axis->key_count; k++)
            if ((other = other_with(sweep, a, r, axis->keys[k])))
                return err_set(
                    err, FAIL_USAGE,
                    "%s is given twice for recipe %s, by %s=... and by %s=...; "
                    "keep one",
                    axis->keys[k], sweep->axes[0].labels[r], other->key, axis->key);
    return OK;
}

/* Recipes that no word of the axis is for keep their own value. */
static void fill_gaps(SweepAxis *axis, size_t recipes) {
    axis->none = axis->count;
    for (size_t r = 0; r < recipes; r++) {
        if (axis->lists[r].count) continue;
        if (axis->none == axis->count) add_value(axis, "", NULL);
        axis->lists[r] = list_copy(&(SweepList){&axis->none, 1});
    }
}

static Status settle_axes(Sweep *sweep, Err *err) {
    size_t recipes = sweep->axes[0].count;
    Status status = OK;
    for (size_t a = 1; a < sweep->axis_count && !status; a++)
        status = spread_common(&sweep->axes[a], recipes, err);
    for (size_t a = 1; a < sweep->axis_count && !status; a++)
        status = check_once(sweep, a, err);
    for (size_t a = 1; a < sweep->axis_count && !status; a++)
        fill_gaps(&sweep->axes[a], recipes);
    return status;
}

/* ---- a sweep ---- */

static Status read_words(Sweep *sweep, Err *err) {
    SweepAxis *recipes = &sweep->axes[0];
    Status status = check_blanks(sweep, err);
    *recipes = (SweepAxis){.key = mem_strdup(RECIPE_KEY), .key_count = 1};
    recipes->keys = mem_zalloc(sizeof *recipes->keys);
    recipes->keys[0] = mem_strdup(RECIPE_KEY);
    for (size_t i = 0; i < sweep->word_count && !status; i++)
        if (!strchr(sweep->words[i], '='))
            status = read_recipes(recipes, sweep->words[i], err);
    if (!status && !recipes->count)
        status = err_set(err, FAIL_USAGE, "no recipe given; `steady recipes` lists them");
    for (size_t i = 0; i < sweep->word_count && !status; i++)
        if (strchr(sweep->words[i], '='))
            status = read_setting(sweep, sweep->words[i], err);
    return status ? status : settle_axes(sweep, err);
}

static void free_axis(SweepAxis *axis, size_t recipes) {
    mem_free(axis->key);
    sweep_free_words(axis->keys, axis->key_count);
    sweep_free_words(axis->values, axis->count);
    sweep_free_words(axis->labels, axis->count);
    sweep_free_words(axis->parts, axis->count * axis->key_count);
    for (size_t r = 0; axis->lists && r < recipes; r++) mem_free(axis->lists[r].index);
    mem_free(axis->lists);
    mem_free(axis->common.index);
}

void sweep_close(Sweep *sweep) {
    size_t recipes = sweep->axes ? sweep->axes[0].count : 0;
    for (size_t a = 0; a < sweep->axis_count; a++) free_axis(&sweep->axes[a], recipes);
    mem_free(sweep->axes);
    sweep_free_words(sweep->words, sweep->word_count);
    mem_free(sweep->cells);
    sweep_clear_fail(sweep);
    json_decref(sweep->plan);
    json_decref(sweep->choice);
    json_decref(sweep->told);
    mem_free(sweep->index);
    mem_free(sweep->begun);
    if (sweep->lock >= 0) close(sweep->lock);
    *sweep = (Sweep){.lock = -1};
}

Status sweep_open(Sweep *sweep, const char *const *words, size_t count, Err *err) {
    *sweep =
        (Sweep){.lock = -1, .axis_count = 1, .word_count = count}; /* axis 0: recipe */
    sweep->words = mem_zalloc((count + 1) * sizeof *sweep->words);
    sweep->axes = mem_zalloc((count + 1) * sizeof *sweep->axes);
    for (size_t i = 0; i < count; i++) sweep->words[i] = mem_strdup(words[i]);
    Status status = read_words(sweep, err);
    if (!status) status = grid_make_cells(sweep, err);
    if (status) {
        sweep_close(sweep);
        return status;
    }
    sweep->begun = mem_alloc(sweep->axes[0].count * sizeof *sweep->begun);
    recipes_forget(sweep);
    return OK;
}
