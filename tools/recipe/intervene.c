#include "tools/recipe/intervene.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- groups ---- */

bool acted_has(const Acted *acted, size_t group) {
    for (size_t i = 0; i < acted->count; i++)
        if (acted->group[i] == group) return true;
    return false;
}

bool acted_read(const char *text, Acted *acted) {
    *acted = (Acted){0};
    while (text && *text) {
        char *end;
        size_t group = strtoull(text, &end, 10) - 1;
        bool good = isdigit((unsigned char)*text) && (!*end || *end == ' ') &&
                    group < INTERVENE_GROUPS && !acted_has(acted, group);
        if (!good) return false;
        acted->group[acted->count++] = group;
        text = end + (*end == ' ');
    }
    return true;
}

void acted_print(const Acted *acted, char text[ACTED_TEXT]) {
    *text = 0;
    for (size_t i = 0; i < acted->count; i++) {
        size_t used = strlen(text);
        text_format(text + used, ACTED_TEXT - used, "%s%zu", used ? " " : "",
                    acted->group[i] + 1);
    }
}

static const Key *row_of(const char *name, size_t group) {
    char text[20];
    if (group) text_format(text, sizeof text, "%s%zu", name, group + 1);
    else text_format(text, sizeof text, "%s", name);
    const Key *key = key_find_in("intervene", text);
    CHECK(key, "intervene.%s", text);
    return key;
}

const Key *intervene_at_key(size_t group) { return row_of("at", group); }
const Key *intervene_changes_key(size_t group) { return row_of("key", group); }

/* ---- names ---- */

const Key *intervene_find(const char *name, size_t *group) {
    const Key *key = key_find(name);
    size_t length = strlen(name);
    char text[80];
    *group = 0;
    if (key || length < 2 || length >= sizeof text) return key;
    char digit = name[length - 1];
    if (digit < '2' || digit > '0' + INTERVENE_GROUPS) return NULL;
    text_format(text, sizeof text, "%.*s", (int)length - 1, name);
    *group = (size_t)(digit - '1');
    return key_find(text);
}

/* Names of the older form. */
static const char OLD_TEMPERATURE[] = "temperature", OLD_AT[] = "at_epoch";

/* "intervene.at2" -> "at2"; NULL: of another section. */
static const char *name_within(const char *full) {
    static const char SECTION[] = "intervene.";
    size_t length = sizeof SECTION - 1;
    return strncmp(full, SECTION, length) ? NULL : full + length;
}

/* A change's key, also by its older name. */
static const Key *find_any(const char *name, size_t *group) {
    return intervene_find(strcmp(name, OLD_TEMPERATURE) ? name : "model.temperature",
                          group);
}

const Key *key_of_word(const char *full) {
    size_t group;
    const Key *key = key_find(full);
    const char *name = name_within(full);
    if (key || !name) return key;
    return strcmp(name, OLD_AT) ? find_any(name, &group) : intervene_at_key(0);
}

bool intervene_is_old(const char *name) {
    return !strcmp(name, OLD_TEMPERATURE) || !strcmp(name, OLD_AT);
}

/* ---- changes as text: "optim.lr=0.1, schedule.step_at=10, 20" ---- */

/* Does a change begin here: section.name= ? */
static bool begins_change(const char *text) {
    size_t section = strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789");
    if (!section || text[section] != '.') return false;
    text += section + 1;
    size_t name = strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789");
    return name && text[name + strspn(text + name, " \t")] == '=';
}

/* Where the change at `text` ends: at a comma before the next one. */
static size_t change_length(const char *text) {
    const char *at = text;
    while ((at = strchr(at, ','))) {
        const char *next = at + 1 + strspn(at + 1, " \t");
        if (begins_change(next)) return (size_t)(at - text);
        at++;
    }
    return strlen(text);
}

/* Cuts "name = value" off *rest; false at its end.  `name` is "" where there is no =. */
static bool next_pair(const char **rest, char *name, char *value) {
    const char *text = *rest + strspn(*rest, " \t,");
    size_t length = change_length(text);
    *rest = text + length;
    if (!*text) return false;
    const char *equals = memchr(text, '=', length);
    size_t left = equals ? (size_t)(equals - text) : 0;
    while (left && isspace((unsigned char)text[left - 1])) left--;
    const char *right = equals ? equals + 1 : text;
    length -= (size_t)(right - text);
    while (length && isspace((unsigned char)*right)) right++, length--;
    while (length && isspace((unsigned char)right[length - 1])) length--;
    text_format(name, INTERVENE_TEXT, "%.*s", (int)left, text);
    text_format(value, INTERVENE_TEXT, "%.*s", (int)length, right);
    return true;
}

