#include "tools/recipe/habit.h"

#include <string.h>

#include "tools/program/say.h"
#include "tools/recipe/keys.h"

enum { NAME_ROOM = 80 };

/* ---- names ---- */

/* Options of other programs that are options here. */
static const struct {
    const char *name, *option;
} OPTIONS[] = {
    {"output", "--out"},      {"output-dir", "--out"},     {"out-dir", "--out"},
    {"outdir", "--out"},      {"save-dir", "--out"},       {"run-dir", "--out"},
    {"logdir", "--out"},      {"work-dir", "--out"},       {"output-file", "--out"},
    {"k", "--top-k"},         {"topk", "--top-k"},         {"num-beams", "--beam"},
    {"beam-size", "--beam"},  {"max-tokens", "--tokens"},  {"max-new-tokens", "--tokens"},
    {"ckpt", "--checkpoint"}, {"resume-from", "--resume"},
};

static const char *option_by_habit(const Command *command, const char *name) {
    for (size_t i = 0; i < COUNT(OPTIONS); i++)
        if (nearest_same(name, OPTIONS[i].name) &&
            command_find_option(command, OPTIONS[i].option))
            return OPTIONS[i].option;
    return NULL;
}

/* The key of the name alone, such as lr; *count: how many there are. */
static const Key *key_by_name(const char *name, size_t *count) {
    const Key *found = NULL;
    *count = 0;
    for (const Key *key = keys; key < keys + keys_count; key++) {
        if (key->again || !key->tasks || !nearest_same(name, key->name)) continue;
        if (!found) found = key;
        ++*count;
    }
    return found;
}

static void list_keys(const char *name, char *text, size_t size) {
    size_t used = 0;
    *text = 0;
    for (const Key *key = keys; key < keys + keys_count; key++) {
        if (key->again || !key->tasks || !nearest_same(name, key->name)) continue;
        text_format(text + used, size - used, "%s%s.%s=VALUE", used ? " or " : "",
                    key->section, key->name);
        used += strlen(text + used);
    }
}

/* ---- words ---- */

typedef struct Reader {
    const Command *command;
    HabitWords *words;
    int argc, next;
    char **argv;
    bool aloud;
} Reader;

static void keep(Reader *r, char *word) { r->words->argv[r->words->argc++] = word; }

static char *make(Reader *r, const char *before, const char *middle, const char *after) {
    size_t size = strlen(before) + strlen(middle) + strlen(after) + 1;
    char *word = mem_alloc(size);
    text_format(word, size, "%s%s%s", before, middle, after);
    r->words->made[r->words->made_count++] = word;
    return word;
}

static const char *peek(const Reader *r) {
    return r->next < r->argc ? r->argv[r->next] : NULL;
}

static bool is_flag_value(const Key *key, const char *text) {
    Recipe recipe;
    return text && !key_parse(key, &recipe, text, NULL);
}

/* What an option's value is: behind =, or the next word; of a key that is true or false
 * there may be none.  NULL: it is not there. */
static const char *value_of(Reader *r, const Key *key, const char *word) {
    const char *equals = strchr(word, '='), *next = peek(r);
    if (equals) return equals + 1;
    if (key->type == KEY_FLAG && !is_flag_value(key, next)) return "true";
    if (!next || !strcmp(next, "--") || !strncmp(next, "--", 2)) return NULL;
    r->next++;
    return next;
}

static Status take_key(Reader *r, const Key *key, const char *word, const char *value,
                       Err *err) {
    char full[NAME_ROOM];
    int length = (int)strcspn(word, "=");
    text_format(full, sizeof full, "%s.%s", key->section, key->name);
    if (!value)
        return err_set(err, FAIL_USAGE, "%.*s needs a value: write %s=VALUE", length,
                       word, full);
    char *made = make(r, full, "=", value);
    if (r->aloud) say("steady: note: %.*s is read as %s", length, word, made);
    keep(r, made);
    return OK;
}

/* "--no-shuffle" */
static const Key *negated(const char *name) {
    size_t count;
    if (strncmp(name, "no-", 3)) return NULL;
    const Key *key = key_by_name(name + 3, &count);
    return key && count == 1 && key->type == KEY_FLAG ? key : NULL;
}

