#include "tools/run/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "tools/program/shell.h"

void rundir_path(char path[PATH_SIZE], const char *dir, const char *format, ...) {
    char tail[300];
    va_list args;
    va_start(args, format);
    vsnprintf(tail, sizeof tail, format, args);
    va_end(args);
    text_format(path, PATH_SIZE, "%s/%s", dir, tail);
}

/* A fifth of a second: who only asks whether a run is in use has a lock for a moment
 * (runstate_in_use). */
enum { LOCK_TRIES = 10 };

/* ---- folders ---- */

void rundir_remove_folders(const char *path, const MadeFolders *made) {
    char part[PATH_SIZE];
    text_format(part, sizeof part, "%s", path);
    for (size_t length = strlen(part); made->shortest && length >= made->shortest;) {
        rmdir(part);
        while (length && part[length - 1] != '/') length--;
        while (length && part[length - 1] == '/') length--;
        part[length] = 0;
    }
}

Status rundir_make_folders(const char *path, MadeFolders *made, Err *err) {
    char part[PATH_SIZE];
    *made = (MadeFolders){0};
    text_format(part, sizeof part, "%s", path);
    for (char *at = part + 1;; at++) {
        if (*at && *at != '/') continue;
        char end = *at;
        *at = 0;
        bool new = !mkdir(part, 0777);
        if (!new &&errno != EEXIST) {
            err_set(err, FAIL_RUN, "%s: this folder cannot be created: %s", part,
                    strerror(errno));
            rundir_remove_folders(part, made);
            return FAIL_RUN;
        }
        if (new && !made->shortest) made->shortest = strlen(part);
        *at = end;
        if (!end) return OK;
    }
}

bool rundir_holds_run(const char *dir) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "recipe.ini");
    return openfile_exists(path, dir);
}

Status rundir_check_run(const char *dir, Err *err) {
    if (rundir_holds_run(dir)) return OK;
    if (errno != ENOENT && errno != ENOTDIR)
        return err_set(err, FAIL_DATA, "%s cannot be read: %s", dir, strerror(errno));
    char other[PATH_SIZE], hint[PATH_SIZE + 40] = "";
    rundir_path(other, "runs", "%s", dir);
    if (rundir_holds_run(other))
        text_format(hint, sizeof hint, "; did you mean %s?", other);
    return err_set(err, FAIL_USAGE, "%s is not a run folder (no recipe.ini)%s", dir,
                   hint);
}

static bool is_left_over(const char *dir, const char *name, const char *const *folders,
                         const char *draft) {
    struct stat info;
    char path[PATH_SIZE];
    text_format(path, sizeof path, "%s/%.255s", dir, name);
    bool there = !lstat(path, &info);
    if (there && S_ISREG(info.st_mode)) return !strcmp(name, draft);
    while (*folders && strcmp(name, *folders)) folders++;
    DIR *folder = *folders ? opendir(path) : NULL;
    size_t entries = 0;
    while (folder && readdir(folder)) entries++;
    if (folder) closedir(folder);
    return entries == 2; /* . and .. */
}

/* The first three names of what is in the folder, and how many there are. */
static size_t list_others(DIR *folder, const char *dir, const char *const *folders,
                          const char *draft, char *names, size_t size) {
    size_t count = 0;
    *names = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..") ||
            is_left_over(dir, name, folders, draft))
            continue;
        size_t used = strlen(names);
        if (++count <= 3)
            snprintf(names + used, size - used, "%s%.60s", used ? ", " : "", name);
    }
    return count;
}

Status rundir_check_empty(const char *dir, const char *const *folders, const char *draft,
                          Err *err) {
    char names[200], more[40] = "";
    DIR *folder = opendir(dir);
    if (!folder && errno == ENOENT) return OK;
    if (!folder)
        return err_set(err, errno == ENOTDIR ? FAIL_USAGE : FAIL_RUN,
                       "%s cannot be used as a folder: %s; choose another --out", dir,
                       strerror(errno));
    size_t count = list_others(folder, dir, folders, draft, names, sizeof names);
    closedir(folder);
    if (!count) return OK;
    if (count > 3) text_format(more, sizeof more, " and %zu more", count - 3);
    return err_set(err, FAIL_USAGE,
                   "%s is not empty (%s%s); choose another --out, or an empty folder",
                   dir, names, more);
}

Status rundir_check_free(const char *dir, Err *err) {
    static const char *const FOLDERS[] = {"checkpoints", "figures", NULL};
    struct stat info;
    if (!lstat(dir, &info) && stat(dir, &info))
        return err_set(err, FAIL_USAGE, "%s is a broken link (%s); choose another --out",
                       dir, strerror(errno));
    if (!rundir_holds_run(dir))
        return rundir_check_empty(dir, FOLDERS, "recipe.ini.new", err);
    char word[SHELL_WORD];
    return err_set(
        err, FAIL_USAGE,
        "%s already contains a run; resume it with --resume %s, or choose another --out",
        dir, shell_word(dir, word));
}

Status rundir_create(const char *dir, Err *err) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "checkpoints");
    if (openfile_make_folder(path, dir, err)) return err->status;
    rundir_path(path, dir, "figures");
    return openfile_make_folder(path, dir, err);
}

Status rundir_lock(const char *dir, int *lock, Err *err) {
    *lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0) return err_set(err, FAIL_RUN, "%s: %s", dir, strerror(errno));
    bool taken = false;
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (!flock(*lock, LOCK_EX | LOCK_NB)) return OK;
        taken = errno == EWOULDBLOCK;
        if (!taken) break;
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    }
    close(*lock);
    *lock = -1;
    if (!taken) return OK;
    return err_set(err, FAIL_RUN, "%s is in use: another process trains this run", dir);
}

