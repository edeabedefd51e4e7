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
#include "tools/sweep/sweep.h"

#define SECONDS_MOST 1e9 /* 30 years */

enum { LOCK_WAIT = 60 }; /* seconds; a run that was told to stop saves within a step */

/* ---- sweep.json ---- */

/* Words and what is made of them may hold names of files that are not UTF-8. */
static json_t *word_json(const char *word) {
    TextBuffer text = {0};
    text_append_escaped(&text, word);
    json_t *string = json_string(text.text ? text.text : "");
    text_free(&text);
    return string;
}

static char *word_of(const json_t *string) {
    char *word = mem_strdup(json_is_string(string) ? json_string_value(string) : "");
    text_unescape(word);
    return word;
}

static json_t *whole_number(size_t n) { return json_integer((json_int_t)n); }

static json_t *values_json(const Sweep *sweep, size_t cell, size_t left_out) {
    json_t *values = json_object();
    for (size_t a = 0; a < sweep->axis_count; a++)
        for (size_t k = 0; k < sweep->axes[a].key_count; k++)
            if (a != left_out && (a == 0 || sweep_is_swept(sweep, a)) &&
                sweep_gives(sweep, cell, a))
                json_object_set_new(values, sweep->axes[a].keys[k],
                                    word_json(sweep_part(sweep, cell, a, k)));
    return values;
}

/* Those that there are: {"ppl":12.5,"bleu":30}. */
static json_t *scores_json(const double scores[METRIC_COUNT]) {
    json_t *list = json_object();
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++) {
        Metric m = metric_shown(i);
        if (isfinite(scores[m]))
            json_object_set_new(list, metrics[m].key, json_number(scores[m]));
    }
    return list;
}

/* {"encoder":0.4,"cross":0.03,"decoder":0.5}; without them where attention is of one
 * kind. */
static json_t *kinds_json(const double share[KIND_COUNT]) {
    json_t *list = json_object();
    for (size_t k = 0; k < KIND_PLAIN; k++)
        if (isfinite(share[k]))
            json_object_set_new(list, layer_kinds[k].key, json_number(share[k]));
    return list;
}

/* Splits and sites have the names that the run's logs give them, cut where they are long,
 * in the middle of a character perhaps. */
static json_t *result_json(const SweepResult *r) {
    return json_pack("{s:o*, s:s*, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o, s:o, "
                     "s:o, s:o}, s:o, s:s, s:b, s:b, s:b, s:o}",
                     "split", *r->split ? json_text(r->split) : NULL, "metric", r->metric,
                     "score", json_number(r->score), "best", json_number(r->best),
                     "scores", scores_json(r->scores), "loss", json_number(r->loss),
                     "val_loss", json_number(r->val_loss), "entropy", "share",
                     json_number(r->entropy), "site", json_text(r->site), "step",
                     whole_number(r->entropy_step), "kinds", kinds_json(r->kind_entropy),
                     "end", json_number(r->entropy_end), "sites_low",
                     json_number(r->sites_low), "sites_low_end",
                     json_number(r->sites_low_end), "max_logit",
                     json_number(r->max_logit), "verdict", r->verdict, "diverged",
                     r->diverged, "collapsed", r->collapsed, "nonfinite", r->nonfinite,
                     "steps", whole_number(r->steps));
}

static json_t *cell_json(const Sweep *sweep, size_t c) {
    const SweepCell *cell = &sweep->cells[c];
    json_t *row = json_pack("{s:o, s:o}", "name", word_json(cell->name), "values",
                            values_json(sweep, c, sweep->axis_count));
    if (cell->exit == SWEEP_OPEN) return row;
    json_object_set_new(row, "exit", json_integer(cell->exit));
    json_object_set_new(row, "seconds", json_number(cell->seconds));
    json_object_set_new(row, "cpu_seconds", json_number(cell->cpu_seconds));
    if (cell->fate != FATE_UNKNOWN)
        json_object_set_new(row, "failed", json_boolean(cell->fate == FATE_FAILED));
    if (sweep_has_ended(cell)) json_object_update_new(row, result_json(&cell->result));
    return row;
}

/* [low, high]; null: none. */
static json_t *interval_json(Interval interval) {
    if (!isfinite(interval.low)) return json_null();
    return json_pack("[o, o]", json_number(interval.low), json_number(interval.high));
}

