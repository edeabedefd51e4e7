#include "tools/task/meaning.h"

#include <stdio.h>
#include <string.h>

#include "tools/recipe/keys.h"
#include "tools/run/checkpoint.h"

/* Keys of a model that leave the shapes of its parameters as they are. */
static const char *const keys_meant[] = {
    "model.heads", "model.norm",     "model.activation",     "model.position",
    "model.pool",  "model.reparam",  "model.temperature_at", "data.mean",
    "data.std",    "data.background"};

void meaning_add(TextBuffer *text, const char *name, const char *value) {
    text_append(text, name, strlen(name));
    text_append_byte(text, '=');
    text_append(text, value, strlen(value));
    text_append_byte(text, '\n');
}

/* Numbers for each channel that are all the same are one number. */
static void shorten(char *value) {
    char *comma = strchr(value, ',');
    size_t length = comma ? (size_t)(comma - value) : 0;
    for (const char *at = comma; at; at = strchr(at + 1, ',')) {
        const char *next = at + 1 + strspn(at + 1, " ");
        bool same =
            !strncmp(next, value, length) && (!next[length] || next[length] == ',');
        if (!same) return;
    }
    if (comma) *comma = 0;
}

void meaning_add_number(TextBuffer *text, const char *name, double value) {
    char number[40];
    text_format(number, sizeof number, "%.9g", value);
    meaning_add(text, name, number);
}

/* Of two names of one scope (models/layer.h, LayerPart) always the same. */
static const char *scope_of(const Task *task) {
    static const char *const NAMES[] = {
        [SCOPE_ALL] = "all", [SCOPE_BLOCKS] = "blocks", [SCOPE_ATTENTION] = "attention"};
    ReparamScope scope = task->recipe->model.reparam_scope;
    return NAMES[scope == SCOPE_AUTO ? task->ops->scope : scope];
}

void meaning_describe(const Task *task, double temperature, TextBuffer *text) {
    const Recipe *r = task->recipe;
    for (size_t i = 0; i < COUNT(keys_meant); i++) {
        const Key *key = key_find(keys_meant[i]);
        char value[KEY_VALUE_MAX];
        if (!key_applies(key, r)) continue;
        key_print(key, r, value, sizeof value);
        if (key->type == KEY_REALS) shorten(value);
        meaning_add(text, keys_meant[i], value);
    }
    meaning_add(text, "model.reparam_scope", scope_of(task));
    meaning_add_number(text, "model.temperature",
                       temperature > 0 ? temperature : r->model.temperature);
    if (task->ops->describe) task->ops->describe(task, text);
}

/* ---- comparing ---- */

/* The value of a name in such lines, up to its end; NULL: it is not there. */
static const char *find(const char *lines, const char *name, size_t length) {
    for (const char *line = lines; line && *line;) {
        if (!strncmp(line, name, length) && line[length] == '=') return line + length + 1;
        line = strchr(line, '\n');
        if (line) line++;
    }
    return NULL;
}

static size_t line_length(const char *text) { return strcspn(text, "\n"); }

static bool same_value(const char *a, const char *b) {
    return line_length(a) == line_length(b) && !strncmp(a, b, line_length(a));
}

/* Facts that are kept and not compared. */
static bool is_kept_alone(const char *name, size_t length) {
    return length == sizeof MEANING_PATCHES - 1 &&
           !strncmp(name, MEANING_PATCHES, length);
}

/* Plain weights fit every reparametrisation: its companions are made. */
static bool is_plain(const char *file, const char *name) {
    static const char REPARAM[] = "model.reparam";
    const char *value = find(file, REPARAM, sizeof REPARAM - 1);
    return !strncmp(name, REPARAM, sizeof REPARAM - 1) && value &&
           !strncmp(value, "none\n", 5);
}

/* A value up to its line's end, or "(empty)". */
static void show_value(const char *value, char text[60]) {
    size_t length = MIN(line_length(value), (size_t)50);
    text_format(text, 60, "%.*s", length ? (int)length : 7, length ? value : "(empty)");
}

Status meaning_check(const char *file, const char *own, const char *path,
                     const char *advice, Err *err) {
    enum { NAMED_MOST = 4 };
    char text[700] = "";
    size_t count = 0;
    for (const char *line = own; file && line && *line; line = strchr(line, '\n') + 1) {
        size_t length = strcspn(line, "=");
        const char *seen = find(file, line, length), *wanted = line + length + 1;
        if (!seen || same_value(seen, wanted) || is_plain(file, line) ||
            is_kept_alone(line, length))
            continue;
        if (count++ >= NAMED_MOST) continue;
        size_t used = strlen(text);
        char there[60], here[60];
        show_value(seen, there);
        show_value(wanted, here);
        snprintf(text + used, sizeof text - used, "; %.*s is %s in the file, %s here",
                 (int)MIN(length, (size_t)40), line, there, here);
    }
    if (!count) return OK;
    return err_set(err, FAIL_DATA,
                   "%s does not fit this model in meaning, even if its shapes do%s%s%s",
                   path, text, count > NAMED_MOST ? "; ..." : "", advice);
}

Status meaning_check_file(const Task *task, const char *path, const char *root,
                          const char *advice, Err *err) {
    char *file = checkpoint_fact(path, root, "meaning");
    TextBuffer own = {0};
    meaning_describe(task, 0, &own);
    meaning_check(file, own.text, path, advice, err);
    text_free(&own);
    mem_free(file);
    return err->status;
}
