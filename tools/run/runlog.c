#include "tools/run/runlog.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/file/openfile.h"
#include "tools/program/say.h"
#include "tools/run/rundir.h"
#include "tools/run/runlog_parts.h"

#define RECIPE_MOST ((size_t)1 << 20)
#define LOG_MOST ((size_t)4 << 30)
#define STEP_MOST 1e15

enum {
    ROW_LEAST = sizeof "{\"step\":1}" - 1, /* bytes of the shortest row */
    LINE_MOST = 16 << 20,
    NAME_ROOM = 80, /* of a path in the folder, behind the folder's own */
};

/* A text as it is, anything else as JSON; the caller frees. */
static char *value_text(const json_t *value) {
    if (json_is_string(value)) return mem_strdup(json_string_value(value));
    char *dump = json_dumps(value, JSON_ENCODE_ANY);
    char *text = mem_strdup(dump ? dump : "?");
    free(dump);
    return text;
}

/* An intervention has a key and two values in place of a text. */
static char *event_text(const json_t *row) {
    const char *text = runlog_text(row, "text"), *key = runlog_text(row, "key");
    if (text || !key) return mem_strdup(text ? text : "");
    char *from = value_text(json_object_get(row, "from"));
    char *to = value_text(json_object_get(row, "to"));
    char line[300];
    snprintf(line, sizeof line, "%s changed from %s to %s", key, from, to);
    mem_free(from);
    mem_free(to);
    return mem_strdup(line);
}

static void read_event(RunLog *run, const json_t *row, const char *kind, double step,
                       size_t space) {
    if (!run->events) run->events = mem_zalloc(space * sizeof *run->events);
    const char *tensor = runlog_text(row, "tensor");
    const char *site = runlog_text(row, "site");
    bool moved = tensor && !strcmp(kind, "moved"), alarm = site && !strcmp(kind, "alarm");
    run->events[run->event_count++] =
        (RunEvent){.step = step,
                   .kind = mem_strdup(kind),
                   .text = event_text(row),
                   .count = runlog_number(row, "count"),
                   .tensor = moved ? mem_strdup(tensor) : NULL,
                   .ratio = runlog_number(row, "ratio"),
                   .site = alarm ? mem_strdup(site) : NULL,
                   .share = runlog_number(row, "share"),
                   .uniform = runlog_number(row, "uniform")};
}

static void read_train_row(RunLog *run, const json_t *row, double step, size_t space) {
    TrainLog *train = &run->train;
    const struct {
        double **array;
        const char *key;
    } columns[] = {{&train->step, "step"},
                   {&train->epoch, "epoch"},
                   {&train->loss, "loss"},
                   {&train->lr, "lr"},
                   {&train->grad_norm, "grad_norm"},
                   {&train->items_per_s, "items_per_s"},
                   {&train->feature_std, "feature_std"}};
    const char *event = runlog_text(row, "event");
    if (event) {
        read_event(run, row, event, step, space);
        return;
    }
    const json_t *moved = json_object_get(row, "moved");
    if (json_is_object(moved)) read_event(run, moved, "moved", step, space);
    while (train->count && train->step[train->count - 1] >= step) train->count--;
    for (size_t i = 0; i < COUNT(columns); i++) {
        if (!*columns[i].array) *columns[i].array = runlog_nans(space);
        (*columns[i].array)[train->count] = runlog_number(row, columns[i].key);
    }
    const char *precision = runlog_text(row, "precision");
    if (!train->bf16) train->bf16 = runlog_nans(space);
    train->bf16[train->count] = precision && !strcmp(precision, "bf16");
    train->count++;
}

/* The last row of the split, which is one of the last few; NULL: there is none. */
static const EvalRow *last_eval(const RunLog *run, const char *split) {
    enum { SPLITS_MOST = 50 };
    size_t end = run->eval_count;
    for (size_t i = end; i-- > 0 && end - i <= SPLITS_MOST;)
        if (!strcmp(run->evals[i].split, split)) return &run->evals[i];
    return NULL;
}

/* Rows of the split that a later one of this step takes the place of. */
static void drop_evals(RunLog *run, const char *split, double step) {
    const EvalRow *last = last_eval(run, split);
    if (!last || last->step < step) return;
    size_t kept = 0;
    for (size_t i = 0; i < run->eval_count; i++)
        if (run->evals[i].step < step || strcmp(run->evals[i].split, split))
            run->evals[kept++] = run->evals[i];
    run->eval_count = kept;
}

