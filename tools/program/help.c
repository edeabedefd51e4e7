#include "tools/program/help.h"

#include <string.h>

enum { HEAD_SIZE = 80, COLUMN = 18, HEAD_MOST = 16 };

const char *help_text(const char *name) {
    size_t i = 0;
    while (i < help_builtin_count && strcmp(help_builtin[i].name, name)) i++;
    CHECK(i < help_builtin_count, "tools/help/%s.txt is missing", name);
    return help_builtin[i].text;
}

/* ---- lines ---- */

static const char *const WORDS[] = {[HELP_OPTIONS] = "@options",
                                    [HELP_MORE] = "@more",
                                    [HELP_SECTION] = "@section",
                                    [HELP_MANUAL] = "@manual"};

bool help_next(const char **text, HelpLine *line) {
    const char *start = *text;
    if (!*start) return false;
    size_t length = strcspn(start, "\n"), word = strcspn(start, " \n");
    *text = start + length + (start[length] == '\n');
    *line = (HelpLine){start, (int)length, HELP_TEXT};
    if (*start != '@') return true;
    for (int kind = HELP_OPTIONS; kind <= HELP_MANUAL; kind++)
        if (strlen(WORDS[kind]) == word && !memcmp(WORDS[kind], start, word))
            line->kind = kind;
    CHECK(line->kind, "a help text has %.*s", (int)length, start);
    size_t skip = MIN(word + 1, length);
    line->start = start + skip;
    line->length = (int)(length - skip);
    return true;
}

static bool names_option(const HelpLine *line, const char *name) {
    size_t length = strlen(name);
    for (const char *at = line->start, *end = at + line->length; at < end;) {
        size_t word = MIN(strcspn(at, " \n"), (size_t)(end - at));
        if (word == length && !memcmp(at, name, length)) return true;
        at += word + 1;
    }
    return false;
}

bool help_lists(const char *text, const HelpLine *line, const Option *option) {
    HelpLine other;
    if (line->length) return names_option(line, option->name);
    while (help_next(&text, &other))
        if (other.kind == HELP_OPTIONS && names_option(&other, option->name))
            return false;
    return true;
}

/* ---- options ---- */

void help_head(const Option *option, char *head, size_t size) {
    text_format(head, size, "%s%s%s%s%s", option->letter ? option->letter : "",
                option->letter ? ", " : "", option->name, option->value ? " " : "",
                option->value ? option->value : "");
}

/* Sentences begin where most commands' do, or behind a longer head. */
static int column_of(const Command *command) {
    int column = COLUMN;
    for (const Option *o = command->options; o->name; o++) {
        char head[HEAD_SIZE];
        help_head(o, head, sizeof head);
        if (strlen(head) <= HEAD_MOST && strlen(head) + 4 > COLUMN) column = COLUMN + 2;
    }
    return column;
}

static void print_sentence(const char *sentence, int column, FILE *out) {
    size_t length = strcspn(sentence, "\n");
    fprintf(out, "%.*s\n", (int)length, sentence);
    if (!sentence[length]) return;
    fprintf(out, "%*s", column, "");
    print_sentence(sentence + length + 1, column, out);
}

/* A head that is too long has a line of its own. */
static void print_option(const Option *option, int column, FILE *out) {
    char head[HEAD_SIZE];
    help_head(option, head, sizeof head);
    bool fits = strlen(head) <= HEAD_MOST;
    if (fits) fprintf(out, "  %-*s", column - 2, head);
    else fprintf(out, "  %s\n%*s", head, column, "");
    print_sentence(option->sentence, column, out);
}

static void print_options(const Command *command, const char *text, const HelpLine *line,
                          FILE *out) {
    int column = column_of(command);
    for (const Option *o = command->options; o->name; o++)
        if (help_lists(text, line, o)) print_option(o, column, out);
}

void help_print(const Command *command, FILE *out) {
    const char *text = help_text(command->name), *rest = text;
    HelpLine line;
    while (help_next(&rest, &line) && line.kind != HELP_MANUAL) {
        if (line.kind == HELP_TEXT) fprintf(out, "%.*s\n", line.length, line.start);
        if (line.kind == HELP_OPTIONS) print_options(command, text, &line, out);
        if (line.kind == HELP_MORE) command->more(out);
    }
}

/* `--help-keys optim`, or `--help-keys=optim`; NULL: no such word. */
static const char *shown_word(int at, int argc, char **argv) {
    const char *joined = strchr(argv[at], '=');
    if (joined) return joined + 1;
    return at + 1 < argc && !option_is(argv[at + 1]) ? argv[at + 1] : NULL;
}

bool help_show(const Command *command, int argc, char **argv, int *code) {
    Err err = ERR_NONE;
    int at = command_shows(command, argc, argv);
    if (!at) return false;
    const Option *option = command_find_option(command, argv[at]);
    const char *word = option->show_of ? shown_word(at, argc, argv) : NULL;
    *code = OK;
    if (word && option->show_of(word, stdout, &err))
        *code = command_fail(command->name, &err);
    else if (!word && option->show) option->show(stdout);
    else if (!word) help_print(command, stdout);
    return true;
}
