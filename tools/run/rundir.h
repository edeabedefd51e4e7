/* rundir: the folder that a run leaves behind.
 *
 *   recipe.ini  task.json  data.json  run.json  answers.json  train.jsonl  probe.jsonl  eval.jsonl
 *   checkpoints/step-00000250.safetensors  checkpoints/best.safetensors  figures/  report.html
 *   sharpness/ (what probe.sharpness has still to measure)
 *
 * Paths are built here and nowhere else. */
#ifndef STEADY_RUNDIR_H
#define STEADY_RUNDIR_H

#include <jansson.h>
#include <stdio.h>

#include "engine/core/base.h"

enum { PATH_SIZE = 1400 };

/* A path inside the run folder, into a buffer of PATH_SIZE. */
void rundir_path(char path[PATH_SIZE], const char *dir, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* FAIL_USAGE unless there is no such folder, or nothing in it but what a process that was
 * killed at once had made: empty folders of the names in `folders`, and the file
 * `draft`. */
Status rundir_check_empty(const char *dir, const char *const *folders, const char *draft,
                          Err *err);
/* The same for a new run; a folder that holds one already says how to resume it. */
Status rundir_check_free(const char *dir, Err *err);

/* The folders on a path that were made: all from the one whose path has
 * `shortest` bytes; 0: none. */
typedef struct MadeFolders {
    size_t shortest;
} MadeFolders;

/* mkdir -p.  After a failure what was made is removed. */
Status rundir_make_folders(const char *path, MadeFolders *made, Err *err);
/* Those that were made, as far as they are empty. */
void rundir_remove_folders(const char *path, const MadeFolders *made);

/* checkpoints/ and figures/ */
Status rundir_create(const char *dir, Err *err);
bool rundir_holds_run(const char *dir);
/* FAIL_USAGE for a folder without one, FAIL_DATA for one that cannot be read. */
Status rundir_check_run(const char *dir, Err *err);

/* For one process alone: *lock is to be closed after use.  FAIL_RUN when another process
 * has it.  A file system that knows no locks gives -1 and OK. */
Status rundir_lock(const char *dir, int *lock, Err *err);

/* NAME.new, which has been written, takes the place of NAME: whole or not at all. */
Status rundir_replace(const char *dir, const char *name, Err *err);
/* The same of an object, which is taken over, with its draft; flags of json_dumpf. */
Status rundir_save_json(const char *dir, const char *name, json_t *root, size_t flags,
                        Err *err);
/* NAME read; the caller releases it (json_decref).  NULL: err says why. */
json_t *rundir_load_json(const char *dir, const char *name, Err *err);
/* The same of a file that need not be there: NULL with err OK when it is not. */
json_t *rundir_load_json_if_any(const char *dir, const char *name, Err *err);

/* Takes back what a run without a checkpoint has made in a folder that was free: its best
 * weights and half-written files, too; recipe.ini goes last.  Files of other names
 * stay. */
void rundir_remove_unbegun(const char *dir);

/* A JSON number with nine significant digits, or null where x is not finite. */
json_t *json_number(double x);

/* A JSON string of a name; file names that are not UTF-8 are taken for Latin-1. */
json_t *json_text(const char *text);

/* ---- checkpoints ---- */

void checkpoint_path(char path[PATH_SIZE], const char *dir, size_t step);

/* FAIL_DATA where the folder of checkpoints is there and cannot be read. */
Status checkpoint_check_folder(const char *dir, Err *err);

/* The step of the newest checkpoint, or of the newest below `before`; 0: there is
 * none. */
size_t checkpoint_newest(const char *dir, size_t before);

/* Removes all but the newest `keep` (at least one), and what a killed process left half
 * written. */
void checkpoint_prune(const char *dir, size_t keep);

#endif
