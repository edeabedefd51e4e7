/* sharpness: measured every probe.sharpness steps of a run, by steady64 in a process of
 * its own (tools/train/parts.h).
 *
 * A step that is due leaves DIR/sharpness/step-N.safetensors, a checkpoint, before any
 * checkpoint of that step or a later one; it goes when its row is in probe.jsonl and on
 * the disk.  So a run that was killed finds what is still to be measured. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "engine/core/grow.h"
#include "tools/probe/sharpness.h"
#include "tools/program/double.h"
#include "tools/program/spawn.h"
#include "tools/program/stop.h"
#include "tools/run/runlog.h"
#include "tools/train/parts.h"

/* Snapshots that may wait before training does. */
enum { WAITING_MOST = 8, NICE = 10, NAME_SIZE = 80 };

static void path_of(const Trainer *t, size_t step, const char *ending,
                    char path[PATH_SIZE]) {
    rundir_path(path, t->dir, "sharpness/step-%08zu.%s", step, ending);
}

static void remove_files(const Trainer *t, size_t step) {
    static const char *const ENDINGS[] = {"safetensors", "safetensors.new", "json",
                                          "log"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < COUNT(ENDINGS); i++) {
        path_of(t, step, ENDINGS[i], path);
        openfile_remove(path, t->dir);
    }
}

static Status want(const Recipe *now, void *input, Err *err) {
    (void)err;
    *(bool *)input |= now->probe.sharpness.value > 0;
    return OK;
}

bool trainer_wants_sharpness(const Trainer *t) {
    Acted acted = trainer_acted_ahead(t);
    bool wanted = false;
    intervene_check_ahead(t->base, &acted, want, &wanted, NULL);
    return wanted;
}

Status trainer_check_sharpness(const Trainer *t, Err *err) {
    char path[1000];
    if (!trainer_wants_sharpness(t) || sharpness_check(err)) return err->status;
    return double_path(path, sizeof path, err);
}

/* ---- what waits ---- */

static void push(SharpnessQueue *q, size_t step) {
    GROW(q->step, q->count, q->room, 1);
    size_t at = q->count++;
    for (; at && q->step[at - 1] > step; at--) q->step[at] = q->step[at - 1];
    q->step[at] = step;
}

static void pop(SharpnessQueue *q) {
    memmove(q->step, q->step + 1, --q->count * sizeof *q->step);
}

static bool has_row(const RunLog *run, size_t step) {
    for (size_t i = 0; run && i < run->probe.sharpness_count; i++)
        if (run->probe.sharpness[i].step == (double)step) return true;
    return false;
}

/* "step-00000300.safetensors" -> 300; 0: no snapshot's name, "" or another ending. */
static size_t step_of(const char *name, bool *whole) {
    static const char START[] = "step-";
    char *end = NULL, wanted[NAME_SIZE];
    if (strncmp(name, START, sizeof START - 1)) return 0;
    size_t step = strtoull(name + sizeof START - 1, &end, 10);
    text_format(wanted, sizeof wanted, "step-%08zu.safetensors", step);
    *whole = !strcmp(name, wanted);
    return *end == '.' ? step : 0;
}

void trainer_find_sharpness(Trainer *t, bool clean) {
    char path[PATH_SIZE];
    rundir_path(path, t->dir, "sharpness");
    DIR *folder =
        openfile_exists(path, t->dir) ? openfile_folder(path, t->dir, NULL) : NULL;
    RunLog *run = folder ? runlog_open(t->dir, NULL) : NULL;
    t->sharpness.count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        bool whole = false;
        size_t step = step_of(entry->d_name, &whole);
        bool wanted = step && step <= t->at.step && !has_row(run, step);
        if (wanted && whole) push(&t->sharpness, step);
        else if (step && !wanted && clean) remove_files(t, step);
    }
    runlog_free(run);
    if (folder) closedir(folder);
}

/* ---- one measurement ---- */

