/* recipes: `steady recipes [NAME|WORD ...]` - the built-in recipes. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tools/commands.h"
#include "tools/recipe/builtin.h"
#include "tools/recipe/keys.h"

enum { FAMILY = 8, ROOM = 23 }; /* so many of a name's start are one line of the list */

static TaskKind task_of(size_t i) {
    Recipe recipe = recipe_default();
    Err err = ERR_NONE;
    CHECK(!recipe_load(&recipe, recipes_builtin[i].name, &err), "%s", err.text);
    return recipe.task;
}

/* ---- one line ---- */

/* The first comment's sentence, without its #; *length bytes. */
static const char *sentence_of(size_t i, size_t *length) {
    const char *start = recipes_builtin[i].text;
    start += strspn(start, ";# ");
    *length = strcspn(start, "\n");
    return start;
}

static void print_line(const char *name, const char *sentence, size_t length, int room) {
    printf("  %-*s  %.*s\n", room, name, (int)length, sentence);
}

static void print_recipe_line(size_t i, int room) {
    size_t length;
    const char *sentence = sentence_of(i, &length);
    print_line(recipes_builtin[i].name, sentence, length, room);
}

/* ---- families: names with one start, "wmt17-..." ---- */

/* One behind the last of those whose names begin as that of i does, up to the first
 * "-". */
static size_t family_end(size_t i) {
    const char *name = recipes_builtin[i].name;
    size_t start = strcspn(name, "-"), end = i + 1;
    while (end < recipes_builtin_count &&
           strcspn(recipes_builtin[end].name, "-") == start &&
           !strncmp(recipes_builtin[end].name, name, start))
        end++;
    return end;
}

/* Does a word of one of them go on behind its first `length` bytes? */
static bool cuts_word(size_t i, size_t end, size_t length) {
    size_t whole;
    for (size_t k = i; k < end; k++) {
        const char *sentence = sentence_of(k, &whole);
        if (length < whole && isalnum((unsigned char)sentence[length])) return true;
    }
    return false;
}

/* What the sentences of recipes [i, end) have in common at their start, whole words. */
static size_t common_start(size_t i, size_t end) {
    size_t length, other;
    const char *first = sentence_of(i, &length);
    for (size_t k = i + 1; k < end; k++) {
        const char *sentence = sentence_of(k, &other);
        size_t same = 0;
        while (same < MIN(length, other) && first[same] == sentence[same]) same++;
        length = same;
    }
    if (cuts_word(i, end, length))
        while (length && first[length - 1] != ' ') length--;
    while (length && strchr(" ,:", first[length - 1])) length--;
    return length;
}

static void print_family(size_t i, size_t end) {
    char name[64], sentence[256];
    size_t length, start = strcspn(recipes_builtin[i].name, "-");
    const char *first = sentence_of(i, &length);
    text_format(name, sizeof name, "%.*s-...", (int)start, recipes_builtin[i].name);
    text_format(sentence, sizeof sentence, "%.*s: %zu recipes, `steady recipes %.*s`",
                (int)common_start(i, end), first, end - i, (int)start,
                recipes_builtin[i].name);
    print_line(name, sentence, strlen(sentence), ROOM);
}

/* ---- lists ---- */

static void list_task(TaskKind task) {
    puts(task_heading(task));
    for (size_t i = 0, end; i < recipes_builtin_count; i = end) {
        end = family_end(i);
        bool family = end - i >= FAMILY && common_start(i, end);
        if (!family) end = i + 1;
        if (task_of(i) != task) continue;
        if (family) print_family(i, end);
        else print_recipe_line(i, ROOM);
    }
}

static int list_recipes(void) {
    for (TaskKind task = 0; task < TASK_KINDS; task++) {
        if (task) putchar('\n');
        list_task(task);
    }
    return OK;
}

/* How many there are. */
static size_t list_start(const char *start) {
    size_t count = 0, room = 0;
    for (size_t i = 0; i < recipes_builtin_count; i++)
        if (!strncmp(recipes_builtin[i].name, start, strlen(start)))
            room = MAX(room, strlen(recipes_builtin[i].name));
    for (size_t i = 0; i < recipes_builtin_count; i++) {
        if (strncmp(recipes_builtin[i].name, start, strlen(start))) continue;
        print_recipe_line(i, (int)room);
        count++;
    }
    return count;
}

