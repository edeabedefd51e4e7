#include "tools/train/branch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "tools/run/checkpoint.h"
#include "tools/task/openrun.h"

static const char BEST[] = "checkpoints/best.safetensors";

/* ---- which checkpoint ---- */

/* The step that the file says it is of; 0: none. */
static size_t step_in(const char *path, const char *root) {
    char *text = openfile_exists(path, root) ? checkpoint_fact(path, root, "step") : NULL;
    size_t step = text ? strtoull(text, NULL, 10) : 0;
    mem_free(text);
    return step;
}

Status branch_find(const char *run, const char *word, Branch *from, Err *err) {
    bool best = !strcmp(word, "best"),
         number = strspn(word, "0123456789") == strlen(word);
    *from = (Branch){.run = run};
    if (rundir_check_run(run, err)) return err->status;
    if (!best && !(number && *word && strlen(word) < 16))
        return err_set(err, FAIL_USAGE,
                       "--checkpoint %.200s: expected a step, such as 400, or best",
                       word);
    if (best) {
        rundir_path(from->path, run, BEST);
        from->step = step_in(from->path, run);
    } else {
        from->step = strtoull(word, NULL, 10);
        checkpoint_path(from->path, run, from->step);
    }
    if (from->step && openfile_exists(from->path, run)) return OK;
    char there[RUN_CHECKPOINTS];
    run_list_checkpoints(run, there);
    return err_set(err, FAIL_DATA, "%.1000s: no such checkpoint%s", from->path, there);
}

bool branch_best(Branch *from, size_t best_step) {
    char path[PATH_SIZE];
    rundir_path(path, from->run, BEST);
    if (best_step == from->step) text_format(path, sizeof path, "%s", from->path);
    else if (step_in(path, from->run) != best_step)
        checkpoint_path(path, from->run, best_step);
    bool there = openfile_exists(path, from->run);
    text_format(from->best, sizeof from->best, "%s", there ? path : "");
    return there;
}

/* ---- copies ---- */

static bool copy_bytes(int from, FILE *to) {
    enum { BLOCK = 1 << 20 };
    char *block = mem_alloc(BLOCK);
    ssize_t got;
    while ((got = read(from, block, BLOCK)) > 0)
        if (fwrite(block, 1, (size_t)got, to) != (size_t)got) break;
    mem_free(block);
    return got == 0;
}

/* Whole or not at all. */
static Status copy_file(const char *path, const char *root, const char *to,
                        const char *dir, Err *err) {
    int source = openfile_read(path, root, err);
    if (source < 0) return err->status;
    char *name = openfile_draft_name(to, ".new", dir);
    FILE *file = openfile_draft(name, dir, err);
    bool good = file && copy_bytes(source, file);
    int reason = errno;
    if (file && fclose(file)) reason = errno, good = false;
    close(source);
    if (good) openfile_replace(name, to, dir, err);
    else if (file) {
        openfile_remove(name, dir);
        err_set(err, FAIL_RUN, "%.700s cannot be copied to %.700s: %s", path, to,
                strerror(reason));
    }
    mem_free(name);
    return err->status;
}

/* NAME of the run, if it is there. */
static Status copy_own(const Branch *from, const char *dir, const char *name, Err *err) {
    char path[PATH_SIZE], to[PATH_SIZE];
    rundir_path(path, from->run, "%s", name);
    rundir_path(to, dir, "%s", name);
    bool missing = !openfile_exists(path, from->run) && errno == ENOENT;
    return missing ? OK : copy_file(path, from->run, to, dir, err);
}

static Status copy_snapshots(const Branch *from, const char *dir, const size_t *steps,
                             size_t count, Err *err) {
    char name[80], path[PATH_SIZE];
    rundir_path(path, dir, "sharpness");
    if (count && openfile_make_folder(path, dir, err)) return err->status;
    for (size_t i = 0; i < count && !err->status; i++) {
        text_format(name, sizeof name, "sharpness/step-%08zu.safetensors", steps[i]);
        copy_own(from, dir, name, err);
    }
    return err->status;
}

Status branch_copy(const Branch *from, const char *dir, const size_t *steps, size_t count,
                   Err *err) {
    static const char *const LOGS[] = {"train.jsonl", "probe.jsonl", "eval.jsonl"};
    char to[PATH_SIZE];
    checkpoint_path(to, dir, from->step);
    if (copy_file(from->path, from->run, to, dir, err)) return err->status;
    rundir_path(to, dir, BEST);
    if (*from->best && copy_file(from->best, from->run, to, dir, err)) return err->status;
    for (size_t i = 0; i < COUNT(LOGS); i++)
        if (copy_own(from, dir, LOGS[i], err)) return err->status;
    return copy_snapshots(from, dir, steps, count, err);
}

void branch_remove(const Branch *from, const char *dir) {
    char path[PATH_SIZE];
    checkpoint_path(path, dir, from->step);
    openfile_remove(path, dir);
    rundir_path(path, dir, BEST);
    openfile_remove(path, dir);
}