static Status near_key(const Reader *r, const char *word, const char *name, Err *err) {
    const Key *near = key_near(name, NULL);
    if (!near || command_near_option(r->command, word)) return OK;
    return err_set(
        err, FAIL_USAGE,
        "unknown option %.60s; did you mean %s.%s=VALUE?  -h lists options, `steady "
        "train --help-keys` keys",
        word, near->section, near->name);
}

/* An option that the command does not have. */
static Status take_stranger(Reader *r, char *word, Err *err) {
    char name[NAME_ROOM], list[400];
    size_t length = MIN(strcspn(word + 2, "="), sizeof name - 1), count = 0;
    text_format(name, sizeof name, "%.*s", (int)length, word + 2);
    const char *option = option_by_habit(r->command, name);
    if (option) {
        if (r->aloud) say("steady: note: --%s is read as %s", name, option);
        return keep(r, make(r, option, word + 2 + length, "")), OK;
    }
    const Key *key = key_find(name), *against = negated(name);
    if (!key) key = key_by_name(name, &count);
    if (count > 1) {
        list_keys(name, list, sizeof list);
        return err_set(err, FAIL_USAGE, "--%s is ambiguous; write %s", name, list);
    }
    if (!key) key = key_by_alias(name);
    if (key) return take_key(r, key, word, value_of(r, key, word), err);
    if (against) return take_key(r, against, word, "false", err);
    keep(r, word);
    return near_key(r, word, name, err);
}

/* ---- section.key = value ---- */

/* Does the key of "key=" need a value, so that the next word is it? */
static bool needs_value(const char *word) {
    char name[NAME_ROOM];
    size_t length = strlen(word);
    if (!length || word[length - 1] != '=' || length >= sizeof name) return false;
    text_format(name, sizeof name, "%.*s", (int)length - 1, word);
    const Key *key = key_find(name);
    return key && key->type != KEY_TEXT && key->type != KEY_REALS;
}

static bool is_value(const char *word) {
    return word && !strchr(word, '=') && strncmp(word, "--", 2) != 0;
}

/* "key", "=", "3" and what else a shell makes of blanks around the sign. */
static void take_word(Reader *r, char *word) {
    const char *next = peek(r);
    bool keyed = strchr(word, '.') && !strchr(word, '=') && next && *next == '=';
    if (keyed) word = make(r, word, r->argv[r->next++], "");
    bool open = keyed ? word[strlen(word) - 1] == '=' : needs_value(word);
    bool joins = open && is_value(peek(r));
    keep(r, joins ? make(r, word, r->argv[r->next++], "") : word);
}

static Status take_next(Reader *r, Err *err) {
    char *word = r->argv[r->next++];
    if (!option_is(word)) return take_word(r, word), OK;
    const Option *option = command_find_option(r->command, word);
    if (!option && !strncmp(word, "--", 2)) return take_stranger(r, word, err);
    keep(r, word);
    if (option && option_takes_value(option) && !strchr(word, '=') && peek(r))
        keep(r, r->argv[r->next++]);
    return OK;
}

Status habit_words(const Command *command, int argc, char **argv, bool aloud,
                   HabitWords *words, Err *err) {
    size_t room = (size_t)argc + 1;
    *words = (HabitWords){.argv = mem_zarray(room, sizeof(char *)),
                          .made = mem_zarray(2 * room, sizeof(char *))};
    Reader r = {command, words, argc, 0, argv, aloud};
    bool keys_taken = command->offers & OFFER_KEY;
    for (bool changes = keys_taken; r.next < argc && !err->status;) {
        changes = changes && strcmp(argv[r.next], "--");
        if (!changes || !r.next) keep(&r, argv[r.next++]);
        else take_next(&r, err);
    }
    return err->status;
}

void habit_free(HabitWords *words) {
    for (size_t i = 0; i < words->made_count; i++) mem_free(words->made[i]);
    mem_free(words->made);
    mem_free(words->argv);
    *words = (HabitWords){0};
}
