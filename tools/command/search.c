/* search: `steady search WORD ...` - the command, option, key or recipe for a thing. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tools/commands.h"
#include "tools/program/help.h"
#include "tools/recipe/builtin.h"
#include "tools/recipe/keys.h"

enum { WORDS_MOST = 16, ROOM = 40, LINES_MOST = 12, WIDTH = 96 };

typedef struct Words {
    char word[WORDS_MOST][ROOM];
    size_t count;
} Words;

/* ---- words ---- */

static bool is_filler(const char *word) {
    static const char *const FILLERS[] = {"a",    "an",   "and",  "are",   "can",   "do",
                                          "does", "for",  "from", "get",   "have",  "how",
                                          "i",    "in",   "is",   "it",    "me",    "my",
                                          "of",   "on",   "or",   "the",   "to",    "use",
                                          "was",  "what", "when", "where", "which", "who",
                                          "why",  "will", "with", "you"};
    for (size_t i = 0; i < COUNT(FILLERS); i++)
        if (!strcasecmp(word, FILLERS[i])) return true;
    return false;
}

/* "collapses" and "collapsed" find "collapse". */
static void cut_ending(char *word) {
    static const char *const ENDINGS[] = {"ing", "ed", "es", "s", "e"};
    size_t length = strlen(word);
    for (size_t i = 0; i < COUNT(ENDINGS); i++) {
        size_t end = strlen(ENDINGS[i]);
        if (length < end + 4 || strcmp(word + length - end, ENDINGS[i])) continue;
        word[length - end] = 0;
        return;
    }
}

static void add_word(Words *words, const char *start, size_t length) {
    char word[ROOM];
    while (length && strchr("?!.,;:'\"", start[length - 1])) length--;
    text_format(word, sizeof word, "%.*s", (int)MIN(length, (size_t)ROOM - 1), start);
    if (!length || words->count == WORDS_MOST || is_filler(word)) return;
    cut_ending(word);
    text_format(words->word[words->count++], ROOM, "%s", word);
}

/* Does the text hold the word at the beginning of one of its own? */
static bool holds(const char *text, const char *word) {
    size_t length = strlen(word);
    for (const char *at = text; *at; at++)
        if ((at == text || !isalnum((unsigned char)at[-1])) &&
            !strncasecmp(at, word, length))
            return true;
    return false;
}

/* How many of the words are in one of the two texts. */
static size_t score(const Words *words, const char *head, const char *text) {
    size_t found = 0;
    for (size_t i = 0; i < words->count; i++)
        found += holds(head, words->word[i]) || holds(text, words->word[i]);
    return found;
}

/* ---- what was found ---- */

typedef struct Found {
    char head[80], text[400];
    size_t score;
} Found;

/* In the order in which they were met; the best alone are printed. */
typedef struct List {
    Found found[256];
    size_t count, best;
} List;

static void offer(List *list, const Words *words, const char *head, const char *text) {
    Found *f = &list->found[list->count];
    size_t points = score(words, head, text);
    if (!points || list->count == COUNT(list->found)) return;
    text_format(f->head, sizeof f->head, "%.79s", head);
    text_format(f->text, sizeof f->text, "%.399s", text);
    for (char *c = f->text; *c; c++) *c = *c == '\n' ? ' ' : *c;
    f->score = points;
    list->best = MAX(list->best, points);
    list->count++;
}

static void print_found(const Found *f, int room) {
    size_t width = (size_t)(WIDTH - room - 4), length = strlen(f->text);
    bool cut = length > width;
    while (cut && width && f->text[width] != ' ') width--;
    printf("  %-*s  %.*s%s\n", room, f->head, (int)(cut ? width : length), f->text,
           cut ? " ..." : "");
}

/* Those with most of the words, if others of another list have no more. */
static void print_list(const List *list, const char *title, size_t best) {
    size_t shown = 0, all = 0, room = 12;
    if (!list->count || list->best < best) return;
    for (size_t i = 0; i < list->count; i++)
        if (list->found[i].score == best)
            room = MAX(room, MIN(strlen(list->found[i].head), (size_t)44));
    puts(title);
    for (size_t i = 0; i < list->count; i++) {
        if (list->found[i].score < best || ++all > LINES_MOST) continue;
        print_found(&list->found[i], (int)room);
        shown++;
    }
    if (all > shown) printf("  ... and %zu more\n", all - shown);
}

