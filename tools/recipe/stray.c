#include "tools/recipe/stray.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "data/file/openfile.h"
#include "tools/program/nearest.h"
#include "tools/program/shell.h"
#include "tools/recipe/tasks.h"

static bool is_folder(const char *path) {
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

static bool holds(const char *folder, const char *name) {
    char path[1400];
    if (strlen(folder) > 1000) return false;
    text_format(path, sizeof path, "%s/%s", folder, name);
    return openfile_exists(path, NULL);
}

Status stray_check(const char *name, Err *err) {
    char word[SHELL_WORD];
    if (!is_folder(name)) return OK;
    shell_word(name, word);
    if (holds(name, "recipe.ini"))
        return err_set(
            err, FAIL_USAGE,
            "%s is a run, not a recipe; its recipe is %s/recipe.ini; to resume "
            "it: steady train --resume %s",
            name, word, word);
    return err_set(err, FAIL_USAGE,
                   "%s is a folder, not a recipe; if it holds your data: steady train "
                   "RECIPE data.path=%s (docs/data.md: which recipe for which data)",
                   name, word);
}

Status stray_file(const char *name, Err *err) {
    size_t length = strlen(name);
    bool recipe = length > 4 && !strcmp(name + length - 4, ".ini");
    char word[SHELL_WORD];
    if (recipe || !openfile_exists(name, NULL) || !err || !err->status)
        return err ? err->status : FAIL_USAGE;
    shell_word(name, word);
    return err_set(err, err->status,
                   "%.500s; if %.100s is your data and not a recipe: steady train RECIPE "
                   "data.path=%s (docs/data.md: which recipe for which data)",
                   err->text, name, word);
}

/* Is it one of the words of the text, capitals aside? */
static bool has_word(const char *text, const char *word) {
    size_t length = strlen(word);
    for (const char *at = text; *at; at++) {
        bool start = at == text || !isalnum((unsigned char)at[-1]);
        if (start && !strncasecmp(at, word, length) &&
            !isalnum((unsigned char)at[length]))
            return true;
    }
    return false;
}

void stray_hint(const char *word, char *text, size_t size) {
    bool known = false;
    for (TaskKind task = 0; task < TASK_KINDS; task++)
        known = known || has_word(task_heading(task), word);
    for (Source source = 0; source < SOURCES; source++)
        known = known || nearest_same(word, source_name(source));
    *text = 0;
    if (known && strlen(word) > 3)
        text_format(text, size, "; `steady recipes %.20s` lists those of that kind",
                    word);
}
