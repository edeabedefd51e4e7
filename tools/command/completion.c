#include "tools/command/completion.h"

#include <string.h>

#include "tools/commands.h"
#include "tools/recipe/keys.h"

const char *const completion_shells[] = {
    [SHELL_BASH] = "bash", [SHELL_ZSH] = "zsh", [SHELL_FISH] = "fish", NULL};

/* Made from the files at build time, in the order of their names. */
extern const struct CompletionText { const char *name, *text; } completion_builtin[];
extern const size_t completion_builtin_count;

/* ---- fields ---- */

/* Between single quotes, which end before a quote and begin again behind it; on one
 * line. */
static void put_quoted(const char *text, FILE *out) {
    for (; *text; text++) {
        if (*text == '\'') fputs("'\\''", out);
        else putc(*text == '\n' ? ' ' : *text, out);
    }
}

static void put_field(const char *text, FILE *out) {
    put_quoted(text ? text : "", out);
    putc('|', out);
}

static void put_offers(unsigned offers, FILE *out) {
    static const struct {
        unsigned bit;
        const char *name;
    } KINDS[] = {{OFFER_FILE, "file"},
                 {OFFER_FOLDER, "folder"},
                 {OFFER_RUN, "run"},
                 {OFFER_RECIPE, "recipe"},
                 {OFFER_KEY, "key"}};
    const char *between = "";
    for (size_t i = 0; i < COUNT(KINDS); i++) {
        if (!(offers & KINDS[i].bit)) continue;
        fprintf(out, "%s%s", between, KINDS[i].name);
        between = " ";
    }
    putc('|', out);
}

static void put_names(const char *const *names, FILE *out) {
    for (size_t i = 0; names && names[i]; i++)
        fprintf(out, "%s%s", i ? " " : "", names[i]);
}

/* ---- tables ---- */

static void put_commands(const Command *program, FILE *out) {
    (void)program;
    for (const Command *const *c = commands; *c; c++) {
        put_field((*c)->name, out);
        put_offers((*c)->offers, out);
        put_names((*c)->choices, out);
        putc('|', out);
        put_quoted((*c)->sentence, out);
        putc('\n', out);
    }
}

static void put_options_of(const Command *command, FILE *out) {
    for (const Option *o = command->options; o->name; o++) {
        put_field(command->name, out);
        put_field(o->name, out);
        put_field(o->letter, out);
        put_field(o->value, out);
        put_offers(o->offers, out);
        put_names(o->choices, out);
        for (size_t i = 0; o->choice && o->choice(i); i++)
            fprintf(out, "%s%s", i ? " " : "", o->choice(i));
        putc('|', out);
        put_quoted(o->sentence, out);
        putc('\n', out);
    }
}

static void put_options(const Command *program, FILE *out) {
    put_options_of(program, out);
    for (const Command *const *c = commands; *c; c++) put_options_of(*c, out);
}

static void put_keys(const Command *program, FILE *out) {
    static const char *const FLAGS[] = {"true", "false", NULL};
    (void)program;
    for (const Key *key = keys; key < keys + keys_count; key++) {
        const char *const *names = key->type == KEY_FLAG ? FLAGS : key->choices;
        if (!key_is_stored(key)) continue;
        fprintf(out, "%s.%s%s", key->section, key->name, names ? " " : "");
        put_names(names, out);
        if (key->unset) fprintf(out, " %s", key->unset);
        putc('\n', out);
    }
}

static void put_recipes(const Command *program, FILE *out) {
    (void)program;
    for (size_t i = 0; i < recipe_builtin_count(); i++)
        fprintf(out, "%s\n", recipe_builtin_name(i));
}

static const struct {
    const char *line;
    void (*put)(const Command *program, FILE *out);
} TABLES[] = {{"@commands", put_commands},
              {"@options", put_options},
              {"@keys", put_keys},
              {"@recipes", put_recipes}};

/* ---- the file ---- */

static const char *text_of(Shell shell) {
    size_t i = 0;
    while (i < completion_builtin_count &&
           strcmp(completion_builtin[i].name, completion_shells[shell]))
        i++;
    CHECK(i < completion_builtin_count, "no completion for shell %d", (int)shell);
    return completion_builtin[i].text;
}

void completion_print(Shell shell, const Command *program, FILE *out) {
    for (const char *line = text_of(shell); *line;) {
        size_t length = strcspn(line, "\n"), t = 0;
        while (t < COUNT(TABLES) &&
               (strlen(TABLES[t].line) != length || memcmp(TABLES[t].line, line, length)))
            t++;
        if (t < COUNT(TABLES)) TABLES[t].put(program, out);
        else fprintf(out, "%.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}
