/* grid: words to axes, axes to cells, cells to recipes (tools/sweep/sweep.h). */
#include <ctype.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "tools/recipe/keys.h"
#include "tools/sweep/sweep.h"

static const char RECIPE_KEY[] = "recipe";

/* ---- values of a word ---- */

static void trim(char **text) {
    while (isspace((unsigned char)**text)) ++*text;
    size_t length = strlen(*text);
    while (length && isspace((unsigned char)(*text)[length - 1])) (*text)[--length] = 0;
}

/* Cuts `text` at `mark` into the axis's values; "" cuts nowhere. */
static Status split_values(SweepAxis *axis, char *text, const char *mark, Err *err) {
    size_t most = 1;
    for (const char *c = text; *c; c++) most += *c == *mark;
    axis->values = mem_zalloc(most * sizeof *axis->values);
    axis->labels = mem_zalloc(most * sizeof *axis->labels);
    for (char *part; (part = strsep(&text, mark));) {
        trim(&part);
        if (!*part && *mark)
            return err_set(err, FAIL_USAGE,
                           "%s: there is an empty value between two `%s`", axis->key,
                           mark);
        axis->values[axis->count] = mem_strdup(part);
        axis->labels[axis->count++] = mem_strdup(part);
    }
    return OK;
}

/* "{a;b}" -> "a;b" */
static bool unbrace(char **text) {
    size_t length = strlen(*text);
    if (length < 2 || **text != '{' || (*text)[length - 1] != '}') return false;
    (*text)[length - 1] = 0;
    ++*text;
    return true;
}

/* What parts the values of a key: nothing where a value has commas itself. */
static const char *mark_of(const Key *key) {
    return key->type == KEY_REALS || key->type == KEY_TEXT ? "" : ",";
}

/* The value as the recipe would write it: "1e-2" and "0.01" are one. */
static char *canonical(const Key *key, const char *value, Recipe *scratch) {
    char text[KEY_VALUE_MAX];
    if (!key || !key_is_stored(key) || key_parse(key, scratch, value, NULL))
        return mem_strdup(value);
    key_print(key, scratch, text, sizeof text);
    return mem_strdup(text);
}

/* The same value twice would be the same run twice. */
static Status check_twice(const SweepAxis *axis, Err *err) {
    Recipe *scratch = mem_alloc(sizeof *scratch);
    char **texts = mem_zalloc(axis->count * sizeof *texts);
    *scratch = recipe_default();
    Status status = OK;
    for (size_t i = 0; i < axis->count; i++) {
        texts[i] = canonical(key_find(axis->key), axis->values[i], scratch);
        for (size_t j = 0; j < i && !status; j++)
            if (!strcmp(texts[i], texts[j]))
                status = err_set(err, FAIL_USAGE, "%s: %s and %s are the same value",
                                 axis->key, axis->values[j], axis->values[i]);
    }
    for (size_t i = 0; i < axis->count; i++) mem_free(texts[i]);
    mem_free(texts);
    mem_free(scratch);
    return status;
}

static Status read_setting(SweepAxis *axis, char *word, Err *err) {
    char *value = strchr(word, '='), *name = word;
    *value++ = 0;
    trim(&name);
    trim(&value);
    axis->key = mem_strdup(name);
    const Key *key = key_find(name);
    if (!key) {
        const Key *nearest = key_nearest(name);
        return err_set(err, FAIL_USAGE, "unknown key %.80s; did you mean %s.%s?", name,
                       nearest->section, nearest->name);
    }
    const char *mark = unbrace(&value) ? ";" : mark_of(key);
    return split_values(axis, value, mark, err);
}

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
    }
}

