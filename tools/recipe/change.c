#include "tools/recipe/change.h"

#include <stdio.h>
#include <string.h>

#include "engine/optim/schedule.h"
#include "tools/recipe/intervene.h"

static char *value_of(const Key *key, const Recipe *recipe) {
    char text[KEY_VALUE_MAX];
    key_print(key, recipe, text, sizeof text);
    return mem_strdup(*text ? text : "(empty)");
}

static void add_change(RecipeChanges *changes, const Key *key, char *was, char *is) {
    if (!changes->change)
        changes->change = mem_alloc(keys_count * sizeof *changes->change);
    changes->change[changes->count++] = (RecipeChange){key, was, is};
}

RecipeChanges recipe_compare(const Recipe *was, const Recipe *is) {
    RecipeChanges changes = {0};
    for (const Key *key = keys; key < keys + keys_count; key++) {
        bool used = key_applies(key, was) || key_applies(key, is);
        if (!key_is_stored(key) || !used) continue;
        char *before = value_of(key, was), *after = value_of(key, is);
        if (strcmp(before, after)) {
            add_change(&changes, key, before, after);
            continue;
        }
        mem_free(before);
        mem_free(after);
    }
    return changes;
}

void recipe_changes_free(RecipeChanges *changes) {
    for (size_t i = 0; i < changes->count; i++) {
        mem_free(changes->change[i].was);
        mem_free(changes->change[i].is);
    }
    mem_free(changes->change);
    *changes = (RecipeChanges){0};
}

bool recipe_changes_have(const RecipeChanges *changes, KeyChange kind) {
    for (size_t i = 0; i < changes->count; i++)
        if (key_change(changes->change[i].key) == kind) return true;
    return false;
}

static bool looks_at_end(const Recipe *recipe) {
    return schedule_has_end(recipe->schedule.name) || recipe->optim.weight_decay_end >= 0;
}

bool recipe_changes_course(const RecipeChanges *changes, const Recipe *is) {
    for (size_t i = 0; i < changes->count; i++) {
        KeyChange kind = key_change(changes->change[i].key);
        if (kind == CHANGE_LENGTH ? looks_at_end(is) : kind != CHANGE_SPEED) return true;
    }
    return false;
}

/* ---- refusals ---- */

/* Why a run that has begun cannot take a change; NULL: it can. */
static const char *const objections[] = {
    [CHANGE_MODEL] = "this changes what the saved weights compute",
    [CHANGE_START] = "it only takes effect when a run begins",
    [CHANGE_STATE] = "the saved optimizer state does not fit",
    [CHANGE_SPEED] = NULL,
};

/* NULL: none. */
static const char *objection_to(const RecipeChange *c) {
    if (c->key == key_find("contrast.probe_lr") && !strcmp(c->was, "0"))
        return "the probe exists from the first step or not at all";
    return objections[key_change(c->key)];
}

/* A key that the command line did not give stands in recipe.ini. */
static Status refuse_edited(const RecipeChange *c, const char *objection, const char *dir,
                            Err *err) {
    return err_set(
        err, FAIL_USAGE,
        "%s.%s = %.200s in the checkpoint, %.200s now in %.200s/recipe.ini: %s; "
        "restore it there",
        c->key->section, c->key->name, c->was, c->is, dir, objection);
}

Status recipe_check_resumed(const RecipeChanges *changes, const Recipe *is,
                            const char *dir, Err *err) {
    for (size_t i = 0; i < changes->count; i++) {
        const RecipeChange *c = &changes->change[i];
        const char *objection = objection_to(c);
        if (!objection) continue;
        if (!keyset_has(is->worded, c->key)) return refuse_edited(c, objection, dir, err);
        bool model = key_change(c->key) == CHANGE_MODEL;
        return err_set(
            err, FAIL_USAGE,
            "%s.%s = %.200s in the checkpoint, %.200s now: %s; leave it out to "
            "resume %.200s, or start a new run%s",
            c->key->section, c->key->name, c->was, c->is, objection, dir,
            model ? "" : " with train.init");
    }
    return OK;
}

static Status refuse_idle(const Key *key, const char *value, const char *why, Err *err) {
    return err_set(err, FAIL_USAGE, "%s.%s%s%.200s has no effect: %s; leave it out",
                   key->section, key->name, *value ? " = " : "", value, why);
}

