#include "tools/sweep/runlist.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "data/file/openfile.h"
#include "engine/core/grow.h"
#include "engine/core/text.h"
#include "tools/program/output.h"
#include "tools/program/say.h"
#include "tools/run/rundir.h"
#include "tools/sweep/sheet.h"

#define NUMBER_MOST 1e39 /* as in logs (runlog_number) */

enum { DEPTH_MOST = 8, MINUTE = 60, HOUR = 3600, DAY = 86400 };

static bool holds(const char *dir, const char *name) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "%s", name);
    return openfile_exists(path, dir);
}

static bool is_sweep(const char *dir) { return holds(dir, "sweep.json"); }
static bool is_run(const char *dir) {
    return holds(dir, "recipe.ini") || holds(dir, "train.jsonl");
}

/* ---- ages ---- */

static double seconds_since(const char *dir, const char *name) {
    char path[PATH_SIZE];
    struct stat info;
    rundir_path(path, dir, "%s", name);
    if (stat(path, &info)) return NAN;
    return fmax(difftime(time(NULL), info.st_mtime), 0);
}

static double age_of(const char *dir) {
    static const char *const LOGS[] = {"train.jsonl", "eval.jsonl", "recipe.ini",
                                       "sweep.json"};
    double age = NAN;
    for (size_t i = 0; i < COUNT(LOGS); i++) age = fmin(age, seconds_since(dir, LOGS[i]));
    return age;
}

void age_text(double seconds, char text[24]) {
    if (!(seconds >= 0)) text_format(text, 24, "-");
    else if (seconds < 2 * MINUTE) text_format(text, 24, "%.0f s", seconds);
    else if (seconds < 2 * HOUR) text_format(text, 24, "%.0f min", seconds / MINUTE);
    else if (seconds < 2 * DAY) text_format(text, 24, "%.0f h", seconds / HOUR);
    else text_format(text, 24, "%.0f d", fmin(seconds / DAY, 1e9));
}

/* ---- a run ---- */

static double better(Metric metric, double a, double b) {
    return metrics[metric].better == BETTER_HIGH ? fmax(a, b) : fmin(a, b);
}

/* Of the split that was scored last. */
static void read_score(Listed *row, const RunLog *run) {
    const EvalRow *last = run->eval_count ? &run->evals[run->eval_count - 1] : NULL;
    row->metric = last ? metric_find(last->metric) : METRIC_COUNT;
    if (row->metric == METRIC_COUNT) return;
    row->score = last->score;
    memcpy(row->split, last->split, sizeof row->split);
    for (const EvalRow *eval = run->evals; eval <= last; eval++)
        if (!strcmp(eval->split, last->split))
            row->best = better(row->metric, row->best, eval->scores[row->metric]);
}

static void read_run(Listed *row) {
    Err why = ERR_NONE;
    RunLog *run = runlog_open_brief(row->path, &why);
    row->state.kind = RUNSTATE_UNKNOWN;
    text_format(row->fault, sizeof row->fault, "%.500s", run ? "" : why.text);
    if (!run) return;
    const char *task = runlog_setting(run, "task.kind");
    text_format(row->task, sizeof row->task, "%.20s", task ? task : "");
    row->state = runstate_of(run);
    runlog_note(run, row->note, sizeof row->note);
    row->seconds = sessions_seconds(&run->sessions);
    if (run->sessions.count && run->sessions.list[0].started)
        text_format(row->started, sizeof row->started, "%.30s",
                    run->sessions.list[0].started);
    read_score(row, run);
    const Session *judged = sessions_judged(&run->sessions);
    row->sampled = run->sampled;
    if (judged) {
        row->loss = judged->loss;
        text_format(row->verdict, sizeof row->verdict, "%.60s", judged->verdict);
    } else if (run->train.count) {
        Verdict verdict = runlog_verdict(run, false);
        row->loss = verdict.tail;
        text_format(row->verdict, sizeof row->verdict, "%.60s", verdict.name);
    }
    runlog_free(run);
}

/* ---- a sweep, by its sweep.json alone ---- */

typedef struct Cells {
    size_t count, ended, broken, diverged;
} Cells;

static void see_cell(Listed *row, const json_t *cell, Cells *cells) {
    const json_t *code = json_object_get(cell, "exit");
    json_int_t end = json_is_integer(code) ? json_integer_value(code) : SESSION_OPEN;
    bool ended = end == OK || end == FAIL_DIVERGED || end == FAIL_COLLAPSED;
    cells->count++;
    cells->ended += ended;
    cells->broken += !ended && end > 0 && end != FAIL_INTERRUPTED;
    cells->diverged += ended && json_is_true(json_object_get(cell, "diverged"));
    Metric metric = metric_find(json_string_value(json_object_get(cell, "metric")));
    double score = json_number_value(json_object_get(cell, "score"));
    bool known = json_is_number(json_object_get(cell, "score")) && isfinite(score);
    if (!ended || metric == METRIC_COUNT || !known) return;
    const char *split = json_string_value(json_object_get(cell, "split"));
    text_format(row->split, sizeof row->split, "%.15s", split ? split : "");
    row->metric = metric;
    row->best = better(metric, row->best, fmax(fmin(score, NUMBER_MOST), -NUMBER_MOST));
    row->score = row->best;
}

