/* run: a process for each cell, so many at a time (tools/sweep/sweep.h). */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "tools/program/spawn.h"
#include "tools/program/stop.h"
#include "tools/run/rundir.h"
#include "tools/run/session.h"
#include "tools/sweep/origin.h"
#include "tools/sweep/show.h"
#include "tools/sweep/state.h"

typedef struct Job {
    pid_t pid; /* 0: free */
    size_t cell;
    double started;
    double cpu_seconds; /* of a process that has ended */
    double cpu_before;  /* of the cell's processes before it */
} Job;

typedef struct Runner {
    Sweep *sweep;
    Job *jobs; /* [job_count] */
    size_t job_count, running, threads, next;
    bool reports, force;
    bool told; /* the runs have been asked to stop */
    SweepShow show;
} Runner;

/* ---- one process ---- */

static void log_path(const Sweep *sweep, size_t cell, char path[PATH_SIZE]) {
    rundir_path(path, sweep->dir, "cells/%s.log", sweep->cells[cell].name);
}

static Status spawn(char **argv, const char *log_name, const char *root, pid_t *pid,
                    Err *err) {
    int log = openfile_append(log_name, root, err);
    if (log < 0) return err->status;
    spawn_start(&(Spawn){.argv = argv, .out = log, .error = log}, pid, err);
    close(log);
    return err->status;
}

/* ---- one cell ---- */

/* A run without a checkpoint begins again, in its folder and whatever else is there.  One
 * of another recipe, which may have changed since, is taken back. */
static bool can_resume(const Sweep *sweep, size_t cell, const char *dir) {
    if (!rundir_holds_run(dir)) return false;
    if (checkpoint_newest(dir, SIZE_MAX) || !sweep_check_recipe(sweep, cell, NULL))
        return true;
    rundir_remove_unbegun(dir);
    return false;
}

/* What trained the run while no sweep looked: one that was killed leaves its runs to end
 * by themselves, and a run may be resumed by hand. */
static void take_unseen(SweepCell *cell, const char *dir) {
    Sessions all = sessions_load(dir);
    for (size_t i = cell->sessions; i < all.count; i++) {
        cell->seconds += all.list[i].seconds;
        cell->cpu_seconds = NAN;
    }
    cell->sessions = all.count;
    sessions_free(&all);
}

/* Of a cell that no process has trained, zero. */
static double cpu_before(const SweepCell *cell) {
    return cell->exit == SWEEP_OPEN && !cell->sessions ? 0 : cell->cpu_seconds;
}

/* train RECIPE --out DIR, or train --resume DIR; words are to follow. */
static size_t fill_arguments(const Runner *r, size_t cell, char *dir, char *threads,
                             char **argv) {
    const Sweep *sweep = r->sweep;
    size_t n = 0;
    argv[n++] = program_invocation_name;
    argv[n++] = "train";
    if (can_resume(sweep, cell, dir)) {
        argv[n++] = "--resume";
        argv[n++] = dir;
    } else {
        argv[n++] = "--out";
        argv[n++] = dir;
        argv[n++] = sweep->axes[0].values[sweep_index(sweep, cell, 0)];
    }
    if (!r->reports) argv[n++] = "--no-report";
    if (r->force) argv[n++] = "--force";
    if (*threads) argv[n++] = threads;
    return n;
}

static Status start_cell(Runner *r, size_t cell, Err *err) {
    const Sweep *sweep = r->sweep;
    char dir[PATH_SIZE], log[PATH_SIZE], threads[40] = "";
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Status status = sweep_recipe(sweep, cell, recipe, err);
    if (!recipe->train.threads)
        text_format(threads, sizeof threads, "train.threads=%zu", r->threads);
    mem_free(recipe);
    if (status) return status;
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    log_path(sweep, cell, log);
    size_t count;
    char **words = sweep_cell_words(sweep, cell, &count);
    char **argv = mem_zalloc((count + 9) * sizeof *argv);
    size_t fixed = fill_arguments(r, cell, dir, threads, argv);
    memcpy(argv + fixed, words, count * sizeof *argv);
    Job *job = r->jobs;
    while (job->pid) job++;
    take_unseen(&r->sweep->cells[cell], dir);
    *job = (Job){.cell = cell,
                 .started = clock_now(),
                 .cpu_before = cpu_before(&r->sweep->cells[cell])};
    status = spawn(argv, log, sweep->dir, &job->pid, err);
    if (status) {
        job->pid = 0;
    } else {
        r->running++;
        show_begun(&r->show, cell);
    }
    sweep_free_words(words, count);
    mem_free(argv);
    return status;
}