bool intervene_next(const char **rest, Change *change) {
    char name[INTERVENE_TEXT];
    if (!next_pair(rest, name, change->value)) return false;
    change->key = key_find(name);
    CHECK(change->key, "intervene: `%s`", name);
    return true;
}

bool intervene_changes(const Recipe *recipe, size_t group, const Key *key,
                       char value[INTERVENE_TEXT]) {
    const char *rest = recipe->intervene.group[group].changes;
    Change change;
    while (intervene_next(&rest, &change)) {
        if (change.key != key) continue;
        memcpy(value, change.value, INTERVENE_TEXT);
        return true;
    }
    return false;
}

/* ---- giving ---- */

static Status refuse_key(const Key *key, Err *err) {
    KeyChange kind = key_change(key);
    bool weights = kind == CHANGE_MODEL || kind == CHANGE_START;
    return err_set(err, FAIL_USAGE, "intervene: %s.%s cannot change during a run%s",
                   key->section, key->name,
                   weights ? ", because the weights depend on it; start another run"
                   : kind == CHANGE_STATE
                       ? ", because the optimizer state depends on it; start another "
                         "run with train.init"
                       : "; stop the run and resume it with the key changed");
}

/* The value as the recipe writes it. */
static Status canonical(const Recipe *recipe, const Key *key, const char *value,
                        char text[KEY_VALUE_MAX], Err *err) {
    Recipe *scratch = mem_alloc(sizeof *scratch);
    *scratch = *recipe;
    Status status = key_parse(key, scratch, value, err);
    if (!status) key_print(key, scratch, text, KEY_VALUE_MAX);
    mem_free(scratch);
    if (status && err) err_wrap(err, "intervene");
    return status;
}

/* The group's changes with another value of `key`, in their order, or a further one; an
 * empty value takes the change away. */
static Status put_change(Intervention *group, const Key *key, const char *value,
                         Err *err) {
    char text[2 * INTERVENE_TEXT + KEY_VALUE_MAX] = "";
    size_t used = 0;
    bool there = false;
    const char *rest = group->changes;
    for (Change c; intervene_next(&rest, &c); used += strlen(text + used)) {
        bool this = c.key == key;
        there |= this;
        if (this && !*value) continue;
        text_format(text + used, sizeof text - used, "%s%s.%s=%s", used ? ", " : "",
                    c.key->section, c.key->name, this ? value : c.value);
    }
    if (!there && *value)
        text_format(text + used, sizeof text - used, "%s%s.%s=%s", used ? ", " : "",
                    key->section, key->name, value);
    if (strlen(text) >= INTERVENE_TEXT)
        return err_set(err, FAIL_USAGE,
                       "intervene: the changes of one group have %zu characters; at "
                       "most %d are allowed; use another group",
                       strlen(text), INTERVENE_TEXT - 1);
    memcpy(group->changes, text, strlen(text) + 1);
    return OK;
}

static Status give_change(Recipe *recipe, size_t group, const Key *key, const char *value,
                          Err *err) {
    char text[KEY_VALUE_MAX];
    if (!key_may_intervene(key)) return refuse_key(key, err);
    Status status = canonical(recipe, key, value, text, err);
    if (status) return status;
    if (!*text)
        return err_set(err, FAIL_USAGE, "intervene.%s.%s has no value", key->section,
                       key->name);
    return put_change(&recipe->intervene.group[group], key, text, err);
}

static Status refuse_item(size_t group, const char *name, const char *text, Err *err) {
    const char *row = intervene_changes_key(group)->name;
    char full[64] = "", hint[NEAREST_HINT];
    const Key *near = key_near(name, key_may_intervene);
    if (near) text_format(full, sizeof full, "%s.%s", near->section, near->name);
    if (!*name)
        return err_set(err, FAIL_USAGE, "intervene.%s: `%.60s` is not section.key=value",
                       row, text);
    return err_set(err, FAIL_USAGE,
                   "intervene.%s: %.80s is not a key that can change during a run%s", row,
                   name, nearest_hint(near ? full : NULL, hint));
}

static Status refuse_twice(size_t group, const char *name, Err *err) {
    return err_set(err, FAIL_USAGE, "intervene.%s: %s is given twice; keep one",
                   intervene_changes_key(group)->name, name);
}