/* ---- where it looks ---- */

/* Lines of a help text with a command, blanks, and what it does. */
static void look_at_help(const char *text, const Words *words, List *list) {
    HelpLine line;
    while (help_next(&text, &line)) {
        char copy[300], *does;
        if (line.kind != HELP_TEXT || line.length >= (int)sizeof copy) continue;
        text_format(copy, sizeof copy, "%.*s", line.length, line.start);
        char *start = copy + strspn(copy, " ");
        if ((strncmp(start, "steady ", 7) && strncmp(start, "mpirun ", 7)) ||
            !(does = strstr(start, "   ")))
            continue;
        *does++ = 0;
        offer(list, words, start, does + strspn(does, " "));
    }
}

static void look_at_commands(const Words *words, List *list) {
    for (const Command *const *c = commands; *c; c++) {
        char head[80];
        text_format(head, sizeof head, "steady %s", (*c)->name);
        offer(list, words, head, (*c)->sentence);
        look_at_help(help_text((*c)->name), words, list);
        for (const Option *o = (*c)->options; o->name; o++) {
            if (!o->sentence || !strcmp(o->name, "--help")) continue;
            text_format(head, sizeof head, "steady %s %s%s%.20s", (*c)->name, o->name,
                        o->value ? " " : "", o->value ? o->value : "");
            offer(list, words, head, o->sentence);
        }
    }
}

static void look_at_keys(const Words *words, List *list) {
    for (const Key *key = keys; key < keys + keys_count; key++) {
        char head[80];
        if (key->again || !key_is_stored(key)) continue;
        text_format(head, sizeof head, "%s.%s", key->section, key->name);
        offer(list, words, head, key->sentence);
    }
}

static void look_at_recipes(const Words *words, List *list) {
    for (size_t i = 0; i < recipes_builtin_count; i++) {
        char sentence[300];
        const char *text = recipes_builtin[i].text;
        text += strspn(text, ";# ");
        text_format(sentence, sizeof sentence, "%.*s",
                    (int)MIN(strcspn(text, "\n"), sizeof sentence - 1), text);
        offer(list, words, recipes_builtin[i].name, sentence);
    }
}

/* ---- the command ---- */

static Status search(const Words *words, Err *err) {
    List *list = mem_zalloc(3 * sizeof *list);
    look_at_commands(words, &list[0]);
    look_at_keys(words, &list[1]);
    look_at_recipes(words, &list[2]);
    size_t best = MAX(list[0].best, MAX(list[1].best, list[2].best));
    if (best) {
        print_list(&list[0], "Commands (steady COMMAND -h explains one)", best);
        print_list(&list[1], "Keys of recipes (steady help KEY explains one)", best);
        print_list(&list[2], "Recipes (steady recipes NAME prints one)", best);
    } else {
        err_set(err, FAIL_USAGE,
                "nothing found for these words; `steady help` lists commands, `steady "
                "train --help-keys` keys, `steady recipes` recipes");
    }
    mem_free(list);
    return err->status;
}

static Status read_word(void *options, char *word, Err *err) {
    Words *words = options;
    (void)err;
    for (size_t length; *word; word += length) {
        word += strspn(word, " \t\n");
        length = strcspn(word, " \t\n");
        add_word(words, word, length);
    }
    return OK;
}

static const Option OPTIONS[] = {OPTION_HELP, {0}};

static int run_search(int argc, char **argv) {
    Err err = ERR_NONE;
    Words words = {.count = 0};
    if (!command_read(&search_command, &words, argc, argv, NULL, &err) && !words.count)
        err_set(&err, FAIL_USAGE,
                "no words given, such as: steady search which heads collapse");
    if (err.status || search(&words, &err)) return command_fail("search", &err);
    return OK;
}

const Command search_command = {
    .name = "search",
    .sentence = "find the command, option, key or recipe for a purpose",
    .run = run_search,
    .options = OPTIONS,
    .word = read_word,
};