Status rundir_replace(const char *dir, const char *name, Err *err) {
    char path[PATH_SIZE], draft[PATH_SIZE];
    rundir_path(path, dir, "%s", name);
    rundir_path(draft, dir, "%s.new", name);
    return openfile_replace(draft, path, dir, err);
}

Status rundir_save_json(const char *dir, const char *name, json_t *root, size_t flags,
                        Err *err) {
    char draft[PATH_SIZE];
    rundir_path(draft, dir, "%s.new", name);
    CHECK(root, "%s: an object that jansson did not build", name);
    FILE *file = openfile_draft(draft, dir, err);
    bool failed = !file || json_dumpf(root, file, JSON_INDENT(1) | flags) ||
                  fputc('\n', file) == EOF || fflush(file);
    int reason = errno;
    json_decref(root);
    if (!file) return err->status;
    if (!((fclose(file) != 0) | failed)) return rundir_replace(dir, name, err);
    openfile_remove(draft, dir);
    return err_set(err, FAIL_RUN, "%s/%s cannot be written: %s", dir, name,
                   strerror(reason));
}

json_t *rundir_load_json(const char *dir, const char *name, Err *err) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "%s", name);
    return openfile_json(path, dir, err);
}

json_t *rundir_load_json_if_any(const char *dir, const char *name, Err *err) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "%s", name);
    if (!openfile_exists(path, dir) && errno == ENOENT) return NULL;
    return openfile_json(path, dir, err);
}

/* Snapshots of a run without a checkpoint are of steps that it takes again. */
static void remove_snapshots(const char *dir) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "sharpness");
    DIR *folder = openfile_exists(path, dir) ? openfile_folder(path, dir, NULL) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strncmp(entry->d_name, "step-", 5)) continue;
        rundir_path(path, dir, "sharpness/%s", entry->d_name);
        openfile_remove(path, dir);
    }
    if (folder) closedir(folder);
}

/* Checkpoints that a killed process left half written. */
static bool is_temporary(const char *name) {
    static const char end[] = ".safetensors.tmp";
    size_t length = strlen(name);
    return length >= sizeof end && !strcmp(name + length - (sizeof end - 1), end);
}

static void remove_temporaries(const char *dir) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "checkpoints");
    DIR *folder = openfile_folder(path, dir, NULL);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!is_temporary(entry->d_name)) continue;
        rundir_path(path, dir, "checkpoints/%s", entry->d_name);
        openfile_remove(path, dir);
    }
    closedir(folder);
}

void rundir_remove_unbegun(const char *dir) {
    static const char *const names[] = {
        "train.jsonl",    "probe.jsonl",      "eval.jsonl",
        "task.json",      "task.json.new",    "data.json",
        "data.json.new",  "run.json",         "run.json.new",
        "answers.json",   "answers.json.new", "checkpoints/best.safetensors",
        "checkpoints",    "sharpness",        "figures",
        "text.vocab",     "text.codes",       "text.tokenizer",
        "source.vocab",   "source.codes",     "source.tokenizer",
        "target.vocab",   "target.codes",     "target.tokenizer",
        "recipe.ini.new", "recipe.ini"};
    char path[PATH_SIZE];
    remove_snapshots(dir);
    remove_temporaries(dir);
    for (size_t i = 0; i < COUNT(names); i++) {
        rundir_path(path, dir, "%s", names[i]);
        openfile_remove(path, dir); /* not a folder with something in it */
    }
}

json_t *json_number(double x) { return isfinite(x) ? json_real(x) : json_null(); }

json_t *json_text(const char *text) {
    json_t *string = json_string(text);
    if (string) return string;
    char *wider = mem_zalloc(2 * strlen(text) + 1), *to = wider;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x80) *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(c >= 0x80 ? 0x80 | (c & 0x3F) : c);
    }
    string = json_string(wider);
    mem_free(wider);
    return string;
}

/* ---- checkpoints ---- */

#define CHECKPOINT_NAME "step-%08zu.safetensors"

void checkpoint_path(char path[PATH_SIZE], const char *dir, size_t step) {
    rundir_path(path, dir, "checkpoints/" CHECKPOINT_NAME, step);
}

/* The step in a checkpoint's file name, or 0: it is none that checkpoint_path makes. */
static size_t step_of(const char *name) {
    char own[64];
    size_t step = 0;
    if (sscanf(name, "step-%zu", &step) != 1) return 0;
    text_format(own, sizeof own, CHECKPOINT_NAME, step);
    return strcmp(own, name) ? 0 : step;
}

Status checkpoint_check_folder(const char *dir, Err *err) {
    char path[PATH_SIZE];
    Err why = ERR_NONE;
    rundir_path(path, dir, "checkpoints");
    DIR *folder = openfile_folder(path, dir, &why);
    bool missing = !folder && errno == ENOENT;
    if (folder) closedir(folder);
    return folder || missing ? OK : err_set(err, why.status, "%s", why.text);
}

size_t checkpoint_newest(const char *dir, size_t before) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "checkpoints");
    DIR *folder = openfile_folder(path, dir, NULL);
    if (!folder) return 0;
    size_t newest = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        size_t step = step_of(entry->d_name);
        if (step > newest && step < before) newest = step;
    }
    closedir(folder);
    return newest;
}

void checkpoint_prune(const char *dir, size_t keep) {
    remove_temporaries(dir);
    size_t step = SIZE_MAX;
    for (size_t i = 0; i < MAX(keep, (size_t)1); i++) {
        step = checkpoint_newest(dir, step);
        if (!step) return;
    }
    while ((step = checkpoint_newest(dir, step))) {
        char path[PATH_SIZE];
        checkpoint_path(path, dir, step);
        openfile_remove(path, dir);
    }
}
