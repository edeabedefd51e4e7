/* help: the table of keys for people (tools/recipe/recipe.h). */
#include <string.h>

#include "tools/recipe/keys.h"

enum { COLUMNS = 90, INDENT = 8, WANTED_MAX = 300, SENTENCE_MAX = 1000 };

/* Words of `text`, broken at COLUMNS, every line indented. */
static void print_wrapped(const char *text, FILE *out) {
    size_t column = 0;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column && column + 1 + word > COLUMNS) {
            fputc('\n', out);
            column = 0;
        }
        int blanks = column ? 1 : INDENT;
        fprintf(out, "%*s%.*s", blanks, "", (int)word, text);
        column += (size_t)blanks + word;
        text += word + strspn(text + word, " ");
    }
    fputc('\n', out);
}

static void describe(const Key *key, char *text, size_t size) {
    if (key_is_stored(key)) key_wanted(key, text, size);
    else text_format(text, size, "(not built in yet)");
}

/* The key's sentence and its condition. */
static void explain(const Key *key, char *text, size_t size) {
    char when[SENTENCE_MAX / 2];
    key_when_text(key, when, sizeof when);
    text_format(text, size, "%s%s%s%s", key->sentence, *when ? " Needs " : "", when,
                *when ? "." : "");
}

static const char *standard_text(const Key *key) {
    return *key->standard ? key->standard : "-";
}

static void print_key(const Key *key, FILE *out) {
    if (key->again) return;
    char wanted[WANTED_MAX];
    describe(key, wanted, sizeof wanted);
    bool fits = 30 + strlen(wanted) <= COLUMNS;
    fprintf(out, "  %-17s %-9s %s\n", key->name, standard_text(key), fits ? wanted : "");
    if (!fits) print_wrapped(wanted, out);
    char sentence[SENTENCE_MAX];
    explain(key, sentence, sizeof sentence);
    print_wrapped(sentence, out);
}

void recipe_help_keys(FILE *out) {
    fputs("Keys of a recipe; on the command line: section.key=value.\n"
          "Each key: default (-: none), allowed values.\n",
          out);
    for (const Key *key = keys; key < keys + keys_count; key++) {
        if (key == keys || strcmp(key->section, key[-1].section) != 0)
            fprintf(out, "\n[%s]\n", key->section);
        print_key(key, out);
    }
}

static void print_keys_of(const char *section, const char *name, FILE *out) {
    const Key *last = NULL;
    for (const Key *key = keys; key < keys + keys_count; key++) {
        bool wanted = (!section || !strcmp(section, key->section)) &&
                      (!name || nearest_same(name, key->name));
        if (!wanted || key->again) continue;
        if (!last || strcmp(last->section, key->section))
            fprintf(out, "%s[%s]\n", last ? "\n" : "", key->section);
        print_key(key, out);
        last = key;
    }
}

static bool is_name(const char *name) {
    for (const Key *key = keys; key < keys + keys_count; key++)
        if (nearest_same(name, key->name)) return true;
    return false;
}

Status recipe_help_of(const char *name, FILE *out, Err *err) {
    char bare[64], hint[NEAREST_HINT];
    size_t length = MIN(strcspn(name, "]"), sizeof bare - 1);
    text_format(bare, sizeof bare, "%.*s", (int)length, name);
    const char *word = bare + (*bare == '[');
    const Key *key = key_find(word);
    for (const char *const *section = key_sections; *section; section++)
        if (nearest_same(*section, word)) return print_keys_of(*section, NULL, out), OK;
    if (!key && !is_name(word)) key = key_by_alias(word);
    if (!key && !is_name(word))
        return err_set(err, FAIL_USAGE, "--help-keys %.60s: no such section or key%s",
                       name,
                       key_near(word, NULL)
                           ? key_hint(word, hint)
                           : "; steady search WORD searches keys and commands");
    print_keys_of(key ? key->section : NULL, key ? key->name : word, out);
    return OK;
}

/* Table cells must not hold a bare |. */
static void print_cell(const char *text, FILE *out) {
    for (; *text; text++) {
        if (*text == '|') fputc('\\', out);
        fputc(*text, out);
    }
    fputs(" |", out);
}

static void print_row(const Key *key, FILE *out) {
    if (key->again) return;
    char wanted[WANTED_MAX];
    describe(key, wanted, sizeof wanted);
    fprintf(out, "| `%s` | ", key->name);
    print_cell(standard_text(key), out);
    fputc(' ', out);
    print_cell(wanted, out);
    fputc(' ', out);
    char sentence[SENTENCE_MAX];
    explain(key, sentence, sizeof sentence);
    print_cell(sentence, out);
    fputc('\n', out);
}

void recipe_help_keys_markdown(FILE *out) {
    fputs("# Keys of a recipe\n\n"
          "Made from the table in `tools/recipe/keys.c`; `steady train --help-keys` "
          "prints the "
          "same. A\n"
          "key `name` of section `[s]` is `s.name=value` on the command line.\n",
          out);
    for (const Key *key = keys; key < keys + keys_count; key++) {
        if (key == keys || strcmp(key->section, key[-1].section) != 0)
            fprintf(out,
                    "\n## [%s]\n\n| key | default | values | meaning |\n"
                    "| --- | --- | --- | --- |\n",
                    key->section);
        print_row(key, out);
    }
}