static void read_sweep(Listed *row) {
    Err why = ERR_NONE;
    json_t *state = rundir_load_json(row->path, "sweep.json", &why);
    Cells cells = {0};
    size_t i;
    const json_t *cell;
    row->state.kind = RUNSTATE_UNKNOWN;
    text_format(row->fault, sizeof row->fault, "%.500s", state ? "" : why.text);
    json_array_foreach(json_object_get(state, "cells"), i, cell)
        see_cell(row, cell, &cells);
    json_decref(state);
    if (!state) return;
    row->state = (RunState){.step = cells.ended, .steps = cells.count};
    row->state.kind = runstate_in_use(row->path)   ? RUNSTATE_RUNNING
                      : cells.ended == cells.count ? RUNSTATE_FINISHED
                      : cells.broken               ? RUNSTATE_FAILED
                                                   : RUNSTATE_INTERRUPTED;
    if (cells.broken)
        text_format(row->state.why, sizeof row->state.why, "%zu runs failed",
                    cells.broken);
    if (cells.ended)
        text_format(row->verdict, sizeof row->verdict, "%zu of %zu diverged",
                    cells.diverged, cells.ended);
}

/* ---- folders ---- */

static void add(RunList *list, const char *path) {
    GROW(list->rows, list->count, list->room, 1);
    Listed *row = &list->rows[list->count++];
    *row = (Listed){.path = mem_strdup(path),
                    .sweep = is_sweep(path),
                    .metric = METRIC_COUNT,
                    .score = NAN,
                    .best = NAN,
                    .loss = NAN,
                    .seconds = NAN,
                    .age = age_of(path)};
    if (row->sweep) read_sweep(row);
    else read_run(row);
}

typedef struct Entry {
    char *path;
    double age;
} Entry;

/* The newest first; folders without logs by name, at the end. */
static int by_age(const void *a, const void *b) {
    const Entry *x = a, *y = b;
    double left = isnan(x->age) ? INFINITY : x->age,
           right = isnan(y->age) ? INFINITY : y->age;
    if (left != right) return left < right ? -1 : 1;
    return strcmp(x->path, y->path);
}

static bool is_folder(const char *path, bool follow) {
    struct stat info;
    return !(follow ? stat(path, &info) : lstat(path, &info)) && S_ISDIR(info.st_mode);
}

/* Folders in a folder; NULL with err. */
static Entry *entries_of(const char *dir, size_t *count, Err *err) {
    size_t room = 0, length = strlen(dir);
    Entry *entries = NULL;
    DIR *folder = openfile_folder(dir, NULL, err);
    *count = 0;
    if (!folder) return NULL;
    while (length > 1 && dir[length - 1] == '/') length--;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[PATH_SIZE];
        if (entry->d_name[0] == '.' || length + strlen(entry->d_name) + 40 > sizeof path)
            continue;
        text_format(path, sizeof path, "%.*s/%s", (int)length, dir, entry->d_name);
        if (!is_folder(path, true)) continue;
        GROW(entries, *count, room, 1);
        entries[(*count)++] = (Entry){mem_strdup(path), age_of(path)};
    }
    closedir(folder);
    if (*count) qsort(entries, *count, sizeof *entries, by_age);
    return entries;
}

static void look(const char *dir, bool deep, size_t depth, RunList *list, Err *err) {
    size_t count = 0;
    Entry *entries = entries_of(dir, &count, err);
    for (size_t i = 0; i < count; i++) {
        const char *path = entries[i].path;
        bool sweep = is_sweep(path), run = !sweep && is_run(path);
        if (sweep || run) add(list, path);
        char cells[PATH_SIZE + 8];
        text_format(cells, sizeof cells, "%s%s", path, sweep ? "/cells" : "");
        /* a link may lead in circles */
        if (deep && !run && depth < DEPTH_MOST && is_folder(cells, false))
            look(cells, deep, depth + 1, list, NULL);
        mem_free(entries[i].path);
    }
    mem_free(entries);
}

Status runlist_of(const char *dir, bool deep, RunList *list, Err *err) {
    char cells[PATH_SIZE];
    if (strlen(dir) + 40 > sizeof cells || !is_folder(dir, true))
        return err_set(err, FAIL_USAGE, "%.900s: no such folder", dir);
    rundir_path(cells, dir, "cells");
    if (is_sweep(dir)) {
        if (is_folder(cells, true)) look(cells, deep, 0, list, err);
    } else if (is_run(dir)) {
        add(list, dir);
    } else {
        look(dir, deep, 0, list, err);
    }
    return err->status;
}

