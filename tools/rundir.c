#include "tools/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/openfile.h"

void rundir_path(char path[PATH_SIZE], const char *dir, const char *format, ...) {
    char tail[300];
    va_list args;
    va_start(args, format);
    vsnprintf(tail, sizeof tail, format, args);
    va_end(args);
    text_format(path, PATH_SIZE, "%s/%s", dir, tail);
}

/* ---- folders ---- */

Status rundir_make_folders(const char *path, Err *err) {
    char part[PATH_SIZE];
    text_format(part, sizeof part, "%s", path);
    for (char *at = part + 1;; at++) {
        if (*at && *at != '/') continue;
        char end = *at;
        *at = 0;
        if (mkdir(part, 0777) && errno != EEXIST)
            return err_set(err, FAIL_RUN, "%s: cannot make this folder: %s", part,
                           strerror(errno));
        *at = end;
        if (!end) return OK;
    }
}

bool rundir_holds_run(const char *dir) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "recipe.ini");
    return openfile_exists(path, dir);
}

Status rundir_check_free(const char *dir, Err *err) {
    if (rundir_holds_run(dir))
        return err_set(
            err, FAIL_USAGE,
            "%s holds a run already: go on with --resume %s, or choose another --out",
            dir, dir);
    if (!checkpoint_newest(dir, SIZE_MAX)) return OK;
    return err_set(
        err, FAIL_USAGE,
        "%s holds checkpoints of a run whose recipe.ini is missing: choose another "
        "--out",
        dir);
}

Status rundir_create(const char *dir, Err *err) {
    char path[PATH_SIZE];
    if (rundir_make_folders(dir, err)) return err->status;
    rundir_path(path, dir, "checkpoints");
    if (openfile_make_folder(path, dir, err)) return err->status;
    rundir_path(path, dir, "figures");
    return openfile_make_folder(path, dir, err);
}

Status rundir_lock(const char *dir, int *lock, Err *err) {
    *lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0) return err_set(err, FAIL_RUN, "%s: %s", dir, strerror(errno));
    if (!flock(*lock, LOCK_EX | LOCK_NB)) return OK;
    bool taken = errno == EWOULDBLOCK;
    close(*lock);
    *lock = -1;
    if (!taken) return OK;
    return err_set(err, FAIL_RUN, "%s is in use: another process is training this run",
                   dir);
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

void rundir_remove_unbegun(const char *dir) {
    static const char *const names[] = {
        "train.jsonl",      "probe.jsonl",    "eval.jsonl",    "recipe.ini",
        "recipe.ini.new",   "task.json",      "task.json.new", "data.json",
        "data.json.new",  "checkpoints",
        "figures",          "text.tokenizer", "text.vocab",    "text.codes",
        "source.tokenizer", "source.vocab",   "source.codes",  "target.tokenizer",
        "target.vocab",     "target.codes",   "data.json",     "data.json.new"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < COUNT(names); i++) {
        rundir_path(path, dir, "%s", names[i]);
        openfile_remove(path, dir); /* not a folder with something in it */
    }
    rmdir(dir);
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

void checkpoint_path(char path[PATH_SIZE], const char *dir, size_t step) {
    rundir_path(path, dir, "checkpoints/step-%08zu.safetensors", step);
}

/* The step in a checkpoint's file name, or 0. */
static size_t step_of(const char *name) {
    size_t step = 0;
    int end = 0;
    if (sscanf(name, "step-%zu.safetensors%n", &step, &end) != 1 || !end || name[end])
        return 0;
    return step;
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