static json_t *intervals_json(const SweepSpread spreads[METRIC_COUNT]) {
    json_t *list = json_object();
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++) {
        Metric m = metric_shown(i);
        if (isfinite(spreads[m].interval.low))
            json_object_set_new(list, metrics[m].key, interval_json(spreads[m].interval));
    }
    return list;
}

static json_t *with_intervals(json_t *row, const SweepGroup *group) {
    json_object_set_new(row, "score_interval", interval_json(group->score.interval));
    json_object_set_new(row, "scores_interval", intervals_json(group->scores));
    json_object_set_new(row, "loss_interval", interval_json(group->loss.interval));
    json_object_set_new(row, "val_loss_interval",
                        interval_json(group->val_loss.interval));
    return row;
}

static json_t *group_json(const Sweep *sweep, const SweepGroup *group, size_t seeds) {
    double mean[METRIC_COUNT], sd[METRIC_COUNT];
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        mean[m] = group->scores[m].mean;
        sd[m] = group->scores[m].sd;
    }
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "values", values_json(sweep, group->first, seeds), "runs",
        whole_number(group->count), "diverged", whole_number(group->diverged),
        "collapsed", whole_number(group->collapsed), "score_mean",
        json_number(group->score.mean), "score_sd", json_number(group->score.sd),
        "scores_mean", scores_json(mean), "scores_sd", scores_json(sd), "loss_mean",
        json_number(group->loss.mean), "loss_sd", json_number(group->loss.sd),
        "val_loss_mean", json_number(group->val_loss.mean), "val_loss_sd",
        json_number(group->val_loss.sd), "entropy_lowest", json_number(group->entropy),
        "entropy_kinds", kinds_json(group->kind_entropy));
}

static json_t *groups_json(const Sweep *sweep, bool ended) {
    json_t *list = json_array();
    size_t seeds = sweep_axis(sweep, "train.seed");
    SweepGroup *groups = mem_zalloc(sweep->cell_count * sizeof *groups);
    size_t count = seeds < sweep->axis_count ? sweep_group(sweep, groups) : 0;
    if (ended) sweep_intervals(sweep, groups, count);
    for (size_t g = 0; g < count; g++) {
        json_t *row = group_json(sweep, &groups[g], seeds);
        json_array_append_new(list, ended ? with_intervals(row, &groups[g]) : row);
    }
    mem_free(groups);
    return list;
}

static json_t *failures_json(const Sweep *sweep) {
    json_t *list = json_array();
    SweepFailures *of = mem_zalloc(sweep->cell_count * sizeof *of);
    size_t count = sweep_failures(sweep, of);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "recipe",
                                        word_json(sweep_label(sweep, of[i].first, 0)),
                                        "runs", whole_number(of[i].runs), "failed",
                                        whole_number(of[i].failed), "configurations",
                                        whole_number(of[i].configurations), "any_seed",
                                        whole_number(of[i].any), "most_seeds",
                                        whole_number(of[i].most), "every_seed",
                                        whole_number(of[i].every)));
    mem_free(of);
    return list;
}

/* NULL: no criterion. */
static json_t *fail_json(const Sweep *sweep) {
    char text[SWEEP_DEFINITION];
    if (!sweep->fail) return NULL;
    sweep_fail_definition(sweep, text, sizeof text);
    return json_pack("{s:s, s:s, s:o}", "criterion", sweep_fail_text(sweep), "definition",
                     text, "methods", failures_json(sweep));
}

static json_t *sweep_json(const Sweep *sweep, bool ended) {
    json_t *words = json_array(), *cells = json_array();
    for (size_t i = 0; i < sweep->word_count; i++)
        json_array_append_new(words, word_json(sweep->words[i]));
    for (size_t c = 0; c < sweep->cell_count; c++)
        json_array_append_new(cells, cell_json(sweep, c));
    return json_pack("{s:o, s:s, s:o*, s:o, s:o}", "words", words, "definition",
                     verdict_definition(), "fail", fail_json(sweep), "cells", cells,
                     "over_seeds", groups_json(sweep, ended));
}

/* A new file takes the old one's place, or the old one stays. */
static Status save(const Sweep *sweep, bool ended, Err *err) {
    return rundir_save_json(sweep->dir, "sweep.json", sweep_json(sweep, ended),
                            JSON_REAL_PRECISION(9), err);
}

