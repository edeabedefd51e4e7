/* state: the folder of a sweep, its lock and sweep.json (tools/sweep/sweep.h). */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "data/file/textbuffer.h"
#include "tools/program/stop.h"
#include "tools/program/textstream.h"
#include "tools/run/rundir.h"
#include "tools/sweep/origin.h"
#include "tools/sweep/state.h"
#include "tools/sweep/whole.h"

#define SECONDS_MOST 1e9 /* 30 years */

enum { LOCK_WAIT = 60 }; /* seconds; a run that was told to stop saves within a step */

/* ---- sweep.json ---- */

/* NULL with err OK: there is none. */
static json_t *load_state(const char *dir, Err *err) {
    json_t *state = rundir_load_json_if_any(dir, "sweep.json", err);
    if (!state || json_is_array(json_object_get(state, "words"))) return state;
    json_decref(state);
    err_set(err, FAIL_DATA, "%s/sweep.json:1: no words; not the state of a sweep", dir);
    return NULL;
}

char **sweep_load_words(const char *dir, size_t *count, Err *err) {
    Err why = ERR_NONE;
    json_t *state = load_state(dir, &why);
    char **words = state ? words_of(json_object_get(state, "words"), count) : NULL;
    json_decref(state);
    if (why.status) err_set(err, why.status, "%s", why.text);
    else if (!words)
        err_set(err, FAIL_USAGE,
                "%s is not the folder of a sweep (no "
                "sweep.json)",
                dir);
    return words;
}

/* ---- how cells ended ---- */

static SweepCell *find_cell(Sweep *sweep, const char *name) {
    for (size_t c = 0; c < sweep->cell_count && name; c++)
        if (!strcmp(sweep->cells[c].name, name)) return &sweep->cells[c];
    return NULL;
}

static double time_of(const json_t *row, const char *key) {
    const json_t *number = json_object_get(row, key);
    double seconds = json_is_number(number) ? json_number_value(number) : NAN;
    return seconds >= 0 ? fmin(seconds, SECONDS_MOST) : NAN;
}

/* A row without the number of its sessions (an older version) has all there are. */
static void take_times(SweepCell *cell, const char *dir, const json_t *row) {
    const json_t *seen = json_object_get(row, "sessions");
    Sessions all = sessions_load(dir);
    cell->seconds = time_of(row, "seconds");
    cell->cpu_seconds = time_of(row, "cpu_seconds");
    cell->sessions = all.count;
    if (json_is_integer(seen) && json_integer_value(seen) >= 0)
        cell->sessions = MIN(all.count, (size_t)json_integer_value(seen));
    sessions_free(&all);
}

static Status take_cell(Sweep *sweep, const json_t *row, Err *err) {
    char *name = word_of(json_object_get(row, "name"));
    SweepCell *cell = find_cell(sweep, name);
    mem_free(name);
    const json_t *code = json_object_get(row, "exit");
    if (!cell || !json_is_integer(code)) return OK;
    size_t index = (size_t)(cell - sweep->cells);
    char dir[PATH_SIZE];
    sweep_cell_dir(sweep, index, dir, sizeof dir);
    if (!rundir_holds_run(dir)) return OK; /* removed since: it is run again */
    cell->exit = (int)json_integer_value(code);
    take_times(cell, dir, row);
    if (!sweep_has_ended(cell)) return OK;
    Status status = sweep_check_words_of(sweep, index, err);
    if (!status) status = sweep_read_result(sweep, index, err);
    return status ? status : whole_check_row(sweep, index, row, err);
}

static bool row_has_ended(const char *dir, const json_t *row) {
    const json_t *code = json_object_get(row, "exit");
    SweepCell cell = {.exit = json_is_integer(code) ? (int)json_integer_value(code)
                                                    : SWEEP_OPEN};
    char *name = word_of(json_object_get(row, "name")), path[PATH_SIZE];
    rundir_path(path, dir, "cells/%s", name);
    bool ended =
        strlen(name) < SWEEP_NAME && sweep_has_ended(&cell) && rundir_holds_run(path);
    mem_free(name);
    return ended;
}

bool sweep_is_over(const char *dir) {
    json_t *state = load_state(dir, NULL);
    const json_t *rows = json_object_get(state, "cells");
    bool over = json_array_size(rows) > 0;
    for (size_t i = 0; i < json_array_size(rows) && over; i++)
        over = row_has_ended(dir, json_array_get(rows, i));
    json_decref(state);
    return over;
}

