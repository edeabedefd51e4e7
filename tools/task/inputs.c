#include "tools/task/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/core/grow.h"
#include "tools/program/say.h"
#include "tools/run/rundir.h"

/* A folder's name and a file's name after it fit into PATH_SIZE. */
enum { NAME_MOST = 1024, DEPTH_MOST = 4 };

static void add(Inputs *inputs, const char *path) {
    GROW(inputs->path, inputs->count, inputs->room, 1);
    inputs->path[inputs->count++] = mem_strdup(path);
}

void inputs_free(Inputs *inputs) {
    for (size_t i = 0; i < inputs->count; i++) mem_free(inputs->path[i]);
    mem_free(inputs->path);
    mem_free(inputs->passed_first);
    *inputs = (Inputs){0};
}

static bool has_ending(const char *name, InputEndings endings) {
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && endings[i]; i++)
        if (!strcasecmp(dot, endings[i])) return true;
    return false;
}

static bool is_wanted(const Inputs *inputs, const char *path, InputEndings endings) {
    return has_ending(path, endings) || (inputs->is_one && inputs->is_one(path));
}

static void pass_over(Inputs *inputs, const char *path) {
    static InputEndings TEXTS = {".txt", ".json", ".tsv", ".csv", ".md", NULL};
    if (has_ending(path, TEXTS)) return;
    if (!inputs->passed++) inputs->passed_first = mem_strdup(path);
}

void inputs_say_passed(const Inputs *inputs) {
    if (inputs->passed)
        say("steady: note: not read: %zu files with other suffixes or subfolders "
            "(first: %s); name a file to read it anyway",
            inputs->passed, inputs->passed_first);
}

static int is_shown(const struct dirent *entry) { return *entry->d_name != '.'; }

static bool is_folder(const char *path) {
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

/* One round over the folder: its files, or its folders. */
static void add_folder(Inputs *inputs, const char *folder, InputEndings endings,
                       bool folders, int depth) {
    struct dirent **entries;
    size_t before = inputs->count;
    char beside[PATH_SIZE] = "";
    int count = scandir(folder, &entries, is_shown, alphasort);
    for (int i = 0; i < count; i++) {
        char full[PATH_SIZE];
        const char *name = entries[i]->d_name;
        bool fits = strlen(folder) + strlen(name) < NAME_MOST;
        if (fits) rundir_path(full, folder, "%s", name);
        if (fits && is_folder(full) && folders && depth < DEPTH_MOST)
            add_folder(inputs, full, endings, false, depth + 1);
        else if (fits && !folders && !is_folder(full))
            (is_wanted(inputs, full, endings) ? add : pass_over)(inputs, full);
        else if (fits && !folders && !*beside)
            text_format(beside, sizeof beside, "%s", full);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    if (!folders && inputs->count == before)
        add_folder(inputs, folder, endings, true, depth);
    else if (*beside) pass_over(inputs, beside);
}

Status inputs_add(Inputs *inputs, const char *path, InputEndings endings,
                  const char *what, Err *err) {
    struct stat info;
    if (strlen(path) >= NAME_MOST)
        return err_set(err, FAIL_DATA, "%.60s...: the name is too long", path);
    if (stat(path, &info)) return err_set(err, FAIL_DATA, "%s: no such file", path);
    if (!S_ISDIR(info.st_mode)) return add(inputs, path), OK;
    if (access(path, R_OK | X_OK))
        return err_set(err, FAIL_DATA, "%s cannot be opened: %s", path, strerror(errno));
    size_t before = inputs->count;
    add_folder(inputs, path, endings, false, 0);
    if (inputs->count > before) return OK;
    if (!inputs->passed)
        return err_set(err, FAIL_DATA, "%s: no %s in this folder or its subfolders", path,
                       what);
    return err_set(
        err, FAIL_DATA,
        "%s: no %s in this folder or its subfolders, only %zu files of other kinds "
        "(first: %s)",
        path, what, inputs->passed, inputs->passed_first);
}
