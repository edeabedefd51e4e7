/* across: several sweeps compared (tools/sweep/sweep.h). */
#include <string.h>
#include <sys/stat.h>

#include "tools/sweep/compare.h"
#include "tools/sweep/origin.h"

static Status load_sweep(Sweep *sweep, const char *dir, Err *err) {
    size_t count = 0;
    char **words = sweep_load_words(dir, &count, err);
    if (!words) return err->status;
    Status status = sweep_open(sweep, (const char *const *)words, count, err);
    if (!status) status = sweep_read(sweep, dir, err);
    sweep_free_words(words, count);
    return status;
}

/* "runs/a: 12 of 12 runs ended" */
static void introduce(const Sweep *sweep, FILE *out) {
    size_t ended = 0;
    char definition[SWEEP_DEFINITION];
    for (size_t c = 0; c < sweep->cell_count; c++)
        ended += sweep_has_ended(&sweep->cells[c]);
    fprintf(out, "%s: %zu of %zu runs ended\n", sweep->dir, ended, sweep->cell_count);
    if (ended < sweep->cell_count) {
        fputs("    left out:", out);
        sweep_print_open(sweep, out);
        fputs("\n", out);
    }
    if (!sweep->fail) return;
    sweep_fail_definition(sweep, definition, sizeof definition);
    fprintf(out, "    %s\n", definition);
}

/* A link, or another way to write it, is the same folder: its runs would count twice. */
static Status check_once(const char *const *dirs, size_t count, Err *err) {
    struct stat own, other;
    for (size_t s = 1; s < count; s++)
        for (size_t o = 0; o < s; o++) {
            if (!strcmp(dirs[o], dirs[s]))
                return err_set(err, FAIL_USAGE, "%s is given twice", dirs[s]);
            if (!stat(dirs[s], &own) && !stat(dirs[o], &other) &&
                own.st_dev == other.st_dev && own.st_ino == other.st_ino)
                return err_set(err, FAIL_USAGE, "%s and %s are one folder, given twice",
                               dirs[o], dirs[s]);
        }
    return OK;
}

static Status compare(Sweep *sweeps, size_t count, const SweepAcross *across, FILE *out,
                      Err *err) {
    Pool pool;
    SweepChoice choice = sweep_choice_across(sweeps, count, &across->choice);
    Status status = pool_open(&pool, sweeps, count, &choice, err);
    if (status) return status;
    Comparison comparison = compare_new(&pool);
    if (across->figure && pool.rates.count < 2)
        status = err_set(err, FAIL_USAGE,
                         "%s not written: the runs do not differ in "
                         "optim.lr",
                         across->figure);
    for (size_t s = 0; s < count && !status; s++) introduce(&sweeps[s], out);
    if (!status) {
        pool_print_criteria(&pool, "", out);
        origin_print(sweeps, count, out);
        fputs("\n", out);
        compare_print_groups(&pool, &comparison, out);
        compare_print(&pool, &comparison, out);
    }
    if (!status && across->figure)
        status = compare_draw(&pool, &comparison, across->figure, NULL, true,
                              across->theme, err);
    compare_free(&comparison);
    pool_close(&pool);
    return status;
}

Status sweep_open_folders(const char *const *dirs, size_t count, const char *fail,
                          Sweep **opened, Err *err) {
    Sweep *sweeps = *opened = mem_alloc(count * sizeof *sweeps);
    Status status = check_once(dirs, count, err);
    for (size_t s = 0; s < count; s++) sweeps[s] = (Sweep){.lock = -1};
    for (size_t s = 0; s < count && !status; s++) {
        status = load_sweep(&sweeps[s], dirs[s], err);
        if (!status && fail) status = sweep_set_fail(&sweeps[s], fail, err);
        if (!status && !fail) sweep_judge(&sweeps[s]);
    }
    if (!status) status = origin_check_data(sweeps, count, err);
    if (!status && fail) sweep_judge_together(sweeps, count);
    return status;
}

void sweep_close_folders(Sweep *sweeps, size_t count) {
    for (size_t s = 0; s < count; s++) sweep_close(&sweeps[s]);
    mem_free(sweeps);
}

Status sweep_compare(const char *const *dirs, size_t count, const SweepAcross *across,
                     FILE *out, Err *err) {
    Sweep *sweeps;
    Status status = sweep_open_folders(dirs, count, across->fail, &sweeps, err);
    if (!status) status = compare(sweeps, count, across, out, err);
    sweep_close_folders(sweeps, count);
    return status;
}
