/* search: `steady search WORD ...` - the command, key, recipe or page for a thing.
 *
 * Each entry is a head and a sentence.  A word of the question counts the more the fewer
 * entries have it, and in a head more than in a sentence; words that mean the same to a
 * newcomer (tools/command/search_words.c) count nearly as much.  The best come first. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/command/search_words.h"
#include "tools/commands.h"
#include "tools/program/help.h"
#include "tools/recipe/builtin.h"
#include "tools/recipe/keys.h"

enum { ENTRIES_MOST = 1500, SHOWN_MOST = 10, WIDTH = 96, HEAD_MOST = 44 };

/* Shown are entries with more than this share of the best one's points. */
static const double SHARE_SHOWN = 0.5;

/* A word that is a value of a key, to one that is in its sentence. */
static const double VALUE_COUNTS = 1.5;

/* ---- entries ---- */

typedef struct Entry {
    char head[80], text[400];
    char values[300]; /* of a key that chooses among words */
    double weight;    /* of its kind: a sentence that answers a question says more */
    double points;
    size_t place; /* in which it was met */
} Entry;

typedef struct Entries {
    Entry *entry; /* [ENTRIES_MOST] */
    size_t count;
} Entries;

static void add_entry(Entries *list, const char *head, const char *text, double weight) {
    if (list->count == ENTRIES_MOST) return;
    Entry *e = &list->entry[list->count];
    *e = (Entry){.weight = weight, .place = list->count++};
    text_format(e->head, sizeof e->head, "%.79s", head);
    text_format(e->text, sizeof e->text, "%.399s", text);
    for (char *c = e->text; *c; c++) *c = *c == '\n' ? ' ' : *c;
}

/* ---- points ---- */

/* How well the text has the word: as a whole word 1, at the beginning of one less; 0: not
 * at all.  A short word has to be a whole one, or its plural. */
static double match(const char *text, const char *word) {
    size_t length = strlen(word);
    double best = 0;
    for (const char *at = text; *at; at++) {
        if (at != text && isalnum((unsigned char)at[-1])) continue;
        if (strncasecmp(at, word, length)) continue;
        size_t more = 0;
        while (isalnum((unsigned char)at[length + more])) more++;
        if (more <= 1) return 1;
        if (length > 3) best = fmax(best, more <= 3 ? 0.9 : 0.6);
    }
    return best;
}

static double match_any(const char *text, const SearchWord *word) {
    double best = match(text, word->text);
    for (size_t i = 0; i < word->like_count; i++)
        best = fmax(best, 0.8 * match(text, word->like[i]));
    return best;
}

/* A value counts as a whole word alone. */
static double match_entry(const Entry *e, const SearchWord *word) {
    double value = match(e->values, word->text) == 1 ? VALUE_COUNTS : 0;
    return fmax(value, fmax(1.4 * match_any(e->head, word), match_any(e->text, word)));
}

static void give_points(Entries *list, const SearchWord *word) {
    double having = 0;
    for (size_t i = 0; i < list->count; i++)
        having += match_entry(&list->entry[i], word) > 0;
    double rare = log(1 + (double)list->count / fmax(having, 1));
    for (size_t i = 0; i < list->count; i++)
        list->entry[i].points += rare * match_entry(&list->entry[i], word);
}