static Status read_word(Sweep *sweep, const char *text, Err *err) {
    char *word = mem_strdup(text);
    bool setting = strchr(word, '=') != NULL;
    SweepAxis *axis = setting ? &sweep->axes[sweep->axis_count++] : &sweep->axes[0];
    Status status = OK;
    if (setting) {
        status = read_setting(axis, word, err);
    } else if (axis->key) {
        status = err_set(err, FAIL_USAGE, "%s: give recipes as one comma-separated word",
                         text);
    } else {
        axis->key = mem_strdup(RECIPE_KEY);
        status = split_values(axis, word, ",", err);
        label_recipes(axis);
    }
    for (size_t a = 1; a + 1 < sweep->axis_count && setting && !status; a++)
        if (!strcmp(sweep->axes[a].key, axis->key))
            status = err_set(err, FAIL_USAGE,
                             "%s is given twice; list its values in one word", axis->key);
    if (!status) status = check_twice(axis, err);
    mem_free(word);
    return status;
}

/* ---- cells ---- */

bool sweep_is_swept(const Sweep *sweep, size_t axis) {
    return sweep->axes[axis].count > 1;
}

size_t sweep_axis(const Sweep *sweep, const char *key) {
    size_t axis = 0;
    while (axis < sweep->axis_count &&
           (strcmp(sweep->axes[axis].key, key) || !sweep_is_swept(sweep, axis)))
        axis++;
    return axis;
}

size_t sweep_index(const Sweep *sweep, size_t cell, size_t axis) {
    for (size_t a = sweep->axis_count - 1; a > axis; a--) cell /= sweep->axes[a].count;
    return cell % sweep->axes[axis].count;
}

const char *sweep_label(const Sweep *sweep, size_t cell, size_t axis) {
    return sweep->axes[axis].labels[sweep_index(sweep, cell, axis)];
}

/* Appends what fits, as a part of a file name. */
static void append_part(char *name, const char *text) {
    size_t used = strlen(name);
    for (; *text && used + 1 < SWEEP_NAME; text++)
        name[used++] = *text == '/' || iscntrl((unsigned char)*text) ? '_' : *text;
    name[used] = 0;
}

/* A name that is too long or taken ends in the cell's number. */
static void settle_name(Sweep *sweep, size_t cell) {
    char *name = sweep->cells[cell].name;
    bool taken = strlen(name) + 1 == SWEEP_NAME || *name == '.';
    for (size_t other = 0; other < cell && !taken; other++)
        taken = !strcmp(name, sweep->cells[other].name);
    if (taken) {
        size_t length = MIN(strlen(name), (size_t)SWEEP_NAME - 12);
        text_format(name + length, SWEEP_NAME - length, "~%zu", cell + 1);
    }
}

static void name_cell(Sweep *sweep, size_t cell) {
    char *name = sweep->cells[cell].name;
    for (size_t a = 0; a < sweep->axis_count; a++) {
        if (!sweep_is_swept(sweep, a)) continue;
        if (*name) append_part(name, ",");
        if (a) append_part(name, sweep->axes[a].key), append_part(name, "=");
        append_part(name, sweep_label(sweep, cell, a));
    }
    if (!*name) append_part(name, sweep->axes[0].labels[0]);
    settle_name(sweep, cell);
}

static Status make_cells(Sweep *sweep, Err *err) {
    size_t count = 1;
    for (size_t a = 0; a < sweep->axis_count; a++)
        if (!size_mul(count, sweep->axes[a].count, &count) || count > SWEEP_CELLS_MAX)
            return err_set(err, FAIL_USAGE, "the grid has more than %d cells",
                           SWEEP_CELLS_MAX);
    sweep->cell_count = count;
    sweep->cells = mem_zalloc(count * sizeof *sweep->cells);
    for (size_t c = 0; c < count; c++) {
        sweep->cells[c] = (SweepCell){.exit = SWEEP_OPEN, .result = sweep_result_none()};
        name_cell(sweep, c);
    }
    return OK;
}

static void free_texts(char **texts, size_t count) {
    for (size_t i = 0; i < count; i++) mem_free(texts[i]);
    mem_free(texts);
}

void sweep_close(Sweep *sweep) {
    for (size_t a = 0; a < sweep->axis_count; a++) {
        SweepAxis *axis = &sweep->axes[a];
        mem_free(axis->key);
        free_texts(axis->values, axis->count);
        free_texts(axis->labels, axis->count);
    }
    mem_free(sweep->axes);
    free_texts(sweep->words, sweep->word_count);
    mem_free(sweep->cells);
    if (sweep->lock >= 0) close(sweep->lock);
    *sweep = (Sweep){.lock = -1};
}

