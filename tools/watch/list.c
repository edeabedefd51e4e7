#include "tools/watch/list.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool has_file(const char *dir, const char *name) {
    char path[PATH_SIZE];
    if (strlen(dir) + strlen(name) + 2 > sizeof path) return false;
    rundir_path(path, dir, "%s", name);
    return !access(path, F_OK);
}

static bool holds_run(const char *dir) {
    static const char *const FILES[] = {"train.jsonl", "probe.jsonl", "recipe.ini"};
    for (size_t i = 0; i < COUNT(FILES); i++)
        if (has_file(dir, FILES[i])) return true;
    return false;
}

static bool is_empty(const char *dir) {
    struct dirent **names;
    int count = scandir(dir, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) free(names[i]);
    if (count >= 0) free(names);
    return count == 2;
}

static bool is_known(const WatchList *list, const char *dir) {
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->runs[i]->dir, dir)) return true;
    return false;
}

static Status add_run(WatchList *list, const char *dir, Err *err) {
    if (is_known(list, dir)) return OK;
    if (list->count == WATCH_RUNS_MOST)
        return err_set(err, FAIL_USAGE, "too many runs: at most %d", WATCH_RUNS_MOST);
    Watched *run = watched_open(dir, err);
    if (!run) return err->status;
    list->runs[list->count++] = run;
    return OK;
}

/* ---- folders of runs ---- */

static double time_of(const char *dir) {
    struct stat info;
    if (stat(dir, &info)) return NAN;
    return (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec;
}

static bool is_folder(const char *path) {
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

static void meet(WatchList *list, WatchFolder *folder, const char *path) {
    Err err = ERR_NONE;
    if (!has_file(path, "train.jsonl")) {
        folder->waits |= is_folder(path);
        return;
    }
    folder->runs++;
    if (is_known(list, path)) return;
    if (list->count == WATCH_RUNS_MOST) folder->left_out++;
    else add_run(list, path, &err);
}

/* What has begun in it since the last time, by name; returns how many are new. */
static size_t look_into(WatchList *list, WatchFolder *folder) {
    struct dirent **names;
    int count = scandir(folder->dir, &names, NULL, alphasort);
    size_t before = list->count;
    list->left_out -= folder->left_out;
    folder->runs = folder->left_out = folder->waits = 0;
    for (int i = 0; i < count; i++) {
        char path[PATH_SIZE];
        int length = snprintf(path, sizeof path, "%s/%s", folder->dir, names[i]->d_name);
        if (length < PATH_SIZE - 80 && *names[i]->d_name != '.') meet(list, folder, path);
        free(names[i]);
    }
    if (count >= 0) free(names);
    list->left_out += folder->left_out;
    return list->count - before;
}

/* FAIL_USAGE: too many of them.  One that is known already is looked into again. */
static Status add_folder(WatchList *list, const char *dir, WatchFolder **folder,
                         Err *err) {
    size_t i = 0;
    while (i < list->folder_count && strcmp(list->folders[i].dir, dir) != 0) i++;
    if (i == WATCH_FOLDERS_MOST)
        return err_set(err, FAIL_USAGE, "too many folders: at most %d",
                       WATCH_FOLDERS_MOST);
    *folder = &list->folders[i];
    if (i == list->folder_count) {
        **folder = (WatchFolder){.dir = mem_strdup(dir), .changed = NAN};
        list->folder_count++;
    }
    look_into(list, *folder);
    return OK;
}

/* A run makes its folder first and train.jsonl later, which is no change of the folder
 * around it: that is looked into while it is fresh, or while there is one that waits. */
static bool poll_folder(WatchList *list, WatchFolder *folder) {
    double changed = time_of(folder->dir), now = (double)time(NULL);
    bool old = changed == folder->changed && now - changed > 600;
    folder->changed = changed;
    return (!old || folder->waits) && look_into(list, folder);
}

/* ---- words ---- */

Status watchlist_add(WatchList *list, const char *word, Err *err) {
    char dir[PATH_SIZE], cells[PATH_SIZE];
    struct stat info;
    WatchFolder *folder = NULL;
    size_t end = strlen(word), folders = list->folder_count;
    while (end > 1 && word[end - 1] == '/') end--;
    if (end > PATH_SIZE - 300 || stat(word, &info))
        return err_set(err, FAIL_USAGE, "%.800s: no such run folder", word);
    if (!S_ISDIR(info.st_mode))
        return err_set(err, FAIL_USAGE,
                       "%.800s is a file; name the folder of a run or a sweep", word);
    text_format(dir, sizeof dir, "%.*s", (int)end, word);
    rundir_path(cells, dir, "cells");
    if (has_file(dir, "sweep.json")) return add_folder(list, cells, &folder, err);
    if (holds_run(dir) || is_empty(dir)) return add_run(list, dir, err);
    if (add_folder(list, dir, &folder, err)) return err->status;
    if (folder->runs || list->folder_count == folders) return OK;
    mem_free(list->folders[--list->folder_count].dir);
    return err_set(err, FAIL_USAGE,
                   "%.800s is not the folder of a run or sweep (no train.jsonl, "
                   "recipe.ini or sweep.json)",
                   word);
}

void watchlist_free(WatchList *list) {
    for (size_t i = 0; i < list->count; i++) watched_close(list->runs[i]);
    for (size_t i = 0; i < list->folder_count; i++) mem_free(list->folders[i].dir);
    *list = (WatchList){0};
}

bool watchlist_poll(WatchList *list) {
    bool news = false;
    for (size_t i = 0; i < list->folder_count; i++)
        news |= poll_folder(list, &list->folders[i]);
    for (size_t i = 0; i < list->count; i++) news |= watched_poll(list->runs[i]);
    return news;
}