static int by_points(const void *a, const void *b) {
    const Entry *x = a, *y = b;
    if (x->points != y->points) return x->points > y->points ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

static void rank(Entries *list, const SearchWords *words) {
    for (size_t i = 0; i < words->count; i++) give_points(list, &words->word[i]);
    for (size_t i = 0; i < list->count; i++) {
        Entry *e = &list->entry[i];
        e->points *= e->weight / (1 + (double)strlen(e->text) / 1500);
    }
    qsort(list->entry, list->count, sizeof *list->entry, by_points);
}

/* ---- what is printed ---- */

static void print_entry(const Entry *e, int room) {
    size_t width = (size_t)(WIDTH - room - 4), length = strlen(e->text);
    bool cut = length > width;
    while (cut && width && e->text[width] != ' ') width--;
    printf("  %-*.*s  %.*s%s\n", room, HEAD_MOST, e->head, (int)(cut ? width : length),
           e->text, cut ? " ..." : "");
}

static void print_best(const Entries *list) {
    size_t shown = 0, room = 12;
    double least = SHARE_SHOWN * list->entry[0].points;
    while (shown < MIN(list->count, (size_t)SHOWN_MOST) &&
           list->entry[shown].points >= least) {
        room = MAX(room, MIN(strlen(list->entry[shown].head), (size_t)HEAD_MOST));
        shown++;
    }
    for (size_t i = 0; i < shown; i++) print_entry(&list->entry[i], (int)room);
    puts("To explain one: steady COMMAND -h, steady help KEY, steady recipes NAME");
}

/* ---- where it looks ---- */

/* Lines of a help text with a command or a page, blanks, and what it is for. */
static void look_at_help(const char *text, Entries *list) {
    HelpLine line;
    while (help_next(&text, &line)) {
        char copy[300], *does;
        if (line.kind != HELP_TEXT || line.length >= (int)sizeof copy) continue;
        text_format(copy, sizeof copy, "%.*s", line.length, line.start);
        char *start = copy + strspn(copy, " ");
        bool command = !strncmp(start, "steady ", 7) || !strncmp(start, "mpirun ", 7);
        bool page = !strncmp(start, "docs/", 5);
        if ((!command && !page) || !(does = strstr(start, "   "))) continue;
        *does++ = 0;
        add_entry(list, start, does + strspn(does, " "), page ? 1 : 1.25);
    }
}

static void look_at_commands(Entries *list) {
    for (const Command *const *c = commands; *c; c++) {
        char head[80];
        text_format(head, sizeof head, "steady %s", (*c)->name);
        add_entry(list, head, (*c)->sentence, 1.1);
        look_at_help(help_text((*c)->name), list);
        for (const Option *o = (*c)->options; o->name; o++) {
            if (!o->sentence || !strcmp(o->name, "--help")) continue;
            text_format(head, sizeof head, "steady %s %s%s%.20s", (*c)->name, o->name,
                        o->value ? " " : "", o->value ? o->value : "");
            add_entry(list, head, o->sentence, 0.9);
        }
    }
}

static void look_at_keys(Entries *list) {
    for (const Key *key = keys; key < keys + keys_count; key++) {
        char head[80];
        if (key->again || !key_is_stored(key)) continue;
        text_format(head, sizeof head, "%s.%s", key->section, key->name);
        add_entry(list, head, key->sentence, 1);
        if (key->type == KEY_CHOICE && list->count)
            key_wanted(key, list->entry[list->count - 1].values,
                       sizeof list->entry->values);
    }
}

static void look_at_recipes(Entries *list) {
    for (size_t i = 0; i < recipes_builtin_count; i++) {
        char sentence[300];
        const char *text = recipes_builtin[i].text;
        text += strspn(text, ";# ");
        text_format(sentence, sizeof sentence, "%.*s",
                    (int)MIN(strcspn(text, "\n"), sizeof sentence - 1), text);
        add_entry(list, recipes_builtin[i].name, sentence, 0.9);
    }
}

/* ---- the command ---- */

static Status search(const SearchWords *words, Err *err) {
    Entries list = {.entry = mem_zalloc(ENTRIES_MOST * sizeof *list.entry)};
    look_at_commands(&list);
    look_at_keys(&list);
    look_at_recipes(&list);
    rank(&list, words);
    if (list.entry[0].points > 0) print_best(&list);
    else
        err_set(err, FAIL_USAGE,
                "nothing found for these words; `steady help` lists commands, `steady "
                "train --help-keys` keys, `steady recipes` recipes");
    mem_free(list.entry);
    return err->status;
}

static Status read_word(void *options, char *word, Err *err) {
    SearchWords *words = options;
    (void)err;
    for (size_t length; *word; word += length) {
        word += strspn(word, " \t\n");
        length = strcspn(word, " \t\n");
        search_words_add(words, word, length);
    }
    return OK;
}

static const Option OPTIONS[] = {OPTION_HELP, {0}};

static int run_search(int argc, char **argv) {
    Err err = ERR_NONE;
    SearchWords words = {.count = 0};
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