Status sweep_open(Sweep *sweep, const char *const *words, size_t count, Err *err) {
    *sweep =
        (Sweep){.lock = -1, .axis_count = 1, .word_count = count}; /* axis 0: recipe */
    sweep->words = mem_zalloc((count + 1) * sizeof *sweep->words);
    sweep->axes = mem_zalloc((count + 1) * sizeof *sweep->axes);
    Status status = OK;
    for (size_t i = 0; i < count; i++) sweep->words[i] = mem_strdup(words[i]);
    for (size_t i = 0; i < count && !status; i++)
        status = read_word(sweep, words[i], err);
    if (!status && !sweep->axes[0].key)
        status = err_set(err, FAIL_USAGE, "which recipe?  `steady recipes` lists them");
    if (!status) status = make_cells(sweep, err);
    if (status) sweep_close(sweep);
    return status;
}

/* ---- recipes of cells ---- */

char *sweep_word(const Sweep *sweep, size_t cell, size_t axis) {
    const SweepAxis *a = &sweep->axes[axis];
    const char *value = a->values[sweep_index(sweep, cell, axis)];
    size_t size = strlen(a->key) + strlen(value) + 2;
    char *word = mem_alloc(size);
    text_format(word, size, "%s=%s", a->key, value);
    return word;
}

Status sweep_recipe(const Sweep *sweep, size_t cell, Recipe *recipe, Err *err) {
    const char *name = sweep->axes[0].values[sweep_index(sweep, cell, 0)];
    *recipe = recipe_default();
    Status status = recipe_load(recipe, name, err);
    for (size_t a = 1; a < sweep->axis_count && !status; a++) {
        char *word = sweep_word(sweep, cell, a);
        status = recipe_set(recipe, word, err);
        mem_free(word);
    }
    return status ? status : recipe_check(recipe, err);
}

/* In how many cells does the axis's key do nothing?  `first` is one of them and
 * `why` is its reason. */
static Status count_idle(const Sweep *sweep, size_t axis, size_t *idle, size_t *first,
                         char *why, size_t size, Err *err) {
    const Key *key = key_find(sweep->axes[axis].key);
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Status status = OK;
    *idle = 0;
    for (size_t c = sweep->cell_count; c-- > 0 && !status;) {
        status = sweep_recipe(sweep, c, recipe, err);
        if (status || key_acts(key, recipe, why, size)) continue;
        *first = c;
        ++*idle;
    }
    mem_free(recipe);
    return status;
}

/* A swept key that does nothing anywhere would train the same run several times. */
static Status check_axis(const Sweep *sweep, size_t axis, FILE *notes, Err *err) {
    char why[KEY_WHY_MAX];
    size_t idle, first;
    const char *key = sweep->axes[axis].key;
    if (count_idle(sweep, axis, &idle, &first, why, sizeof why, err)) return err->status;
    if (!idle) return OK;
    if (idle == sweep->cell_count && sweep_is_swept(sweep, axis))
        return err_set(err, FAIL_USAGE,
                       "%s has no effect in any cell of the sweep: %s; leave it out", key,
                       why);
    if (notes && idle == sweep->cell_count)
        fprintf(notes, "steady: note: %s has no effect: %s\n", key, why);
    else if (notes)
        fprintf(notes,
                "steady: note: %s has no effect in %zu of %zu cells (first: %s): %s\n",
                key, idle, sweep->cell_count, sweep->cells[first].name, why);
    return OK;
}

Status sweep_check(const Sweep *sweep, FILE *notes, Err *err) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Status status = OK;
    for (size_t c = 0; c < sweep->cell_count && !status; c++) {
        status = sweep_recipe(sweep, c, recipe, err);
        if (status) err_wrap(err, "cell %s", sweep->cells[c].name);
    }
    mem_free(recipe);
    for (size_t a = 1; a < sweep->axis_count && !status; a++)
        status = check_axis(sweep, a, notes, err);
    return status;
}