static void read_eval_row(RunLog *run, const json_t *row, double step, size_t space) {
    if (!run->evals) run->evals = mem_zalloc(space * sizeof *run->evals);
    const char *word = runlog_text(row, "split");
    char split[sizeof run->evals->split];
    snprintf(split, sizeof split, "%s", word ? word : "val");
    drop_evals(run, split, step);
    EvalRow *eval = &run->evals[run->eval_count++];
    *eval = (EvalRow){.step = step,
                      .score = NAN,
                      .count = runlog_number(row, "count"),
                      .grade = grade_find(runlog_text(row, "grade"))};
    memcpy(eval->split, split, sizeof eval->split);
    for (size_t m = 0; m < METRIC_COUNT; m++)
        eval->scores[m] = runlog_number(row, metrics[m].key);
    Metric best = METRIC_COUNT;
    for (size_t i = 0; (best = metric_shown(i)) < METRIC_COUNT; i++)
        if (json_object_get(row, metrics[best].key)) break;
    if (best < METRIC_COUNT) {
        eval->metric = metrics[best].key;
        eval->score = eval->scores[best];
    }
    json_t *worst = json_object_get(row, "worst");
    if (!worst) return;
    json_decref(run->worst);
    run->worst = json_incref(worst);
    memcpy(run->worst_split, eval->split, sizeof run->worst_split);
    run->worst_of = runlog_number(row, "count");
}

/* False with the reason in `why`. */
static bool read_line(RunLog *run, RowReader *reader, const char *line, size_t length,
                      size_t space, char *why, size_t why_size) {
    json_error_t error;
    json_t *row = length <= LINE_MOST ? json_loadb(line, length, 0, &error) : NULL;
    double step = runlog_number(row, "step");
    bool good = step >= 0 && step <= STEP_MOST;
    if (good) reader(run, row, step, space);
    else if (length > LINE_MOST) snprintf(why, why_size, "a row of %zu bytes", length);
    else snprintf(why, why_size, "%s", row ? "a row has no \"step\"" : error.text);
    json_decref(row);
    return good;
}

/* line: 0: not known, as in a log that is read in parts. */
static void note_bad_row(RunLog *run, const char *path, size_t line, const char *why) {
    char number[24] = "";
    if (line) text_format(number, sizeof number, ":%zu", line);
    snprintf(run->bad_first, sizeof run->bad_first, "%.260s%s: %s", path, number, why);
}

static Status read_rows(RunLog *run, const char *file, RowReader *reader, Err *err) {
    char path[4096], why[200];
    text_format(path, sizeof path, "%s/%s", run->path, file);
    size_t size = 0, space = 1;
    if (!openfile_exists(path, run->path) && errno == ENOENT) return OK;
    bool cut = false, brief = run->brief && reader != read_eval_row; /* for the best */
    size_t samples = sessions_judged(&run->sessions) ? 0 : BRIEF_SAMPLES;
    char *text = brief ? runlog_brief(path, run->path, samples, &size, &cut, err)
                       : openfile_text(path, run->path, LOG_MOST, &size, err);
    if (!text) return err->status;
    run->sampled |= cut && samples;
    for (size_t i = 0, start = 0; i < size; i++)
        if (text[i] == '\n') space += i - start >= ROW_LEAST, start = i + 1;
    run->cells = 0;
    run->room = MAX(CELLS_LEAST, size / 2);
    size_t line_number = 1;
    for (char *line = text, *end = text + size; line < end; line_number++) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop ? stop : end) - line);
        for (; length && !*line; length--) line++; /* zeros of a power cut */
        if (line == text && length >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3))
            line += 3, length -= 3; /* a byte order mark */
        bool blank = strspn(line, " \t\r") >= length;
        if (!blank && !read_line(run, reader, line, length, space, why, sizeof why) &&
            /* without an end it is a row that is being written */
            stop && !run->bad_rows++)
            note_bad_row(run, path, cut ? 0 : line_number, why);
        line += length + 1;
    }
    mem_free(text);
    return OK;
}

void runlog_note(const RunLog *run, char *text, size_t size) {
    *text = 0;
    if (run->bad_rows)
        snprintf(text, size, "%zu line%s of the logs %s ignored (%s%s)", run->bad_rows,
                 run->bad_rows == 1 ? "" : "s", run->bad_rows == 1 ? "is" : "are",
                 run->bad_rows == 1 ? "" : "first: ", run->bad_first);
}

void runlog_say(const RunLog *run) {
    char text[600];
    runlog_note(run, text, sizeof text);
    if (*text) say("steady: note: %s", text);
}

