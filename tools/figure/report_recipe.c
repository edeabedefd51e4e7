/* report_recipe: the recipe as a reader of the report takes it, which is without keys
 * that have no effect (tools/figure/report_parts.h): data.classes of a folder of
 * pictures, say, whose classes are counted. */
#include <stdio.h>
#include <string.h>

#include "data/file/textbuffer.h"
#include "tools/figure/report_parts.h"
#include "tools/recipe/keys.h"

typedef struct Shown {
    const Recipe *recipe;
    char section[40];
    bool open; /* its heading is in `text` */
    TextBuffer text;
    size_t left; /* keys that are left out */
} Shown;

static bool has_effect(const Shown *s, const char *line, size_t length) {
    char name[120], why[400];
    size_t end = strcspn(line, " =");
    text_format(name, sizeof name, "%s.%.*s", s->section, (int)MIN(end, length), line);
    const Key *key = strcmp(s->section, "intervene") ? key_find(name) : NULL;
    return !key || key_acts(key, s->recipe, why, sizeof why);
}

static void add_line(Shown *s, const char *line, size_t length) {
    text_append_format(&s->text, "%.*s\n", (int)length, line);
}

static void take_line(Shown *s, const char *line, size_t length) {
    if (*line == '[') {
        text_format(s->section, sizeof s->section, "%.*s",
                    (int)MIN(strcspn(line + 1, "]\n"), length), line + 1);
        s->open = false;
    } else if (length && !has_effect(s, line, length)) {
        s->left++;
    } else if (length) {
        if (!s->open)
            text_append_format(&s->text, "%s[%s]\n", s->text.length ? "\n" : "",
                               s->section);
        s->open = true;
        add_line(s, line, length);
    }
}

/* An intervention may give a key its effect later on. */
static bool changes_on_the_way(const Recipe *recipe) {
    for (size_t g = 0; g < INTERVENE_GROUPS; g++)
        if (*recipe->intervene.group[g].changes) return true;
    return false;
}

/* False: it is shown as it is. */
static bool choose_lines(Shown *s, const Recipe *recipe, const char *text) {
    s->recipe = recipe;
    if (changes_on_the_way(recipe)) return false;
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        take_line(s, line, length);
        line += length + (line[length] == '\n');
    }
    return s->text.length > 0;
}

void report_recipe(FILE *out, const RunLog *run) {
    if (!*run->recipe) return;
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Shown shown = {0};
    *recipe = recipe_default();
    bool chosen = !recipe_read(recipe, "recipe.ini", run->recipe, NULL) &&
                  choose_lines(&shown, recipe, run->recipe);
    page_section(out, "recipe", "Recipe");
    page_lines(out, "recipe.ini", chosen ? shown.text.text : run->recipe);
    if (chosen && shown.left)
        fprintf(out,
                "<p>%zu key%s without effect in this run %s left out; recipe.ini has "
                "them.</p>\n",
                shown.left, shown.left == 1 ? "" : "s", shown.left == 1 ? "is" : "are");
    page_section_end(out);
    text_free(&shown.text);
    mem_free(recipe);
}
