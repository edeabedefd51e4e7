/* plan_check: does a plan agree with its own words?  (tools/sweep/state.h) */
#include <inttypes.h>
#include <string.h>

#include "data/file/textbuffer.h"
#include "tools/recipe/keys.h"
#include "tools/sweep/state.h"
#include "tools/sweep/word.h"

static const char SEED_KEY[] = "train.seed";

/* ---- seeds ---- */

/* The seed that the words give to a cell; false: its recipe says which. */
static bool seed_of(const Sweep *planned, size_t cell, Recipe *scratch) {
    for (size_t a = 1; a < planned->axis_count; a++)
        for (size_t k = 0; k < planned->axes[a].key_count; k++)
            if (sweep_gives(planned, cell, a) &&
                !strcmp(planned->axes[a].keys[k], SEED_KEY))
                return !key_parse(key_find(SEED_KEY), scratch,
                                  sweep_part(planned, cell, a, k), NULL);
    return false;
}

static bool is_among(const json_t *list, json_int_t number) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (json_is_integer(item) && json_integer_value(item) == number) return true;
    }
    return false;
}

/* Each once; NULL: recipes say some of them, and a recipe may change. */
static json_t *seeds_of_words(const Sweep *planned) {
    Recipe *scratch = mem_alloc(sizeof *scratch);
    json_t *list = json_array();
    *scratch = recipe_default();
    for (size_t c = 0; list && c < planned->cell_count; c++) {
        if (!seed_of(planned, c, scratch)) {
            json_decref(list);
            list = NULL;
        } else if (!is_among(list, (json_int_t)scratch->train.seed)) {
            json_array_append_new(list, json_integer((json_int_t)scratch->train.seed));
        }
    }
    mem_free(scratch);
    return list;
}

/* "1, 2, 3, ..." */
static void join_seeds(const json_t *list, char text[200]) {
    *text = 0;
    for (size_t i = 0, used = 0; i < json_array_size(list) && used < 100;
         i++, used = strlen(text))
        snprintf(text + used, 200 - used, "%s%" JSON_INTEGER_FORMAT "%s", i ? ", " : "",
                 json_integer_value(json_array_get(list, i)),
                 used > 80 && i + 1 < json_array_size(list) ? ", ..." : "");
    if (!*text) text_format(text, 200, "none");
}

static bool check_seeds(const Sweep *planned, const json_t *plan, char *text,
                        size_t size) {
    const json_t *said = json_object_get(plan, "seeds");
    json_t *list = seeds_of_words(planned);
    bool same = !list || json_array_size(list) == json_array_size(said);
    for (size_t i = 0; same && i < json_array_size(list); i++)
        same = is_among(said, json_integer_value(json_array_get(list, i)));
    if (!same) {
        char seeds[200], words[200];
        join_seeds(said, seeds);
        join_seeds(list, words);
        snprintf(text, size, "seeds: %s, but its words give %s", seeds, words);
    }
    json_decref(list);
    return same;
}

/* ---- the others ---- */

static bool check_runs(const Sweep *planned, const json_t *plan, char *text,
                       size_t size) {
    json_int_t runs = json_integer_value(json_object_get(plan, "runs"));
    if (runs == (json_int_t)planned->cell_count) return true;
    snprintf(text, size, "runs: %" JSON_INTEGER_FORMAT ", but its words give %zu", runs,
             planned->cell_count);
    return false;
}

static bool check_recipes(const Sweep *planned, const json_t *plan, char *text,
                          size_t size) {
    const SweepAxis *recipes = &planned->axes[0];
    const json_t *rows = json_object_get(plan, "recipes");
    for (size_t r = 0; r < MAX(recipes->count, json_array_size(rows)); r++) {
        const json_t *row = json_array_get(rows, r);
        char *name = word_of(json_object_get(row, "recipe"));
        const char *word = r < recipes->count ? recipes->values[r] : NULL;
        bool same = word && !strcmp(word, name);
        if (!same)
            snprintf(text, size, "recipes: %s in place %zu, but its words give %s",
                     *name ? name : "none", r + 1, word ? word : "none");
        mem_free(name);
        if (!same) return false;
    }
    return true;
}

/* Is the key among those of the words, alone or linked? */
static bool has_axis(const Sweep *planned, const char *key) {
    for (size_t a = 0; a < planned->axis_count; a++)
        if (keys_have(planned->axes[a].key, key)) return true;
    return false;
}

/* Whether it varies is asked of every choice of methods (sweep_check_choice). */
static bool check_method(const Sweep *planned, const json_t *plan, char *text,
                         size_t size) {
    const char *methods = json_string_value(json_object_get(plan, "method"));
    char *copy = mem_strdup(methods ? methods : ""), *rest = copy, *word;
    bool good = true;
    while (methods && good && (word = strsep(&rest, ",")))
        if (!(good = has_axis(planned, word)))
            snprintf(text, size, "method: %s, but its words do not give it", word);
    mem_free(copy);
    return good;
}

/* The rest of a definition is what the program of its day meant by the words. */
static bool check_definition(const json_t *plan, char *text, size_t size) {
    const char *fail = json_string_value(json_object_get(plan, "fail"));
    const char *definition = json_string_value(json_object_get(plan, "definition"));
    char begin[SWEEP_DEFINITION];
    snprintf(begin, sizeof begin, "fails: %s,", fail ? fail : "");
    if (!definition || (fail && !strncmp(definition, begin, strlen(begin)))) return true;
    snprintf(text, size, "definition: %.200s, but fail: %.200s", definition,
             fail ? fail : "none");
    return false;
}

bool plan_agrees(const Sweep *planned, const json_t *plan, char *text, size_t size) {
    return check_runs(planned, plan, text, size) &&
           check_seeds(planned, plan, text, size) &&
           check_recipes(planned, plan, text, size) &&
           check_method(planned, plan, text, size) && check_definition(plan, text, size);
}