static void count_sessions(Sweep *sweep, size_t cell) {
    char dir[PATH_SIZE];
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    Sessions all = sessions_load(dir);
    sweep->cells[cell].sessions = all.count;
    sessions_free(&all);
}

static Status take_end(Runner *r, Job *job, int state, Err *err) {
    SweepCell *cell = &r->sweep->cells[job->cell];
    char log[PATH_SIZE];
    cell->exit = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    cell->seconds += clock_now() - job->started;
    cell->cpu_seconds = job->cpu_before + job->cpu_seconds;
    count_sessions(r->sweep, job->cell);
    job->pid = 0;
    r->running--;
    Status status = OK;
    if (sweep_has_ended(cell)) {
        status = sweep_read_result(r->sweep, job->cell, err);
        if (!status) show_cell(&r->show, job->cell);
    } else if (!r->told && !stop_requested()) {
        log_path(r->sweep, job->cell, log);
        show_failure(&r->show, job->cell, log);
    }
    if (!status) status = sweep_save(r->sweep, err);
    return status ? status : origin_check_data(r->sweep, 1, err);
}

/* Processor time of a process and of those that it has waited for. */
static double cpu_of(const struct rusage *used) {
    return (double)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) +
           1e-6 * (double)(used->ru_utime.tv_usec + used->ru_stime.tv_usec);
}

/* ---- all of them ---- */

static Status start_some(Runner *r, Err *err) {
    Status status = OK;
    for (; r->running < r->job_count && r->next < r->sweep->cell_count && !status;
         r->next++)
        if (!sweep_has_ended(&r->sweep->cells[r->next]))
            status = start_cell(r, r->next, err);
    return status;
}

static Status collect(Runner *r, Err *err) {
    Status status = OK;
    for (Job *job = r->jobs; job < r->jobs + r->job_count; job++) {
        int state = FAIL_RUN << 8; /* of a run that nobody can be asked about any more */
        struct rusage used = {0};
        pid_t ended = job->pid ? wait4(job->pid, &state, WNOHANG, &used) : 0;
        if (ended == 0 || (ended < 0 && errno == EINTR)) continue;
        job->cpu_seconds = ended > 0 ? cpu_of(&used) : NAN;
        Status one = take_end(r, job, state, err);
        if (one) status = one;
    }
    return status;
}

static void tell_to_stop(Runner *r) {
    if (r->told) return;
    r->told = true;
    for (size_t j = 0; j < r->job_count; j++)
        if (r->jobs[j].pid) kill(r->jobs[j].pid, SIGTERM);
    if (r->running)
        show_say(&r->show, "stopping: waiting for %zu run%s to save", r->running,
                 r->running == 1 ? "" : "s");
}

/* After a failure of the sweep itself (a full disk) the runs are stopped as well. */
static Status loop(Runner *r, Err *err) {
    Status status = OK;
    for (;;) {
        if (!r->told && !status && !stop_requested()) status = start_some(r, err);
        if (status || stop_requested()) tell_to_stop(r);
        if (!r->running) break;
        show_running(&r->show);
        nanosleep(&(struct timespec){.tv_nsec = 30 * 1000 * 1000}, NULL);
        Err late = ERR_NONE;
        if (collect(r, status ? &late : err) && !status) status = err->status;
    }
    show_end(&r->show);
    return status;
}

size_t sweep_share(const Sweep *sweep, const SweepPace *pace) {
    return MAX(pace->threads / MIN(pace->jobs, sweep->cell_count), (size_t)1);
}

Status sweep_run(Sweep *sweep, const SweepPace *pace, Err *err) {
    Runner r = {.sweep = sweep,
                .job_count = MIN(pace->jobs, sweep->cell_count),
                .threads = sweep_share(sweep, pace),
                .reports = pace->reports,
                .force = pace->force};
    r.jobs = mem_zalloc(r.job_count * sizeof *r.jobs);
    show_start(&r.show, sweep);
    Status status = loop(&r, err);
    mem_free(r.jobs);
    if (status) return status;
    size_t open = 0;
    for (size_t c = 0; c < sweep->cell_count; c++)
        open += !sweep_has_ended(&sweep->cells[c]);
    if (open && r.told)
        return err_set(err, FAIL_INTERRUPTED, "interrupted; %zu of %zu runs remain", open,
                       sweep->cell_count);
    if (open)
        return err_set(err, FAIL_RUN, "%zu of %zu runs failed", open, sweep->cell_count);
    return OK;
}