Status sweep_save(const Sweep *sweep, Err *err) { return save(sweep, false, err); }

Status sweep_save_results(const Sweep *sweep, Err *err) { return save(sweep, true, err); }

/* NULL with err OK: there is none. */
static json_t *load_state(const char *dir, Err *err) {
    json_t *state = rundir_load_json_if_any(dir, "sweep.json", err);
    if (!state || json_is_array(json_object_get(state, "words"))) return state;
    json_decref(state);
    err_set(err, FAIL_DATA, "%s/sweep.json:1: no words; it is not the state of a sweep",
            dir);
    return NULL;
}

static char **words_of(const json_t *state, size_t *count) {
    const json_t *list = json_object_get(state, "words"), *item;
    char **words = mem_zalloc((json_array_size(list) + 1) * sizeof *words);
    size_t i;
    json_array_foreach(list, i, item) words[i] = word_of(item);
    *count = json_array_size(list);
    return words;
}

char **sweep_load_words(const char *dir, size_t *count, Err *err) {
    Err why = ERR_NONE;
    json_t *state = load_state(dir, &why);
    char **words = state ? words_of(state, count) : NULL;
    json_decref(state);
    if (why.status) err_set(err, why.status, "%s", why.text);
    else if (!words) err_set(err, FAIL_USAGE, "%s holds no sweep (no sweep.json)", dir);
    return words;
}

/* ---- is it this sweep? ---- */

static void join_words(char *const *words, size_t count, char *text, size_t size) {
    *text = 0;
    for (size_t i = 0, used = 0; i < count && used + 1 < size; i++, used = strlen(text))
        snprintf(text + used, size - used, " %s", words[i]);
}

static Status check_words(const Sweep *sweep, const json_t *state, Err *err) {
    size_t count;
    char **words = words_of(state, &count), text[400];
    bool same = count == sweep->word_count;
    for (size_t i = 0; i < count && same; i++) same = !strcmp(words[i], sweep->words[i]);
    join_words(words, count, text, sizeof text);
    for (size_t i = 0; i < count; i++) mem_free(words[i]);
    mem_free(words);
    if (same) return OK;
    return err_set(
        err, FAIL_USAGE,
        "%s holds another sweep, steady sweep%s; choose another --out, or resume that "
        "one: steady sweep --resume %s",
        sweep->dir, text, sweep->dir);
}

static Status recipe_text(const Recipe *recipe, TextStream *text, Err *err) {
    if (textstream_open(text, err)) return err->status;
    recipe_print(recipe, text->file);
    return textstream_close(text, err);
}

/* The first line in which two recipes differ, without its newline. */
static void first_difference(const char *a, const char *b, char *text, size_t size) {
    for (const char *c = a, *d = b; *c && *c == *d; c++, d++)
        if (*c == '\n') a = c + 1, b = d + 1;
    snprintf(text, size, "%.*s there, %.*s now", (int)strcspn(a, "\n"), a,
             (int)strcspn(b, "\n"), b);
}

static Status compare_recipes(const Recipe *had, const Recipe *wants, const char *dir,
                              Err *err) {
    TextStream before = {0}, now = {0};
    char difference[300];
    if (!recipe_text(had, &before, err) && !recipe_text(wants, &now, err) &&
        strcmp(before.text, now.text)) {
        first_difference(before.text, now.text, difference, sizeof difference);
        err_set(err, FAIL_USAGE,
                "%s was trained with another recipe (%s); choose another --out", dir,
                difference);
    }
    free(before.text);
    free(now.text);
    return err->status;
}

/* A recipe file that changed since the cell was trained would mix two grids. */
static Status check_cell_recipe(const Sweep *sweep, size_t cell, Err *err) {
    char dir[PATH_SIZE], path[PATH_SIZE];
    Recipe *had = mem_alloc(sizeof *had), *wants = mem_alloc(sizeof *wants);
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    rundir_path(path, dir, "recipe.ini");
    *had = recipe_default();
    Status status = recipe_load_file(had, path, dir, err);
    if (!status) status = sweep_recipe(sweep, cell, wants, err);
    if (!status) {
        had->train.threads = wants->train.threads; /* changes with --jobs */
        status = compare_recipes(had, wants, dir, err);
    }
    mem_free(had);
    mem_free(wants);
    return status;
}