void runlist_free(RunList *list) {
    for (size_t i = 0; i < list->count; i++) mem_free(list->rows[i].path);
    mem_free(list->rows);
    *list = (RunList){0};
}

/* ---- output ---- */

/* What comes from files and their names, without control characters. */
static void put_text(Sheet *sheet, const char *text) {
    size_t size = 4 * strlen(text) + 8;
    char *shown = mem_alloc(size);
    utf8_show(text, strlen(text), shown, size);
    sheet_add(sheet, shown);
    mem_free(shown);
}

static void put_steps(Sheet *sheet, const Listed *row) {
    char text[60], unit[8] = "";
    if (row->sweep) text_format(unit, sizeof unit, " runs");
    if (row->fault[0]) text[0] = 0;
    else if (!row->state.steps)
        text_format(text, sizeof text, "%zu%s", row->state.step, unit);
    else
        text_format(text, sizeof text, "%zu/%zu%s", row->state.step, row->state.steps,
                    unit);
    size_t used = strlen(text);
    if (row->state.unlogged)
        text_format(text + used, sizeof text - used, ", %zu logged", row->state.logged);
    sheet_add(sheet, text);
}

static void put_score(Sheet *sheet, const Listed *row) {
    char text[120] = "";
    if (row->metric < METRIC_COUNT && isfinite(row->score)) {
        const MetricFacts *m = &metrics[row->metric];
        snprintf(text, sizeof text, m->line ? m->line : "%.4g", m->factor * row->score);
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, " (%s)", row->split);
    }
    put_text(sheet, text);
}

void runlist_print(const RunList *list, FILE *out) {
    static const char *const TITLES[] = {"run",   "state",   "task", "steps",
                                         "score", "verdict", "age"};
    Sheet sheet = sheet_new(list->count + 1, COUNT(TITLES));
    for (size_t i = 0; i < COUNT(TITLES); i++) {
        sheet.left[i] = i != 3 && i != 6;
        sheet_add(&sheet, TITLES[i]);
    }
    for (const Listed *row = list->rows; row < list->rows + list->count; row++) {
        char age[24], verdict[sizeof row->verdict + 1];
        age_text(row->age, age);
        put_text(&sheet, row->path);
        sheet_add(&sheet, row->fault[0] ? "unreadable" : runstate_names[row->state.kind]);
        put_text(&sheet, row->sweep ? "sweep" : row->task);
        put_steps(&sheet, row);
        put_score(&sheet, row);
        text_format(verdict, sizeof verdict, "%s%s",
                    row->sampled && *row->verdict ? "~" : "", row->verdict);
        put_text(&sheet, verdict);
        sheet_add(&sheet, age);
    }
    sheet_print(&sheet, out);
    sheet_free(&sheet);
}

/* null for what is empty */
static json_t *text_or_null(const char *text) {
    return *text ? json_text(text) : json_null();
}

static json_t *row_json(const Listed *row) {
    const RunState *s = &row->state;
    bool scored = row->metric < METRIC_COUNT;
    json_t *steps = s->steps ? json_integer((json_int_t)s->steps) : json_null();
    json_t *object = json_pack(
        "{s:o, s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "path", json_text(row->path), "kind", row->sweep ? "sweep" : "run", "state",
        runstate_names[s->kind], "task", text_or_null(row->task),
        row->sweep ? "ended" : "step", (json_int_t)s->step, row->sweep ? "runs" : "steps",
        steps, "metric", text_or_null(scored ? metrics[row->metric].key : ""), "split",
        text_or_null(row->split), "score", json_number(row->score), "best",
        json_number(row->best), "loss", json_number(row->loss), "verdict",
        text_or_null(row->verdict), "age_s", json_number(row->age), "seconds",
        json_number(row->seconds), "started", text_or_null(row->started));
    if (row->sampled) json_object_set_new(object, "sampled", json_true());
    if (s->unlogged)
        json_object_set_new(object, "logged", json_integer((json_int_t)s->logged));
    if (*row->note) json_object_set_new(object, "note", json_text(row->note));
    json_object_set_new(object, "why", text_or_null(s->why));
    if (*row->fault) json_object_set_new(object, "error", json_text(row->fault));
    return object;
}

static void say_missing_rows(const Listed *row) {
    const RunState *s = &row->state;
    if (s->unlogged)
        say("steady: note: %s: train.jsonl has no rows of steps %zu to %zu, which were "
            "taken (run.json)",
            row->path, s->logged + 1, s->step);
}

void runlist_say(const RunList *list) {
    for (const Listed *row = list->rows; row < list->rows + list->count; row++) {
        if (*row->fault) say("steady: note: %s", row->fault);
        if (*row->note) say("steady: note: %s", row->note);
        say_missing_rows(row);
    }
}

void runlist_print_json(const RunList *list) {
    for (size_t i = 0; i < list->count && !output_failed(); i++)
        output_json(row_json(&list->rows[i]), JSON_COMPACT | JSON_REAL_PRECISION(9));
}