/* ---- by words ---- */

enum { WORDS_MOST = 16 };

typedef struct Words {
    const char *word[WORDS_MOST];
    size_t count;
} Words;

/* Is the word, capitals aside, in the first `length` bytes of the text? */
static bool holds(const char *text, size_t length, const char *word) {
    size_t size = strlen(word);
    for (size_t at = 0; at + size <= length; at++)
        if (!strncasecmp(text + at, word, size)) return true;
    return false;
}

/* In its name, its sentence, the heading of its task, or the source of its data. */
static bool recipe_holds(size_t i, const char *word) {
    Recipe recipe = recipe_default();
    Err err = ERR_NONE;
    char source[KEY_VALUE_MAX];
    const char *name = recipes_builtin[i].name;
    size_t length;
    const char *sentence = sentence_of(i, &length);
    CHECK(!recipe_load(&recipe, name, &err) &&
              !recipe_get(&recipe, "data.source", source, sizeof source, &err),
          "%s", err.text);
    const char *heading = task_heading(recipe.task);
    return holds(name, strlen(name), word) || holds(sentence, length, word) ||
           holds(heading, strlen(heading), word) || holds(source, strlen(source), word);
}

static bool recipe_fits(size_t i, const Words *words) {
    for (size_t k = 0; k < words->count; k++)
        if (!recipe_holds(i, words->word[k])) return false;
    return true;
}

/* How many there are. */
static size_t list_fitting(const Words *words) {
    size_t count = 0, room = 0;
    bool *fits = mem_zalloc(recipes_builtin_count);
    for (size_t i = 0; i < recipes_builtin_count; i++)
        if ((fits[i] = recipe_fits(i, words)))
            room = MAX(room, strlen(recipes_builtin[i].name));
    for (TaskKind task = 0, last = TASK_KINDS; task < TASK_KINDS; task++)
        for (size_t i = 0; i < recipes_builtin_count; i++) {
            if (!fits[i] || task_of(i) != task) continue;
            if (last != task) printf("%s%s\n", count ? "\n" : "", task_heading(task));
            print_recipe_line(i, (int)room);
            last = task, count++;
        }
    mem_free(fits);
    return count;
}

static int refuse(const Words *words) {
    Err err = ERR_NONE;
    char hint[NEAREST_HINT];
    const char *name = words->word[0];
    if (words->count > 1)
        err_set(&err, FAIL_USAGE,
                "no recipe has all of these words; `steady recipes` lists all");
    else
        err_set(&err, FAIL_USAGE, "unknown recipe %.60s%s `steady recipes` lists all",
                name, recipe_builtin_hint(name, hint));
    return command_fail("recipes", &err);
}

static int show_recipes(const Words *words) {
    const char *name = words->word[0], *same = recipe_builtin_same(name);
    if (words->count == 1 && same) {
        fputs(recipe_builtin_text(same), stdout);
        return OK;
    }
    if (words->count == 1 && *name && list_start(name)) return OK;
    return *name && list_fitting(words) ? OK : refuse(words);
}

static const Option OPTIONS[] = {OPTION_HELP, {0}};

static Status read_word(void *options, char *word, Err *err) {
    Words *words = options;
    if (words->count == WORDS_MOST)
        return command_unexpected(word, words->word[WORDS_MOST - 1], err);
    words->word[words->count++] = word;
    return OK;
}

static int run_recipes(int argc, char **argv) {
    Err err = ERR_NONE;
    Words words = {.count = 0};
    if (command_read(&recipes_command, &words, argc, argv, NULL, &err))
        return command_fail("recipes", &err);
    return words.count ? show_recipes(&words) : list_recipes();
}

const Command recipes_command = {
    .name = "recipes",
    .sentence = "list the built-in recipes; `steady recipes NAME` prints one",
    .run = run_recipes,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_RECIPE,
};