static Status start(Trainer *t, Err *err) {
    SharpnessQueue *q = &t->sharpness;
    char program[1000], snapshot[PATH_SIZE], out[PATH_SIZE], log[PATH_SIZE], sample[30];
    if (double_path(program, sizeof program, err)) return err->status;
    path_of(t, *q->step, "safetensors", snapshot);
    path_of(t, *q->step, "json", out);
    path_of(t, *q->step, "log", log);
    text_format(sample, sizeof sample, "%zu", t->recipe->probe.sharpness_sample);
    char *argv[] = {program,  "probe",           t->dir, "--sharpness",
                    "--json", "--sample",        sample, "--checkpoint",
                    snapshot, "train.threads=1", NULL};
    Spawn spawn = {.program = program,
                   .argv = argv,
                   .out = openfile_create(out, t->dir, err),
                   .error = -1,
                   .nice = NICE,
                   .alone = true};
    if (spawn.out >= 0) spawn.error = openfile_create(log, t->dir, err);
    if (spawn.error >= 0) spawn_start(&spawn, &q->pid, err);
    if (spawn.out >= 0) close(spawn.out);
    if (spawn.error >= 0) close(spawn.error);
    return err->status;
}

/* The last line of what it said. */
static void read_reason(const Trainer *t, size_t step, char *text, size_t size) {
    char path[PATH_SIZE];
    size_t length = 0;
    path_of(t, step, "log", path);
    char *all = openfile_text(path, t->dir, 1 << 20, &length, NULL);
    while (length && all[length - 1] == '\n') all[--length] = 0;
    char *line = length ? memrchr(all, '\n', length) : NULL;
    text_format(text, size, "%.400s", line ? line + 1 : length ? all : "no message");
    mem_free(all);
}

/* Its row, or NULL. */
static json_t *read_row(const Trainer *t, size_t step) {
    char path[PATH_SIZE];
    path_of(t, step, "json", path);
    json_t *row = openfile_json(path, t->dir, NULL);
    size_t own = (size_t)json_integer_value(json_object_get(row, "step"));
    if (own == step && json_is_object(json_object_get(row, "sharpness"))) return row;
    json_decref(row);
    return NULL;
}

static void say_row(Trainer *t, const json_t *row, size_t step) {
    const json_t *inner = json_object_get(row, "sharpness");
    const json_t *own = json_object_get(inner, "preconditioned");
    const json_t *raw = json_object_get(inner, "raw");
    double first = json_number_value(json_array_get(own, 0)), largest = 0;
    for (size_t i = 0; i < json_array_size(own); i++)
        largest = fmax(largest, json_number_value(json_array_get(own, i)));
    double threshold = json_number_value(json_object_get(inner, "threshold"));
    char text[120] = "";
    if (json_array_size(own) && threshold > 0)
        text_format(text, sizeof text, "preconditioned %.5g (%.3g of the threshold); ",
                    first, largest / threshold);
    progress_say(&t->progress, "sharpness of step %zu: %sraw %.5g", step, text,
                 json_number_value(json_array_get(raw, 0)));
}

/* What failed is a row, too: it is not measured again. */
static json_t *failed_row(Trainer *t, size_t step, int state) {
    char reason[450], how[60];
    read_reason(t, step, reason, sizeof reason);
    if (WIFSIGNALED(state)) text_format(how, sizeof how, "signal %d", WTERMSIG(state));
    else text_format(how, sizeof how, "exit code %d", WEXITSTATUS(state));
    progress_say(&t->progress, "warning: sharpness of step %zu was not measured (%s): %s",
                 step, how, reason);
    return json_pack("{s:I, s:n, s:o}", "step", (json_int_t)step, "sharpness", "text",
                     json_text(reason));
}

static bool was_interrupted(int state) {
    return stop_requested() &&
           (WIFSIGNALED(state) || WEXITSTATUS(state) == FAIL_INTERRUPTED);
}

static Status take_result(Trainer *t, int state, Err *err) {
    SharpnessQueue *q = &t->sharpness;
    size_t step = *q->step;
    q->pid = 0;
    if (was_interrupted(state)) return OK; /* at the resume */
    json_t *row = WIFEXITED(state) && !WEXITSTATUS(state) ? read_row(t, step) : NULL;
    if (row) say_row(t, row, step);
    else row = failed_row(t, step, state);
    if (log_row(&t->probe_log, row, err) || log_sync(&t->probe_log, err))
        return err->status;
    remove_files(t, step);
    pop(q);
    return OK;
}

