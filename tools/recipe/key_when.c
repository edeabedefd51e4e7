/* key_when: conditions under which keys have an effect (tools/recipe/keys.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"
#include "engine/reparam/reparam.h"
#include "tools/recipe/keys.h"

static const char AND[] = " and ", OR[] = " or ";

enum { PART_MAX = 300, TERM_MAX = 160, VALUES_MAX = 500 };

/* ---- one term ---- */

typedef struct Term {
    const Key *key;
    char relation[4]; /* "=" "!=" ">" "is" */
    char values[TERM_MAX];
} Term;

static Term read_term(const char *text) {
    Term term;
    char name[64];
    int read = sscanf(text, "%63s %3s %159[^\n]", name, term.relation, term.values);
    term.key = read == 3 ? key_find(name) : NULL;
    CHECK(term.key, "condition `%s`", text);
    return term;
}

static bool is_listed(const char *value, const char *list) {
    for (size_t length; *list; list += length + (list[length] == '|')) {
        length = strcspn(list, "|");
        if (strlen(value) == length && !strncmp(value, list, length)) return true;
    }
    return false;
}

static bool term_holds(const char *text, const Recipe *recipe) {
    Term term = read_term(text);
    char value[KEY_VALUE_MAX];
    key_print(term.key, recipe, value, sizeof value);
    switch (*term.relation) {
    case '=': return is_listed(value, term.values);
    case '!': return !is_listed(value, term.values);
    case '>': return strtod(value, NULL) > strtod(term.values, NULL);
    default: return !*value == !strcmp(term.values, "empty");
    }
}

/* ---- parts: terms joined by "or" ---- */

/* Copies what is before `mark` into `piece` and moves *rest behind it; false at the
 * end. */
static bool next_piece(const char **rest, const char *mark, char *piece, size_t size) {
    if (!*rest) return false;
    const char *end = strstr(*rest, mark);
    size_t length = end ? (size_t)(end - *rest) : strlen(*rest);
    CHECK(length < size, "condition `%s` is too long", *rest);
    memcpy(piece, *rest, length);
    piece[length] = 0;
    *rest = end ? end + strlen(mark) : NULL;
    return true;
}

static bool part_holds(const char *part, const Recipe *recipe) {
    char term[TERM_MAX];
    for (const char *rest = part; next_piece(&rest, OR, term, sizeof term);)
        if (term_holds(term, recipe)) return true;
    return false;
}

/* "is word", or of several terms "data.tokens is word, task.kind is language" */
static void print_values(const char *part, const Recipe *recipe, char *text,
                         size_t size) {
    char piece[TERM_MAX];
    bool several = strstr(part, OR) != NULL;
    size_t used = 0;
    for (const char *rest = part; next_piece(&rest, OR, piece, sizeof piece);) {
        const Key *key = read_term(piece).key;
        char value[KEY_VALUE_MAX];
        key_print(key, recipe, value, sizeof value);
        text_format(text + used, size - used, "%s%s%s%s%sis %.80s", used ? ", " : "",
                    several ? key->section : "", several ? "." : "",
                    several ? key->name : "", several ? " " : "",
                    *value ? value : "empty");
        used += strlen(text + used);
    }
}

/* ---- words in braces ---- */

static const char *keys_of_optim(int choice) { return optim_keys((OptimKind)choice); }

static const char *keys_of_schedule(int choice) {
    return schedule_keys((ScheduleKind)choice);
}

static const char *keys_of_reparam(int choice) {
    return reparam_keys((ReparamMethod)choice);
}

/* Keys whose choices say which other keys act beside them. */
static const struct {
    const char *name;
    const char *(*keys)(int choice);
} choosers[] = {{"optim.name", keys_of_optim},
                {"schedule.name", keys_of_schedule},
                {"model.reparam", keys_of_reparam}};

/* "adamw|adam|lamb" of "beta1"; false: no choice names such a key. */
static bool choices_with(const char *word, char *text, size_t size) {
    size_t used = 0;
    *text = 0;
    for (size_t k = 0; k < COUNT(choosers) && !used; k++) {
        const char *const *names = key_find(choosers[k].name)->choices;
        for (int i = 0; names[i]; i++) {
            if (!is_listed(word, choosers[k].keys(i))) continue;
            text_format(text + used, size - used, "%s%s", used ? "|" : "", names[i]);
            used += strlen(text + used);
        }
    }
    return used > 0;
}

/* What the word stands for; false: nothing. */
static bool resolve_word(const char *word, char *text, size_t size) {
    unsigned trait = source_trait(word, strlen(word));
    if (!trait) return choices_with(word, text, size);
    source_list((SourceChoice){0, trait}, "|", "|", text, size);
    return true;
}

void key_condition(const Key *key, char *text, size_t size) {
    const char *rest = key->when ? key->when : "";
    size_t used = 0;
    *text = 0;
    for (const char *mark; (mark = strchr(rest, '{')); used += strlen(text + used)) {
        char word[TERM_MAX];
        size_t length = strcspn(mark, "}");
        CHECK(length <= sizeof word && mark[length], "condition `%s`", key->when);
        text_format(word, sizeof word, "%.*s", (int)length - 1, mark + 1);
        text_format(text + used, size - used, "%.*s", (int)(mark - rest), rest);
        used += strlen(text + used);
        CHECK(resolve_word(word, text + used, size - used), "condition `%s`", key->when);
        rest = mark + length + 1;
    }
    text_format(text + used, size - used, "%s", rest);
}

bool key_has_effect(const Key *key, const Recipe *recipe, char *why, size_t size) {
    char when[KEY_CONDITION_MAX], part[PART_MAX], values[VALUES_MAX];
    key_condition(key, when, sizeof when);
    for (const char *rest = *when ? when : NULL;
         next_piece(&rest, AND, part, sizeof part);) {
        if (part_holds(part, recipe)) continue;
        print_values(part, recipe, values, sizeof values);
        if (why) text_format(why, size, "it needs %s (%s)", part, values);
        return false;
    }
    return true;
}

bool key_acts(const Key *key, const Recipe *recipe, char *why, size_t size) {
    if (key_applies(key, recipe)) return key_has_effect(key, recipe, why, size);
    if (!why) return false;
    if (key->tasks)
        text_format(why, size, "task.kind = %s does not use it", task_name(recipe->task));
    else text_format(why, size, "it is not built in yet");
    return false;
}

void key_when_text(const Key *key, char *text, size_t size) {
    char when[KEY_CONDITION_MAX], part[PART_MAX];
    size_t used = 0;
    *text = 0;
    key_condition(key, when, sizeof when);
    bool several = strstr(when, AND);
    for (const char *rest = *when ? when : NULL;
         next_piece(&rest, AND, part, sizeof part);) {
        bool grouped = several && strstr(part, OR);
        text_format(text + used, size - used, "%s%s%s%s", used ? AND : "",
                    grouped ? "(" : "", part, grouped ? ")" : "");
        used += strlen(text + used);
    }
}