static Status check_change(const RecipeChange *c, const Recipe *is, unsigned use,
                           const char *command, Err *err) {
    if (key_uses(c->key, is) & use) return OK;
    KeyChange kind = key_change(c->key);
    bool model = kind == CHANGE_MODEL || kind == CHANGE_USE;
    if (model && use & USE_MODEL) return OK;
    if (model)
        return err_set(
            err, FAIL_USAGE,
            "%s.%s = %.200s in the checkpoint, %.200s now: this changes what the "
            "saved weights compute; %s",
            c->key->section, c->key->name, c->was, c->is,
            keyset_has(is->worded, c->key)
                ? "leave it out"
                : "restore it in the run's recipe.ini, or choose a checkpoint of this "
                  "run");
    if (!keyset_has(is->worded, c->key)) return OK;
    char why[100];
    text_format(why, sizeof why, "%s does not use it", command);
    return refuse_idle(c->key, c->is, why, err);
}

/* A word whose key does nothing beside the others'.  Not for predict, which
 * goes by its options. */
static Status check_condition(const Key *key, const Recipe *is, unsigned use, Err *err) {
    char why[KEY_WHY_MAX];
    enum {
        EVAL = USE_EVAL_TRAIN | USE_EVAL_VAL | USE_EVAL_TEST,
        PROBE = USE_PROBE_TRAIN | USE_PROBE_VAL | USE_PROBE_TEST
    };
    bool eval = use & (EVAL | PROBE);
    if (!keyset_has(is->worded, key)) return OK;
    if (eval ? key_acts(key, is, why, sizeof why) : key_applies(key, is)) return OK;
    if (!eval)
        text_format(why, sizeof why, "task.kind = %s does not use it",
                    task_name(is->task));
    return refuse_idle(key, "", why, err);
}

Status recipe_check_use(const Recipe *was, const Recipe *is, unsigned use,
                        const char *command, Err *err) {
    RecipeChanges changes = recipe_compare(was, is);
    for (size_t i = 0; i < changes.count && !err->status; i++)
        check_change(&changes.change[i], is, use, command, err);
    for (const Key *key = keys; key < keys + keys_count && !err->status; key++)
        check_condition(key, is, use, err);
    recipe_changes_free(&changes);
    return err->status;
}

/* ---- as text ---- */

static void add_text(TextBuffer *buffer, const char *text) {
    text_append(buffer, text, strlen(text));
}

void recipe_changes_text(const RecipeChanges *changes, TextBuffer *text) {
    for (size_t i = 0; i < changes->count; i++) {
        const RecipeChange *c = &changes->change[i];
        const char *parts[] = {
            text->length ? "; " : "", c->key->section, ".",    c->key->name,
            " changed from ",         c->was,          " to ", c->is};
        for (size_t k = 0; k < COUNT(parts); k++) add_text(text, parts[k]);
    }
}

void recipe_digest(const Recipe *recipe, TextBuffer *text) {
    for (const Key *key = keys; key < keys + keys_count; key++) {
        if (!key_is_stored(key) || !key_applies(key, recipe)) continue;
        if (key_change(key) == CHANGE_SPEED) continue;
        char value[KEY_VALUE_MAX];
        key_print(key, recipe, value, sizeof value);
        const char *parts[] = {key->section, ".", key->name, "="};
        for (size_t k = 0; k < COUNT(parts); k++) add_text(text, parts[k]);
        /* metadata are UTF-8, names of files need not be */
        text_append_escaped(text, value);
        add_text(text, "\n");
    }
}

void recipe_read_digest(Recipe *recipe, const char *digest) {
    static const char INTERVENE[] = "intervene.";
    char *copy = mem_strdup(digest), *rest = copy, *line;
    if (strstr(digest, INTERVENE)) recipe->intervene = (InterveneConfig){0};
    while ((line = strsep(&rest, "\n"))) {
        char *equals = strchr(line, '=');
        if (!equals) continue;
        *equals = 0;
        text_unescape(equals + 1);
        const Key *key = key_find(line);
        size_t length = sizeof INTERVENE - 1;
        if (!strncmp(line, INTERVENE, length))
            intervene_give(recipe, line + length, equals + 1, NULL);
        else if (key && key_is_stored(key)) key_parse(key, recipe, equals + 1, NULL);
    }
    mem_free(copy);
}