static void read_recipe(RunLog *run) {
    char path[4096];
    size_t size;
    text_format(path, sizeof path, "%s/recipe.ini", run->path);
    run->recipe = openfile_text(path, run->path, RECIPE_MOST, &size, NULL);
    if (!run->recipe) run->recipe = mem_strdup("");
    runlog_read_settings(run, run->recipe);
}

/* The task says what guessing costs; a classifier's older task.json leaves
 * it to ln(classes). */
static void read_facts(RunLog *run) {
    char path[4096];
    text_format(path, sizeof path, "%s/task.json", run->path);
    json_t *facts = openfile_json(path, run->path, NULL);
    double chance = runlog_number(facts, "chance"),
           classes = runlog_number(facts, "classes"),
           guess = runlog_number(facts, "guess_nll");
    if (isfinite(chance)) run->chance = chance;
    else if (classes > 1) run->chance = log(classes);
    run->guess_nll = isfinite(guess) ? guess : run->chance;
    json_decref(facts);
}

static void name_run(RunLog *run) {
    char *real_path = realpath(run->path, NULL);
    const char *whole = real_path ? real_path : run->path, *slash = strrchr(whole, '/');
    snprintf(run->name, sizeof run->name, "%.255s",
             slash && slash[1] ? slash + 1 : whole);
    free(real_path);
}

RunLog *runlog_open_recipe(const char *dir, Err *err) {
    struct stat info;
    bool there = !stat(dir, &info) && S_ISDIR(info.st_mode);
    bool fits = strlen(dir) + NAME_ROOM <= PATH_SIZE;
    if (!there || !fits) {
        err_set(err, FAIL_USAGE, "%.800s: %s", dir,
                there ? "the name of the run folder is too long" : "no such run folder");
        return NULL;
    }
    RunLog *run = mem_zalloc(sizeof *run);
    run->path = mem_strdup(dir);
    run->chance = run->guess_nll = NAN;
    name_run(run);
    read_recipe(run);
    read_facts(run);
    run->sessions = sessions_load(dir);
    return run;
}

static RunLog *open_logs(const char *dir, bool brief, Err *err) {
    RunLog *run = runlog_open_recipe(dir, err);
    if (!run) return NULL;
    run->brief = brief;
    bool probes = !brief || !sessions_judged(&run->sessions);
    if (!datafacts_load(dir, &run->data, err) &&
        !read_rows(run, "train.jsonl", read_train_row, err) &&
        !(probes && read_rows(run, "probe.jsonl", runlog_read_probe, err)) &&
        !read_rows(run, "eval.jsonl", read_eval_row, err)) {
        runlog_sort_sharpness(run);
        return run;
    }
    runlog_free(run);
    return NULL;
}

RunLog *runlog_open(const char *dir, Err *err) { return open_logs(dir, false, err); }

RunLog *runlog_open_brief(const char *dir, Err *err) { return open_logs(dir, true, err); }

void runlog_free(RunLog *run) {
    if (!run) return;
    datarecord_free(&run->data);
    sessions_free(&run->sessions);
    runlog_free_probe(run);
    json_decref(run->worst);
    TrainLog *train = &run->train;
    double *columns[] = {train->step,        train->epoch,     train->loss,
                         train->lr,          train->grad_norm, train->items_per_s,
                         train->feature_std, train->bf16};
    for (size_t i = 0; i < COUNT(columns); i++) mem_free(columns[i]);
    for (size_t i = 0; i < run->event_count; i++) {
        mem_free(run->events[i].kind);
        mem_free(run->events[i].text);
        mem_free(run->events[i].tensor);
        mem_free(run->events[i].site);
    }
    for (size_t i = 0; i < run->setting_count; i++) {
        mem_free(run->settings[i].key);
        mem_free(run->settings[i].value);
    }
    void *lists[] = {run->evals, run->settings, run->recipe, run->path, run->events};
    for (size_t i = 0; i < COUNT(lists); i++) mem_free(lists[i]);
    mem_free(run);
}

Status runlog_check_rows(const RunLog *run, Err *err) {
    if (run->train.count) return OK;
    return err_set(err, FAIL_DATA, "%.800s: train.jsonl has no rows yet", run->path);
}

const char *runlog_setting(const RunLog *run, const char *key) {
    for (size_t i = run->setting_count; i-- > 0;)
        if (!strcmp(run->settings[i].key, key)) return run->settings[i].value;
    return NULL;
}

bool runlog_scored(const RunLog *run, Metric metric) {
    for (size_t i = 0; i < run->eval_count; i++)
        if (isfinite(run->evals[i].scores[metric])) return true;
    return false;
}