/* Looks after the process; starts the next. */
static Status turn(Trainer *t, Err *err) {
    SharpnessQueue *q = &t->sharpness;
    int state = FAIL_RUN << 8; /* of a process that nobody can be asked about any more */
    pid_t ended = q->pid ? waitpid(q->pid, &state, WNOHANG) : 0;
    if (ended > 0 || (ended < 0 && errno != EINTR)) take_result(t, state, err);
    if (err->status || q->pid || !q->count || stop_requested()) return err->status;
    return start(t, err);
}

/* Until no more than `most` wait. */
static Status wait_for(Trainer *t, size_t most, Err *err) {
    while (!turn(t, err) && t->sharpness.count > most && !stop_requested())
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    return err->status;
}

static void stop_measuring(Trainer *t) {
    SharpnessQueue *q = &t->sharpness;
    if (!q->pid) return;
    kill(q->pid, SIGTERM);
    while (waitpid(q->pid, NULL, 0) < 0 && errno == EINTR) continue;
    q->pid = 0;
}

/* ---- in the run ---- */

static Status save_snapshot(Trainer *t, size_t step, Err *err) {
    char path[PATH_SIZE];
    rundir_path(path, t->dir, "sharpness");
    if (openfile_make_folder(path, t->dir, err)) return err->status;
    path_of(t, step, "safetensors", path);
    if (trainer_save(t, path, err)) return err->status;
    push(&t->sharpness, step);
    return OK;
}

/* Periods of so many epochs that are over: the logged epoch's, but for its rounding. */
static double periods(const Trainer *t, size_t step, double epochs) {
    double count = floor(trainer_epoch(t, step) / epochs);
    return count + (step >= trainer_step_of(t, (count + 1) * epochs));
}

static bool is_due(const Trainer *t, size_t step) {
    Moment every = t->recipe->probe.sharpness;
    if (!(every.value > 0)) return false;
    if (every.unit == MOMENT_STEPS) return step % (size_t)every.value == 0;
    return periods(t, step, every.value) > periods(t, step - 1, every.value);
}

Status trainer_log_sharpness(Trainer *t, size_t step, Err *err) {
    if (!ranks_lead(t->ranks)) return OK;
    if (is_due(t, step) && save_snapshot(t, step, err)) return err->status;
    if (t->sharpness.count <= WAITING_MOST) return turn(t, err);
    if (!t->sharpness.said)
        progress_say(&t->progress,
                     "training waits for %zu sharpness measurements; to avoid this: a "
                     "larger probe.sharpness or a smaller probe.sharpness_sample",
                     t->sharpness.count);
    t->sharpness.said = true;
    return wait_for(t, WAITING_MOST, err);
}

void trainer_go_back_sharpness(Trainer *t) {
    if (!ranks_lead(t->ranks)) return;
    bool dropped = t->sharpness.count && *t->sharpness.step > t->at.step;
    if (dropped) stop_measuring(t);
    pid_t pid = t->sharpness.pid;
    trainer_find_sharpness(t, true);
    t->sharpness.pid = pid;
}

static void remove_folder(const Trainer *t) {
    char path[PATH_SIZE];
    rundir_path(path, t->dir, "sharpness");
    openfile_remove(path, t->dir);
}

Status trainer_end_sharpness(Trainer *t, Err *err) {
    SharpnessQueue *q = &t->sharpness;
    bool worth =
        !err->status || err->status == FAIL_DIVERGED || err->status == FAIL_COLLAPSED;
    Err own = ERR_NONE;
    if (!ranks_lead(t->ranks)) return err->status;
    if (worth && q->count && !turn(t, &own) && q->count)
        progress_say(&t->progress,
                     "waiting for steady64: %zu sharpness measurement%s (steps %zu to "
                     "%zu)",
                     q->count, q->count == 1 ? "" : "s", *q->step, q->step[q->count - 1]);
    if (worth && !own.status) wait_for(t, 0, &own);
    stop_measuring(t);
    remove_folder(t); /* an empty one */
    if (err->status) return err->status;
    if (!own.status && q->count)
        err_set(&own, FAIL_INTERRUPTED,
                "interrupted; %zu sharpness measurements are pending, --resume continues "
                "them",
                q->count);
    *err = own;
    return err->status;
}

void trainer_free_sharpness(Trainer *t) {
    stop_measuring(t);
    mem_free(t->sharpness.step);
}
