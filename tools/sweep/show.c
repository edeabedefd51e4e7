#include "tools/sweep/show.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "tools/program/progress.h"
#include "tools/program/say.h"
#include "tools/run/rundir.h"

enum { PLAIN_EVERY = 30, LINE = 400 };

void show_start(SweepShow *show, const Sweep *sweep) {
    const char *term = getenv("TERM");
    *show = (SweepShow){.sweep = sweep, .started = clock_now(), .shown = clock_now()};
    show->terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
    for (size_t c = 0; c < sweep->cell_count; c++)
        show->ended_before += sweep_has_ended(&sweep->cells[c]);
}

void show_end(SweepShow *show) {
    if (show->open_line) fprintf(stderr, "\r\033[K");
    show->open_line = false;
}

void show_say(SweepShow *show, const char *format, ...) {
    show_end(show);
    va_list args;
    va_start(args, format);
    say_list(format, args);
    va_end(args);
}

/* ---- cells that run ---- */

/* The last row of a step in whole lines of text, or NULL. */
static json_t *last_step(const char *text, size_t size) {
    while (size) {
        const char *before = memrchr(text, '\n', --size);
        size_t start = before ? (size_t)(before + 1 - text) : 0;
        json_t *row = json_loadb(text + start, size - start, 0, NULL);
        if (row && !json_object_get(row, "event")) return row;
        json_decref(row);
        size = start;
    }
    return NULL;
}

/* The last whole row of a step in the cell's train.jsonl, or NULL. */
static json_t *last_row(const Sweep *sweep, size_t cell) {
    char dir[PATH_SIZE], path[PATH_SIZE], tail[8192];
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    rundir_path(path, dir, "train.jsonl");
    FILE *file = openfile_stream(path, dir, NULL);
    if (!file) return NULL;
    if (fseek(file, -(long)sizeof tail + 1, SEEK_END)) rewind(file);
    size_t size = fread(tail, 1, sizeof tail - 1, file);
    fclose(file);
    while (size && tail[size - 1] != '\n') size--;
    return last_step(tail, size);
}

static double number(const json_t *row, const char *key) {
    return json_number_value(json_object_get(row, key));
}

/* Share of the run that is done, and its loss. */
static double look_at(const Sweep *sweep, size_t cell, double *loss) {
    json_t *row = last_row(sweep, cell);
    Recipe *recipe = mem_alloc(sizeof *recipe);
    double share = 0;
    *loss = row ? number(row, "loss") : NAN;
    if (row && !sweep_recipe(sweep, cell, recipe, NULL))
        share = recipe->train.steps ? number(row, "step") / (double)recipe->train.steps
                                    : number(row, "epoch") / recipe->train.epochs;
    mem_free(recipe);
    json_decref(row);
    return fmin(share, 1);
}

/* Time that is left, when the work of `done` cells is done.  What resumed cells had done
 * before took none of the time of this call. */
static void left_text(const SweepShow *show, double done, char *text, size_t size) {
    double all = (double)(show->sweep->cell_count - show->ended_before);
    double spent = clock_now() - show->started, now = done - show->spared;
    for (size_t i = 0; i < show->count; i++) now -= show->begun[i];
    if (now > 0.02) duration_text(spent / now * (all - done), text, size);
    else text_format(text, size, "?");
}

/* Cells' worth of work: those that have ended, and the shares of those that run. */
static double work_done(const SweepShow *show) {
    double done = (double)show->finished, loss;
    for (size_t i = 0; i < show->count; i++)
        done += look_at(show->sweep, show->running[i], &loss);
    return done;
}

void show_begun(SweepShow *show, size_t cell) {
    double loss;
    if (show->count == SHOW_RUNNING) return;
    show->begun[show->count] = look_at(show->sweep, cell, &loss);
    show->running[show->count++] = cell;
}

static void finish(SweepShow *show, size_t cell) {
    size_t i = 0;
    while (i < show->count && show->running[i] != cell) i++;
    if (i < show->count) {
        show->spared += show->begun[i];
        show->begun[i] = show->begun[--show->count];
        show->running[i] = show->running[show->count];
    }
    show->finished++;
}

/* ---- a cell that has come to its end ---- */

