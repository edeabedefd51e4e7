#include "tools/command/manual.h"

#include <stdlib.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/program/help.h"
#include "tools/program/textstream.h"

/* What the line before was. */
typedef enum { AFTER_HEADING, AFTER_BLANK, AFTER_PARAGRAPH, AFTER_EXACT } Place;

typedef struct Page {
    const Command *command;
    FILE *out;
    Place place;
} Page;

static bool is_program(const Command *command) {
    return !strcmp(command->name, "steady");
}

/* ---- characters ---- */

/* Characters that have another shape, or a meaning, in man's language. */
static const struct {
    char character;
    const char *name;
} SPECIAL[] = {{'\\', "\\e"},   {'-', "\\-"},   {'`', "\\(ga"},
               {'\'', "\\(aq"}, {'~', "\\(ti"}, {'^', "\\(ha"}};

static void put_text(FILE *out, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        size_t k = 0;
        while (k < COUNT(SPECIAL) && SPECIAL[k].character != text[i]) k++;
        if (k < COUNT(SPECIAL)) fputs(SPECIAL[k].name, out);
        else putc(text[i], out);
    }
}

/* A line that began with a dot would be a request. */
static void put_line(FILE *out, const char *text, size_t length) {
    if (length && *text == '.') fputs("\\&", out);
    put_text(out, text, length);
    putc('\n', out);
}

static void put_string(FILE *out, const char *text) { put_text(out, text, strlen(text)); }

/* ---- lines ---- */

static void leave_exact(Page *page) {
    if (page->place == AFTER_EXACT) fputs(".fi\n", page->out);
    page->place = AFTER_BLANK;
}

static void put_heading(Page *page, const char *title, size_t length) {
    leave_exact(page);
    fprintf(page->out, ".SH %.*s\n", (int)length, title);
    page->place = AFTER_HEADING;
}

/* As it is, indentation and all. */
static void put_exact(Page *page, const char *text, size_t length) {
    if (page->place != AFTER_HEADING && page->place != AFTER_EXACT)
        fputs(".PP\n", page->out);
    if (page->place != AFTER_EXACT) fputs(".nf\n", page->out);
    put_line(page->out, text, length);
    page->place = AFTER_EXACT;
}

static void put_paragraph(Page *page, const char *text, size_t length) {
    if (page->place == AFTER_EXACT) leave_exact(page);
    if (page->place == AFTER_BLANK) fputs(".PP\n", page->out);
    put_line(page->out, text, length);
    page->place = AFTER_PARAGRAPH;
}

/* A little indented: of a list or an example.  Deeper below a paragraph: it continues. */
static void put_help_line(Page *page, const HelpLine *line) {
    enum { LITTLE = 4 };
    size_t length = (size_t)line->length, indent = strspn(line->start, " ");
    if (!length) leave_exact(page);
    else if (!indent) put_paragraph(page, line->start, length);
    else if (indent <= LITTLE || page->place == AFTER_EXACT)
        put_exact(page, line->start, length);
    else put_paragraph(page, line->start + indent, length - indent);
}

/* ---- lists ---- */

static void put_entry(Page *page, const char *sentence) {
    fputc('\n', page->out);
    for (size_t length; *sentence; sentence += length + (sentence[length] != 0)) {
        length = strcspn(sentence, "\n");
        put_line(page->out, sentence, length);
    }
}

static void put_option(Page *page, const Option *option) {
    fputs(".TP\n", page->out);
    if (option->letter) {
        fputs("\\fB", page->out);
        put_string(page->out, option->letter);
        fputs("\\fR, ", page->out);
    }
    fputs("\\fB", page->out);
    put_string(page->out, option->name);
    fputs("\\fR", page->out);
    if (option->value) {
        fputs(" \\fI", page->out);
        put_string(page->out, option->value);
        fputs("\\fR", page->out);
    }
    put_entry(page, option->sentence);
}

static void put_options(Page *page, const char *text, const HelpLine *line) {
    leave_exact(page);
    for (const Option *o = page->command->options; o->name; o++)
        if (help_lists(text, line, o)) put_option(page, o);
}

static void put_commands(Page *page) {
    for (const Command *const *c = commands; *c; c++) {
        fputs(".TP\n\\fBsteady\\-", page->out);
        put_string(page->out, (*c)->name);
        fputs("\\fR(1)", page->out);
        put_entry(page, (*c)->sentence);
    }
    page->place = AFTER_BLANK;
}

/* The command's own list, line by line. */
static void put_more(Page *page) {
    TextStream list;
    Err err = ERR_NONE;
    if (is_program(page->command)) {
        put_commands(page);
        return;
    }
    CHECK(!textstream_open(&list, &err), "%s", err.text);
    page->command->more(list.file);
    CHECK(!textstream_close(&list, &err), "%s", err.text);
    HelpLine line;
    for (const char *rest = list.text; help_next(&rest, &line);)
        put_help_line(page, &line);
    free(list.text);
}

/* ---- the page ---- */

static void put_name(const Command *command, FILE *out) {
    if (is_program(command)) fputs("steady", out);
    else fprintf(out, "steady\\-%s", command->name);
}

static void put_top(Page *page) {
    const Command *command = page->command;
    fputs(".TH ", page->out);
    put_name(command, page->out);
    fprintf(page->out, " 1 \"\" \"steady %s\" \"User Commands\"\n.SH NAME\n",
            STEADY_VERSION);
    put_name(command, page->out);
    fputs(" \\- ", page->out);
    put_string(page->out, command->sentence);
    putc('\n', page->out);
}

/* "usage: " and what is below it, to the first blank line. */
static void put_synopsis(Page *page, const char **text) {
    const size_t margin = strlen("usage: ");
    HelpLine line;
    put_heading(page, "SYNOPSIS", strlen("SYNOPSIS"));
    while (help_next(text, &line) && line.kind == HELP_TEXT && line.length)
        put_exact(page, line.start + margin, (size_t)line.length - margin);
}

static void put_see_also(Page *page) {
    put_heading(page, "SEE ALSO", strlen("SEE ALSO"));
    if (!is_program(page->command)) fputs(".BR steady (1),\n", page->out);
    for (const Command *const *c = commands; *c; c++)
        if (*c != page->command)
            fprintf(page->out, ".BR steady\\-%s (1)%s\n", (*c)->name,
                    c[1] && (c[2] || c[1] != page->command) ? "," : "");
}

void manual_print(const Command *command, FILE *out) {
    Page page = {command, out, AFTER_HEADING};
    const char *text = help_text(command->name), *rest = text;
    put_top(&page);
    put_synopsis(&page, &rest);
    if (*rest != '@') put_heading(&page, "DESCRIPTION", strlen("DESCRIPTION"));
    for (HelpLine line; help_next(&rest, &line);) {
        if (line.kind == HELP_TEXT) put_help_line(&page, &line);
        if (line.kind == HELP_OPTIONS) put_options(&page, text, &line);
        if (line.kind == HELP_MORE) put_more(&page);
        if (line.kind == HELP_SECTION)
            put_heading(&page, line.start, (size_t)line.length);
    }
    put_see_also(&page);
}
