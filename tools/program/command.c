#include "tools/program/command.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/program/nearest.h"

enum { NAME_MOST = 1024, OPTIONS_MOST = 64, SHOWN = 60 };

int command_fail(const char *command, const Err *err) {
    fprintf(stderr, "steady%s%s: %s\n", *command ? " " : "", command, err->text);
    return (int)err->status;
}

Status command_unexpected(const char *word, const char *behind, Err *err) {
    return err_set(err, FAIL_USAGE, "unexpected argument %.*s%s%.*s; see -h", SHOWN, word,
                   behind ? " after " : "", SHOWN, behind ? behind : "");
}

Status command_check_name(const char *what, const char *name, Err *err) {
    if (strlen(name) < NAME_MOST) return OK;
    return err_set(err, FAIL_USAGE, "%s %.*s...: the name is too long", what, SHOWN,
                   name);
}

/* ---- values ---- */

bool option_takes_value(const Option *option) {
    return option->kind != OPTION_FLAG && option->kind != OPTION_SHOW;
}

/* "a, b or c" */
static void join_choices(const char *const *choices, char *text, size_t size) {
    *text = 0;
    for (size_t i = 0; choices[i]; i++) {
        size_t used = strlen(text);
        const char *before = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
        text_format(text + used, size - used, "%s%s", before, choices[i]);
    }
}

void option_wanted(const Option *option, char *text, size_t size) {
    bool whole = option->kind == OPTION_WHOLE;
    const char *what = whole ? "a whole number" : "a number";
    if (option->kind == OPTION_CHOICE) join_choices(option->choices, text, size);
    else if (option->kind == OPTION_NAME)
        text_format(text, size, "%s",
                    option->offers == OFFER_FILE ? "a file" : "a folder");
    else if (!whole && option->kind != OPTION_NUMBER) text_format(text, size, "a value");
    else if (option->max > 0)
        text_format(text, size, "%s from %g to %g", what, option->min, option->max);
    else if (whole && option->min == 0) text_format(text, size, "%s", what);
    else text_format(text, size, "%s >= %g", what, option->min);
}

static Status refuse(const Option *option, const char *text, Err *err) {
    char wanted[200];
    option_wanted(option, wanted, sizeof wanted);
    return err_set(err, FAIL_USAGE, "%s %.*s: expected %s", option->name, SHOWN, text,
                   wanted);
}

static void *place_of(const Option *option, void *options) {
    return (char *)options + option->place;
}

static Status read_text(const Option *option, void *options, const char *text, Err *err) {
    (void)err;
    *(const char **)place_of(option, options) = text;
    return OK;
}

static Status read_name(const Option *option, void *options, const char *text, Err *err) {
    if (command_check_name(option->name, text, err)) return err->status;
    return read_text(option, options, text, err);
}

static bool is_within(const Option *option, double value) {
    return value >= option->min && (option->max == 0 || value <= option->max);
}

static Status read_whole(const Option *option, void *options, const char *text,
                         Err *err) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || !is_within(option, (double)value))
        return refuse(option, text, err);
    *(size_t *)place_of(option, options) = (size_t)value;
    return OK;
}

static Status read_number(const Option *option, void *options, const char *text,
                          Err *err) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value) || !is_within(option, value))
        return refuse(option, text, err);
    *(double *)place_of(option, options) = value;
    return OK;
}

static Status read_choice(const Option *option, void *options, const char *text,
                          Err *err) {
    int *choice = place_of(option, options);
    for (int i = 0; option->choices[i]; i++)
        if (!strcmp(text, option->choices[i])) return *choice = i, OK;
    return refuse(option, text, err);
}

static Status read_value(const Option *option, void *options, const char *text,
                         Err *err) {
    switch (option->kind) {
    case OPTION_TEXT: return read_text(option, options, text, err);
    case OPTION_NAME: return read_name(option, options, text, err);
    case OPTION_WHOLE: return read_whole(option, options, text, err);
    case OPTION_NUMBER: return read_number(option, options, text, err);
    case OPTION_CHOICE: return read_choice(option, options, text, err);
    case OPTION_OWN: return option->read(option, options, text, err);
    case OPTION_FLAG:
    case OPTION_SHOW: break;
    }
    return OK;
}

/* ---- options ---- */

const Option *command_find_option(const Command *command, const char *word) {
    size_t length = strcspn(word, "=");
    for (const Option *o = command->options; o->name; o++) {
        const char *names[] = {o->name, o->letter ? o->letter : o->name};
        for (size_t i = 0; i < COUNT(names); i++)
            if (strlen(names[i]) == length && !memcmp(names[i], word, length)) return o;
    }
    return NULL;
}