/* `key = optim.lr=0.1, ...` beside what the group has; nothing: it has no change. */
static Status give_list(Recipe *recipe, size_t group, const char *value, Err *err) {
    Intervention *place = &recipe->intervene.group[group], before = *place;
    char name[INTERVENE_TEXT], text[INTERVENE_TEXT];
    if (strlen(value) >= INTERVENE_TEXT)
        return err_set(err, FAIL_USAGE,
                       "intervene.%s has %zu characters; at most %d are allowed",
                       intervene_changes_key(group)->name, strlen(value),
                       INTERVENE_TEXT - 1);
    Status status = OK;
    uint64_t seen[RECIPE_BITS] = {0};
    if (!*value) *place->changes = 0;
    while (!status && next_pair(&value, name, text)) {
        const Key *key = key_find(name);
        if (key && keyset_has(seen, key))
            return *place = before, refuse_twice(group, name, err);
        if (key) keyset_add(seen, key);
        status = key ? give_change(recipe, group, key, text, err)
                     : refuse_item(group, name, text, err);
    }
    if (status) *place = before;
    return status;
}

/* temperature = 0 was no intervention, at_epoch = 0 the start of the run. */
static Status give_old(Recipe *recipe, const char *name, const char *value, Err *err) {
    Intervention *group = &recipe->intervene.group[0];
    char *end, text[80];
    double number = strtod(value, &end);
    if (end == value || *end || !(number >= 0) || !isfinite(number) ||
        (!strcmp(name, OLD_AT) && number > MOMENT_EPOCHS_MAX))
        return err_set(err, FAIL_USAGE, "intervene.%s = %.60s: expected number >= 0%s",
                       name, *value ? value : "(nothing)",
                       !strcmp(name, OLD_AT) ? " and <= 1e+06" : "");
    const Key *key = key_find("model.temperature");
    if (!strcmp(name, OLD_TEMPERATURE)) {
        if (number == 0) return put_change(group, key, "", err);
        if (group->at.unit == MOMENT_NONE) group->at = (Moment){0, MOMENT_EPOCHS};
        return give_change(recipe, 0, key, value, err);
    }
    if (number == 0 && !*group->changes) return OK;
    text_format(text, sizeof text, "%.60se", value);
    return key_parse(intervene_at_key(0), recipe, text, err);
}

/* "key2" -> 1; SIZE_MAX: another name. */
static size_t list_group(const char *name) {
    for (size_t g = 0; g < INTERVENE_GROUPS; g++)
        if (!strcmp(name, intervene_changes_key(g)->name)) return g;
    return SIZE_MAX;
}

/* What can stand behind `intervene.` */
static bool is_word(const Key *key) {
    return key_may_intervene(key) || !strcmp(key->section, "intervene");
}

static Status unknown_name(const char *name, Err *err) {
    char full[80] = "", hint[NEAREST_HINT];
    const Key *near = key_near(name, is_word);
    bool own = near && !strcmp(near->section, "intervene");
    if (near)
        text_format(full, sizeof full, "intervene.%s%s%s", own ? "" : near->section,
                    own ? "" : ".", near->name);
    return err_set(
        err, FAIL_USAGE,
        "unknown key intervene.%.80s%s (expected at, at2, ... at%d, or section.key, "
        "section.key2, ...)",
        name, nearest_hint(near ? full : NULL, hint), INTERVENE_GROUPS);
}

Status intervene_give(Recipe *recipe, const char *name, const char *value, Err *err) {
    size_t group, list = list_group(name);
    const Key *row = key_find_in("intervene", name), *key = intervene_find(name, &group);
    if (list < SIZE_MAX) return give_list(recipe, list, value, err);
    if (row) return key_parse(row, recipe, value, err);
    if (intervene_is_old(name)) return give_old(recipe, name, value, err);
    return key ? give_change(recipe, group, key, value, err) : unknown_name(name, err);
}

Status intervene_value(const Recipe *recipe, const char *name, char *value, size_t size,
                       Err *err) {
    size_t group;
    char text[INTERVENE_TEXT] = "";
    const Key *key =
        intervene_find(strcmp(name, OLD_TEMPERATURE) ? name : "model.temperature",
                       &group);
    if (!key) return unknown_name(name, err);
    intervene_changes(recipe, group, key, text);
    if (strlen(text) >= size)
        return err_set(
            err, FAIL_USAGE,
            "the value of intervene.%s takes %zu bytes with its final 0; size = "
            "%zu",
            name, strlen(text) + 1, size);
    text_format(value, size, "%s", text);
    return OK;
}

/* ---- the recipe that a step is made by ---- */

static void apply(Recipe *now, const Intervention *group) {
    const char *rest = group->changes;
    for (Change c; intervene_next(&rest, &c);) {
        Err err = ERR_NONE;
        CHECK(!key_parse(c.key, now, c.value, &err), "%s", err.text);
    }
}

void recipe_in_force(const Recipe *base, const Acted *acted, Recipe *now) {
    if (now != base) *now = *base;
    for (size_t i = 0; i < acted->count; i++)
        apply(now, &base->intervene.group[acted->group[i]]);
}