/* A run's folder may be a link, as its user wishes; a cell's belongs to the sweep. */
static Status check_cell_folder(const Sweep *sweep, const char *dir, Err *err) {
    if (!openfile_exists(dir, sweep->dir) && errno == ENOENT) return OK;
    DIR *folder = openfile_folder(dir, sweep->dir, err);
    if (!folder) return err->status;
    closedir(folder);
    return OK;
}

static Status check_cells(const Sweep *sweep, Err *err) {
    Status status = OK;
    for (size_t c = 0; c < sweep->cell_count && !status; c++) {
        char dir[PATH_SIZE];
        sweep_cell_dir(sweep, c, dir, sizeof dir);
        if (check_cell_folder(sweep, dir, err)) return err->status;
        bool begun = rundir_holds_run(dir) && checkpoint_newest(dir, SIZE_MAX);
        if (begun) status = check_cell_recipe(sweep, c, err);
    }
    return status;
}

/* ---- how cells ended ---- */

static SweepCell *find_cell(Sweep *sweep, const char *name) {
    for (size_t c = 0; c < sweep->cell_count && name; c++)
        if (!strcmp(sweep->cells[c].name, name)) return &sweep->cells[c];
    return NULL;
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
    double seconds = json_number_value(json_object_get(row, "seconds"));
    cell->seconds = seconds > 0 ? fmin(seconds, SECONDS_MOST) : 0;
    const json_t *cpu = json_object_get(row, "cpu_seconds");
    seconds = json_is_number(cpu) ? json_number_value(cpu) : NAN;
    cell->cpu_seconds = seconds >= 0 ? fmin(seconds, SECONDS_MOST) : NAN;
    return sweep_has_ended(cell) ? sweep_read_result(sweep, index, err) : OK;
}

/* The criterion that the sweep had, unless there is another now. */
static Status take_fail(Sweep *sweep, const json_t *state, Err *err) {
    const char *text =
        json_string_value(json_object_get(json_object_get(state, "fail"), "criterion"));
    if (!text || sweep->fail || !sweep_set_fail(sweep, text, err)) return OK;
    err->status = FAIL_DATA;
    return err_wrap(err, "%s/sweep.json", sweep->dir);
}

Status sweep_look(Sweep *sweep, const char *dir, Err *err) {
    if (strlen(dir) >= sizeof sweep->dir)
        return err_set(err, FAIL_USAGE, "the name of the sweep's folder is too long");
    text_format(sweep->dir, sizeof sweep->dir, "%s", dir);
    if (rundir_holds_run(dir))
        return err_set(err, FAIL_USAGE,
                       "%s holds a run, not a sweep; choose another --out", dir);
    Err why = ERR_NONE;
    static const char *const FOLDERS[] = {"cells", NULL};
    json_t *state = load_state(dir, &why);
    Status status = why.status ? err_set(err, why.status, "%s", why.text) : OK;
    if (!state && !status)
        status = rundir_check_empty(dir, FOLDERS, "sweep.json.new", err);
    if (state) status = check_words(sweep, state, err);
    if (state && !status) status = check_cells(sweep, err);
    if (state && !status) status = take_fail(sweep, state, err);
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(state, "cells"), i, row) if (!status) status =
        take_cell(sweep, row, err);
    json_decref(state);
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
            fprintf(stderr, "%s is in use; waiting for its runs to end\n", sweep->dir);
        told = true;
        if (stop_requested()) return err_set(err, FAIL_INTERRUPTED, "interrupted");
        if (clock_now() - since > LOCK_WAIT)
            return err_set(err, FAIL_RUN, "%s is in use by another sweep", sweep->dir);
        nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
    }
    return OK;
}

Status sweep_begin(Sweep *sweep, const char *dir, Err *err) {
    char path[PATH_SIZE];
    MadeFolders made;
    Status status =
        sweep_look(sweep, dir, err); /* makes nothing in a folder that is refused */
    if (!status) status = rundir_make_folders(dir, &made, err);
    if (status) return status;
    status = take_lock(sweep, err);
    if (!status) status = sweep_look(sweep, dir, err); /* now with nobody writing */
    if (!status) status = sweep_save(sweep, err);
    rundir_path(path, dir, "cells");
    if (!status) status = openfile_make_folder(path, dir, err);
    if (status) rundir_remove_folders(dir, &made);
    return status;
}