bool option_is(const char *word) { return word[0] == '-' && word[1]; }

/* The shortest name that begins as an abbreviation does; else the nearest, dashes
 * aside. */
const char *command_near_option(const Command *command, const char *word) {
    const char *names[OPTIONS_MOST + 1] = {0}, *longer = NULL;
    char bare[SHOWN];
    size_t length = strcspn(word, "="), dashes = strspn(word, "-"), count = 0;
    if (length <= dashes) return NULL;
    for (const Option *o = command->options; o->name; o++) {
        names[count++] = o->name + 2;
        if (length < 3 || strncmp(o->name, word, length)) continue;
        if (!longer || strlen(o->name) < strlen(longer)) longer = o->name;
    }
    if (longer) return longer;
    text_format(bare, sizeof bare, "%.*s", (int)MIN(length - dashes, sizeof bare - 1),
                word + dashes);
    const char *near = nearest_word(bare, names);
    return near ? near - 2 : NULL;
}

static bool has_option(const Command *command, const char *name) {
    for (const Option *o = command->options; o->name; o++)
        if (!strcmp(o->name, name)) return true;
    return false;
}

static Status unknown(const Command *command, const char *word, Err *err) {
    if (!strcmp(word, "-o") && has_option(command, "--out"))
        return err_set(err, FAIL_USAGE, "unknown option -o; the folder is --out DIR");
    const char *nearest = command_near_option(command, word);
    return err_set(err, FAIL_USAGE, "unknown option %.*s; %s%s%s-h lists the options",
                   SHOWN, word, nearest ? "did you mean " : "", nearest ? nearest : "",
                   nearest ? "?  " : "");
}

/* word: the option as it was typed, "-o" or "--out=" */
static Status need_value(const Option *option, const char *word, Err *err) {
    char wanted[200];
    bool named = option->kind == OPTION_NAME;
    if (named) option_wanted(option, wanted, sizeof wanted);
    const char *wants = option->wants ? option->wants : named ? wanted : "a value";
    return err_set(err, FAIL_USAGE, "%.*s needs %s", (int)strcspn(word, "="), word,
                   wants);
}

typedef struct Reader {
    const Command *command;
    void *options;
    int argc, next; /* argv[next] is the word to read */
    char **argv;
    uint64_t given;
} Reader;

static Status set_flag(const Reader *r, const Option *option, bool joined, Err *err) {
    if (joined) return err_set(err, FAIL_USAGE, "%s takes no value", option->name);
    if (option->kind == OPTION_FLAG) *(bool *)place_of(option, r->options) = true;
    return OK;
}

static Status read_option(Reader *r, Err *err) {
    const char *word = r->argv[r->next++], *equals = strchr(word, '=');
    const Option *option = command_find_option(r->command, word);
    if (!option) return unknown(r->command, word, err);
    r->given |= (uint64_t)1 << (option - r->command->options);
    if (!option_takes_value(option)) return set_flag(r, option, equals, err);
    const char *value = equals ? equals + 1 : NULL;
    if (!equals && r->next < r->argc) value = r->argv[r->next++];
    if (!value || (!*value && option->kind != OPTION_TEXT))
        return need_value(option, word, err);
    return read_value(option, r->options, value, err);
}

static Status read_word(const Reader *r, char *word, Err *err) {
    if (!r->command->word) return command_unexpected(word, NULL, err);
    return r->command->word(r->options, word, err);
}

Status command_read(const Command *command, void *options, int argc, char **argv,
                    uint64_t *given, Err *err) {
    Reader r = {.command = command, .options = options, .argc = argc, .argv = argv};
    Status status = OK;
    bool words = false; /* behind "--" */
    for (r.next = 1; r.next < argc && !status;) {
        char *word = argv[r.next];
        if (!words && !strcmp(word, "--")) words = true, r.next++;
        else if (!words && option_is(word)) status = read_option(&r, err);
        else r.next++, status = read_word(&r, word, err);
    }
    if (given) *given = r.given;
    return status;
}

int command_shows(const Command *command, int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        const Option *option = NULL;
        if (option_is(argv[i])) option = command_find_option(command, argv[i]);
        bool joined = option && strchr(argv[i], '=');
        if (!option || (joined && !option->show_of)) continue;
        if (option->kind == OPTION_SHOW) return i;
        bool next = option_takes_value(option) && i + 1 < argc;
        if (next && !strcmp(argv[i + 1], "--")) i++; /* its value, which ends nothing */
    }
    return 0;
}