static void score_text(const SweepResult *r, char *text, size_t size) {
    Metric metric = metric_find(r->metric);
    if (!isfinite(r->score) || metric == METRIC_COUNT)
        text_format(text, size, "no score");
    else if (metrics[metric].brief)
        text_format(text, size, metrics[metric].brief,
                    metrics[metric].factor * fmax(fmin(r->score, 1e9), -1e9));
    else
        text_format(text, size, "%s %.4g", metrics[metric].label,
                    metrics[metric].factor * r->score);
}

static void entropy_text(const SweepResult *r, char *text, size_t size) {
    if (isfinite(r->entropy))
        text_format(text, size, "lowest site entropy %.1f %%",
                    100 * fmin(r->entropy, 1e9));
    else text_format(text, size, "site entropy unknown");
}

static void place_text(const SweepShow *show, char *text, size_t size) {
    char left[32];
    size_t ended = show->ended_before + show->finished, all = show->sweep->cell_count;
    text_format(text, size, "[%zu/%zu]", ended, all);
    if (ended == all) return;
    left_text(show, work_done(show), left, sizeof left);
    text_format(text, size, "[%zu/%zu, %s left]", ended, all, left);
}

/* 1e+30 not in all its digits. */
static void loss_text(double loss, char *text, size_t size) {
    text_format(text, size, fabs(loss) < 1e6 ? "%.3f" : "%.3g", loss);
}

void show_cell(SweepShow *show, size_t index) {
    const SweepCell *cell = &show->sweep->cells[index];
    const SweepResult *r = &cell->result;
    char place[60], score[40], entropy[60], spent[32], loss[32];
    finish(show, index);
    place_text(show, place, sizeof place);
    score_text(r, score, sizeof score);
    entropy_text(r, entropy, sizeof entropy);
    if (isnan(cell->seconds)) text_format(spent, sizeof spent, "time not known");
    else duration_text(cell->seconds, spent, sizeof spent);
    loss_text(r->loss, loss, sizeof loss);
    show_say(show, "%s %s: %s, loss %s, %s, %s, %s", place, cell->name, score, loss,
             entropy, r->verdict, spent);
}

/* The last line of a log: what went wrong. */
static void last_line(const char *path, const char *root, char *text, size_t size) {
    char *line = NULL;
    size_t capacity = 0;
    FILE *file = openfile_stream(path, root, NULL);
    *text = 0;
    while (file && getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        if (*line) snprintf(text, size, "%s", line);
    }
    if (file) fclose(file);
    free(line);
}

void show_failure(SweepShow *show, size_t index, const char *log) {
    const SweepCell *cell = &show->sweep->cells[index];
    char place[60], why[LINE], how[40];
    finish(show, index);
    place_text(show, place, sizeof place);
    last_line(log, show->sweep->dir, why, sizeof why);
    if (cell->exit > 128) text_format(how, sizeof how, "signal %d", cell->exit - 128);
    else text_format(how, sizeof how, "exit %d", cell->exit);
    show_say(show, "%s %s FAILED (%s): %s", place, cell->name, how, why);
}

/* ---- the live line ---- */

/* "3/8 done, 0:40 left | demo 62 %, loss 0.81 | ...", as much of it as fits. */
static void print_live(SweepShow *show, const char *line) {
    struct winsize window;
    if (!show->terminal) {
        show_say(show, "%s", line);
        return;
    }
    int width = 80;
    if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &window) && window.ws_col > 20)
        width = window.ws_col;
    fprintf(stderr, "\r\033[K%.*s", width - 1, line);
    fflush(stderr);
    show->open_line = true;
}

void show_running(SweepShow *show) {
    char parts[LINE] = "", line[2 * LINE], left[32], at[32];
    double now = clock_now(), done = (double)show->finished, loss;
    if (now - show->shown < (show->terminal ? 0.5 : PLAIN_EVERY)) return;
    show->shown = now;
    for (size_t i = 0; i < show->count; i++) {
        size_t cell = show->running[i], used = strlen(parts);
        double share = look_at(show->sweep, cell, &loss);
        done += share;
        loss_text(loss, at, sizeof at);
        snprintf(parts + used, sizeof parts - used, " | %s %.0f %%, loss %s",
                 show->sweep->cells[cell].name, 100 * share, at);
    }
    left_text(show, done, left, sizeof left);
    text_format(line, sizeof line, "%zu/%zu done, %s left%s",
                show->ended_before + show->finished, show->sweep->cell_count, left,
                parts);
    print_live(show, line);
}