bool sweep_take_over(Sweep *sweep, const char *dir) {
    if (strlen(dir) >= sizeof sweep->dir || !sweep_is_over(dir)) return false;
    text_format(sweep->dir, sizeof sweep->dir, "%s", dir);
    recipes_forget(sweep);
    sweep->trained = sweep;
    return true;
}

/* The criterion that the sweep had, unless there is another now. */
static Status take_fail(Sweep *sweep, const json_t *state, Err *err) {
    const char *text =
        json_string_value(json_object_get(json_object_get(state, "fail"), "criterion"));
    if (!text || sweep->fail || !sweep_restore_fail(sweep, text, err)) return OK;
    err->status = FAIL_DATA;
    return err_wrap(err, "%s/sweep.json", sweep->dir);
}

Status sweep_look(Sweep *sweep, const char *dir, Err *err) {
    if (strlen(dir) >= sizeof sweep->dir)
        return err_set(err, FAIL_USAGE, "the name of the sweep's folder is too long");
    text_format(sweep->dir, sizeof sweep->dir, "%s", dir);
    recipes_forget(sweep);
    if (rundir_holds_run(dir))
        return err_set(err, FAIL_USAGE,
                       "%s contains a run, not a sweep; choose another folder", dir);
    Err why = ERR_NONE;
    static const char *const FOLDERS[] = {"cells", NULL};
    json_t *state = load_state(dir, &why);
    Status status = why.status ? err_set(err, why.status, "%s", why.text) : OK;
    if (!state && !status)
        status = rundir_check_empty(dir, FOLDERS, "sweep.json.new", err);
    if (state) status = sweep_check_words(sweep, state, err);
    recipes_forget(sweep);
    if (state && !status) status = sweep_check_cells(sweep, err);
    if (!status) status = sweep_take_plan(sweep, state, err);
    if (state && !status) status = take_fail(sweep, state, err);
    json_decref(sweep->choice);
    sweep->choice = json_incref(json_object_get(state, "choice"));
    json_decref(sweep->told);
    sweep->told =
        json_incref(json_object_get(json_object_get(state, "plan"), "deviations"));
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(state, "cells"), i, row) if (!status) status =
        take_cell(sweep, row, err);
    json_decref(state);
    if (!status) choice_settle(sweep);
    return status ? status : origin_check_data(sweep, 1, err);
}

Status sweep_read(Sweep *sweep, const char *dir, Err *err) {
    sweep->trained = sweep;
    Status status = sweep_look(sweep, dir, err);
    if (!status) sweep_note_recipes(sweep);
    return status;
}

/* ---- the lock ---- */

/* flock belongs to the open descriptor, which the runs inherit: it is free when all are
 * gone.  A file system without locks goes without. */
static Status take_lock(Sweep *sweep, Err *err) {
    sweep->lock = open(sweep->dir, O_RDONLY | O_DIRECTORY);
    double since = clock_now();
    for (bool told = false;
         flock(sweep->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;) {
        if (!told)
            fprintf(stderr, "%s is in use; waiting until its runs end\n", sweep->dir);
        told = true;
        if (stop_requested()) return err_set(err, FAIL_INTERRUPTED, "interrupted");
        if (clock_now() - since > LOCK_WAIT)
            return err_set(err, FAIL_RUN,
                           "%s is in use by another sweep; wait until it ends (steady "
                           "watch %s shows its runs), or interrupt it: its runs are "
                           "saved",
                           sweep->dir, sweep->dir);
        nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
    }
    return OK;
}

/* A baseline is one of the methods that the call and the folder together choose. */
static Status look_and_choose(Sweep *sweep, const char *dir, Err *err) {
    Status status = sweep_look(sweep, dir, err);
    SweepChoice choice = sweep_choice(sweep);
    return status || !choice.base ? status : sweep_check_choice(sweep, &choice, err);
}

Status sweep_begin(Sweep *sweep, const char *dir, Err *err) {
    char path[PATH_SIZE];
    MadeFolders made;
    Status status =
        look_and_choose(sweep, dir, err); /* makes nothing in a folder that is refused */
    if (!status && sweep->trained) sweep_note_recipes(sweep);
    if (!status) status = sweep_note_places(sweep, stderr, err);
    if (!status) status = sweep_write_plan(sweep, err);
    if (!status) status = rundir_make_folders(dir, &made, err);
    if (status) return status;
    status = take_lock(sweep, err);
    if (!status) status = look_and_choose(sweep, dir, err); /* now with nobody writing */
    if (!status) status = sweep_save(sweep, err);
    rundir_path(path, dir, "cells");
    if (!status) status = openfile_make_folder(path, dir, err);
    if (!status) status = sweep_keep_plan(sweep, err);
    if (status) rundir_remove_folders(dir, &made);
    return status;
}