static bool change_acts(const Recipe *recipe, size_t group, const Key *key, char *why,
                        size_t size) {
    if (recipe->intervene.group[group].at.unit == MOMENT_NEVER) {
        if (why)
            text_format(why, size, "intervene.%s = never", intervene_at_key(group)->name);
        return false;
    }
    Recipe *now = mem_alloc(sizeof *now);
    recipe_in_force(recipe, &(Acted){1, {group}}, now);
    bool acts = key_acts(key, now, why, size);
    mem_free(now);
    return acts;
}

bool word_acts(const char *full, const Recipe *recipe, char *why, size_t size) {
    size_t group;
    const char *name = name_within(full);
    const Key *key = key_find(full);
    if (key || !name) return key_acts(key, recipe, why, size);
    key = find_any(name, &group);
    return !key || change_acts(recipe, group, key, why, size);
}

size_t intervene_notes(const Recipe *recipe, FILE *out) {
    char why[KEY_WHY_MAX];
    size_t count = 0;
    for (size_t g = 0; g < INTERVENE_GROUPS; g++) {
        const char *rest = recipe->intervene.group[g].changes;
        if (!keyset_has(recipe->own, intervene_changes_key(g))) continue;
        for (Change c; intervene_next(&rest, &c);) {
            if (change_acts(recipe, g, c.key, why, sizeof why)) continue;
            count++;
            if (out)
                fprintf(out, "steady: note: %s.%s of intervene.%s has no effect: %s\n",
                        c.key->section, c.key->name, intervene_at_key(g)->name, why);
        }
    }
    return count;
}

/* ---- what groups say together ---- */

static Status check_whole(const Recipe *recipe, size_t g, Err *err) {
    const Intervention *group = &recipe->intervene.group[g];
    const char *at = intervene_at_key(g)->name;
    char number[20] = "";
    bool has_moment = group->at.unit != MOMENT_NONE;
    if (has_moment == (*group->changes != 0)) return OK;
    if (g) text_format(number, sizeof number, "%zu", g + 1);
    if (has_moment)
        return err_set(err, FAIL_USAGE,
                       "intervene.%s has no change; add intervene.section.key%s=value, "
                       "such as intervene.optim.lr%s=0.001",
                       at, number, number);
    return err_set(err, FAIL_USAGE,
                   "intervene changes %.200s at an unknown time; set intervene.%s in "
                   "steps (100) or epochs (10e)",
                   group->changes, at);
}

static Status check_twice(const Recipe *recipe, size_t g, const Key *key, Err *err) {
    const Intervention *group = recipe->intervene.group;
    char value[INTERVENE_TEXT], at[MOMENT_TEXT];
    for (size_t h = 0; h < g; h++) {
        if (group[h].at.unit != group[g].at.unit || group[h].at.unit == MOMENT_NEVER ||
            group[h].at.value != group[g].at.value ||
            !intervene_changes(recipe, h, key, value))
            continue;
        moment_print(group[g].at, at);
        return err_set(
            err, FAIL_USAGE,
            "intervene.%s and intervene.%s are both %s and both change %s.%s; keep one "
            "of the two",
            intervene_at_key(h)->name, intervene_at_key(g)->name, at, key->section,
            key->name);
    }
    return OK;
}

static Status check_group(const Recipe *recipe, size_t g, Err *err) {
    const char *rest = recipe->intervene.group[g].changes;
    Status status = check_whole(recipe, g, err);
    for (Change c; !status && intervene_next(&rest, &c);) {
        if (!key_applies(c.key, recipe))
            return err_set(err, FAIL_USAGE,
                           "intervene changes %s.%s, which task.kind = %s does not use",
                           c.key->section, c.key->name, task_name(recipe->task));
        status = check_twice(recipe, g, c.key, err);
    }
    return status;
}

Status intervene_check(const Recipe *recipe, Err *err) {
    Status status = OK;
    for (size_t g = 0; g < INTERVENE_GROUPS && !status; g++)
        status = check_group(recipe, g, err);
    return status;
}

/* ---- writing ---- */

void intervene_print(const Recipe *recipe, FILE *out) {
    for (size_t g = 0; g < INTERVENE_GROUPS; g++) {
        const Intervention *group = &recipe->intervene.group[g];
        const char *rest = group->changes;
        char text[MOMENT_TEXT];
        moment_print(group->at, text);
        if (*text) fprintf(out, "%s = %s\n", intervene_at_key(g)->name, text);
        for (Change c; intervene_next(&rest, &c);) {
            fprintf(out, "%s.%s", c.key->section, c.key->name);
            if (g) fprintf(out, "%zu", g + 1);
            fprintf(out, " = %s\n", c.value);
        }
    }
}
