#include "tools/watch/watched.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/core/grow.h"
#include "tools/recipe/moment.h"
#include "tools/run/runlog_parts.h"
#include "tools/run/runstate.h"

/* After so many seconds without a row, and so many times what a row takes, a run is
 * quiet. */
enum { QUIET_SECONDS = 120, QUIET_ROWS = 30, PACE_SECONDS = 300 };

/* ---- train.jsonl ---- */

static void forget_train(void *context) {
    Watched *run = context;
    history_clear(&run->history);
    run->event_count = 0;
    run->seen_step = NAN;
}

/* By step; of one that is known already (a row that was met twice) nothing. */
static void add_event(Watched *run, const WatchedEvent *event) {
    size_t at = run->event_count;
    while (at && run->events[at - 1].step > event->step) at--;
    for (size_t i = at; i && run->events[i - 1].step == event->step; i--)
        if (!strcmp(run->events[i - 1].kind, event->kind) &&
            !strcmp(run->events[i - 1].text, event->text))
            return;
    if (run->event_count == EVENTS_MOST) {
        if (!at) return;
        memmove(run->events, run->events + 1, (--run->event_count) * sizeof *event);
        at--;
    }
    GROW(run->events, run->event_count, run->event_room, 1);
    memmove(run->events + at + 1, run->events + at,
            (run->event_count++ - at) * sizeof *event);
    run->events[at] = *event;
}

static void value_text(const json_t *value, char *text, size_t size) {
    char *dump = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
    snprintf(text, size, "%.60s", dump ? dump : value ? json_string_value(value) : "?");
    free(dump);
}

static void take_event(Watched *run, const json_t *row, const char *kind, double step) {
    WatchedEvent event = {.step = step};
    const char *text = runlog_text(row, "text"), *key = runlog_text(row, "key");
    snprintf(event.kind, sizeof event.kind, "%s", kind);
    if (text || !key) {
        snprintf(event.text, sizeof event.text, "%s", text ? text : "");
    } else {
        char from[64], to[64];
        value_text(json_object_get(row, "from"), from, sizeof from);
        value_text(json_object_get(row, "to"), to, sizeof to);
        snprintf(event.text, sizeof event.text, "%.60s: %s -> %s", key, from, to);
    }
    add_event(run, &event);
}

static bool take_train(void *context, const char *line, size_t length, size_t at) {
    Watched *run = context;
    json_t *row = rows_parse(line, length);
    double step = runlog_number(row, "step");
    const char *event = runlog_text(row, "event");
    const json_t *moved = json_object_get(row, "moved");
    if (step >= 0 && json_is_object(moved)) take_event(run, moved, "moved", step);
    if (step >= 0 && event) take_event(run, row, event, step);
    if (step >= 0 && !event) {
        Point point = {.step = step, .epoch = runlog_number(row, "epoch"), .at = at};
        point.value[POINT_LOSS] = point.highest = runlog_number(row, "loss");
        point.value[POINT_LR] = runlog_number(row, "lr");
        point.value[POINT_RATE] = runlog_number(row, "items_per_s");
        point.value[POINT_GRAD] = runlog_number(row, "grad_norm");
        point.value[POINT_ENTROPY] = NAN;
        point.nonfinite = json_object_get(row, "loss") && isnan(point.highest);
        history_add(&run->history, &point);
    }
    json_decref(row);
    return step >= 0;
}

/* ---- probe.jsonl ---- */

static void drop_row(Watched *run) {
    runlog_free(run->row);
    run->row = NULL;
    run->row_at = NAN;
}

static void forget_probe(void *context) {
    history_clear(&((Watched *)context)->probes);
    drop_row(context);
}

LowestHead watched_lowest_head(const RunLog *probe) {
    LowestHead low = {.share = NAN};
    for (size_t s = 0; probe && s < probe->probe.site_count; s++) {
        const SiteLog *site = &probe->probe.sites[s];
        for (size_t h = 0; h < site->heads; h++) {
            double share = entropy_share(site->entropy[h], site->uniform[0]);
            if (isnan(share) || share >= low.share) continue;
            low = (LowestHead){share, site->name, h};
        }
    }
    return low;
}

/* A row about sharpness alone is no probe. */
static bool take_probe(void *context, const char *line, size_t length, size_t at) {
    Watched *run = context;
    json_t *row = rows_parse(line, length);
    bool good = runlog_number(row, "step") >= 0;
    if (good) {
        RunLog *probe = runlog_of_probe(row);
        if (probe->probe.site_count || probe->probe.weight_count) {
            Point point = {.step = probe->probe.step[0], .at = at};
            for (size_t k = 0; k < POINT_NUMBERS; k++) point.value[k] = NAN;
            point.epoch = point.highest = NAN;
            double lowest = runlog_lowest(probe).share;
            if (isfinite(lowest)) point.value[POINT_ENTROPY] = lowest;
            history_add(&run->probes, &point);
        }
        runlog_free(probe);
    }
    json_decref(row);
    return good;
}

const RunLog *watched_probe(Watched *run, double step) {
    const Point *point = history_at(&run->probes, step);
    if (!point) return NULL;
    if (run->row && run->row_at == point->step) return run->row;
    size_t length = 0;
    drop_row(run);
    char *line = rows_line(&run->probe, point->at, &length);
    json_t *row = line ? rows_parse(line, length) : NULL;
    if (row) run->row = runlog_of_probe(row), run->row_at = point->step;
    if (row && !run->row->probe.count) drop_row(run); /* written over since */
    json_decref(row);
    mem_free(line);
    return run->row;
}

/* ---- eval.jsonl ---- */

static void forget_eval(void *context) { ((Watched *)context)->eval_count = 0; }

static bool take_eval(void *context, const char *line, size_t length, size_t at) {
    (void)at;
    Watched *run = context;
    json_t *row = rows_parse(line, length);
    const char *split = runlog_text(row, "split");
    WatchedEval eval = {.step = runlog_number(row, "step")};
    snprintf(eval.split, sizeof eval.split, "%s", split ? split : "val");
    for (size_t m = 0; m < METRIC_COUNT; m++)
        eval.scores[m] = runlog_number(row, metrics[m].key);
    json_decref(row);
    if (!(eval.step >= 0)) return false;
    while (run->eval_count && run->evals[run->eval_count - 1].step > eval.step)
        run->eval_count--;
    if (run->eval_count == EVALS_MOST)
        memmove(run->evals, run->evals + 1, --run->eval_count * sizeof eval);
    GROW(run->evals, run->eval_count, run->eval_room, 1);
    run->evals[run->eval_count++] = eval;
    return true;
}

Metric watched_metric(const WatchedEval *eval) {
    Metric m;
    for (size_t i = 0; (m = metric_shown(i)) < METRIC_COUNT; i++)
        if (isfinite(eval->scores[m])) return m;
    return METRIC_LOSS;
}

const WatchedEval *watched_eval(const Watched *run, double step, const char *split) {
    for (size_t i = run->eval_count; i-- > 0;) {
        const WatchedEval *eval = &run->evals[i];
        bool fits = *split ? !strcmp(split, eval->split)
                           : watched_metric(eval) != METRIC_LOSS ||
                                 isfinite(eval->scores[METRIC_LOSS]);
        if (eval->step <= step && fits) return eval;
    }
    return NULL;
}

/* ---- the run ---- */

static double time_of(const char *dir, const char *name) {
    char path[PATH_SIZE];
    struct stat info;
    rundir_path(path, dir, "%s", name);
    if (stat(path, &info)) return NAN;
    return (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec;
}

static double setting(const RunLog *recipe, const char *key) {
    const char *text = runlog_setting(recipe, key);
    double value = text ? strtod(text, NULL) : NAN;
    return value > 0 ? value : NAN;
}

/* A resume may have changed it. */
static void read_recipe(Watched *run) {
    double changed = time_of(run->dir, "recipe.ini"),
           session = time_of(run->dir, "run.json");
    bool same = (changed == run->recipe_changed || (isnan(changed) && run->recipe)) &&
                (session == run->session_changed || isnan(session));
    RunLog *recipe = same ? NULL : runlog_open_recipe(run->dir, NULL);
    if (!recipe) return;
    runlog_free(run->recipe);
    run->recipe = recipe;
    run->recipe_changed = changed;
    run->session_changed = session;
    run->chance = recipe->chance;
    run->steps = setting(recipe, "train.steps");
    run->epochs = setting(recipe, "train.epochs");
    run->batch = setting(recipe, "train.batch");
    if (setting(recipe, "train.batch_tokens") > 0 ||
        setting(recipe, "train.batch_seconds") > 0 || runlog_counts_tokens(recipe))
        run->batch = NAN;
}

Watched *watched_open(const char *dir, Err *err) {
    RunLog *recipe = runlog_open_recipe(dir, err);
    if (!recipe) return NULL;
    Watched *run = mem_zalloc(sizeof *run);
    run->dir = mem_strdup(dir);
    snprintf(run->name, sizeof run->name, "%s", recipe->name);
    runlog_free(recipe);
    run->train = rows_file(dir, "train.jsonl");
    run->probe = rows_file(dir, "probe.jsonl");
    run->eval = rows_file(dir, "eval.jsonl");
    run->recipe_changed = run->session_changed = run->steps = run->epochs = run->batch =
        run->chance = NAN;
    run->pace = run->seen_step = run->row_at = NAN;
    return run;
}

void watched_close(Watched *run) {
    if (!run) return;
    drop_row(run);
    runlog_free(run->recipe);
    history_clear(&run->history);
    history_clear(&run->probes);
    void *owned[] = {run->events, run->evals, run->dir, run};
    for (size_t i = 0; i < COUNT(owned); i++) mem_free(owned[i]);
}

/* Steps a second since the first row that was seen, or over the last minutes. */
static void measure_pace(Watched *run, double before) {
    double step = watched_step(run), now = clock_now();
    if (isnan(run->seen_step) || step < run->seen_step) {
        run->seen_step = step;
        run->seen_clock = now;
        run->pace = NAN;
    } else if (step > before && now > run->seen_clock) {
        run->pace = (step - run->seen_step) / (now - run->seen_clock);
        if (now - run->seen_clock < PACE_SECONDS) return;
        run->seen_step += (step - run->seen_step) / 2;
        run->seen_clock += (now - run->seen_clock) / 2;
    }
}

/* Of epochs, by what the last row has done of them. */
static void find_steps(Watched *run) {
    const Point *last = history_at(&run->history, INFINITY);
    double given = run->recipe ? setting(run->recipe, "train.steps") : NAN;
    run->steps = given;
    if (isnan(given) && last && last->epoch > 0 && run->epochs > 0)
        run->steps = moment_step_logged(run->epochs, last->step, last->epoch);
}

bool watched_poll(Watched *run) {
    const size_t kilo = 1024, fill = 4096 * kilo;
    const RowTaker train = {run,         forget_train, take_train, 2000,
                            1024 * kilo, 256 * kilo,   2000},
                   probe = {run,         forget_probe, take_probe, 200,
                            4096 * kilo, 256 * kilo,   8},
                   eval = {run,         forget_eval, take_eval, 1000,
                           1024 * kilo, 256 * kilo,  2000};
    double before = watched_step(run);
    bool first = !run->train.there;
    read_recipe(run);
    bool news = rows_poll(&run->train, &train);
    RowTaker thorough = probe;
    if (!run->probe.read) thorough.most = 400;
    news |= rows_poll(&run->probe, &thorough);
    news |= rows_poll(&run->eval, &eval);
    if (run->train.fill_at < run->train.fill_end && !first)
        rows_backfill(&run->train, &train, fill), news = true;
    find_steps(run);
    measure_pace(run, before);
    return news;
}

double watched_step(const Watched *run) {
    return run->history.count ? run->history.points[run->history.count - 1].step : 0;
}

double watched_age(const Watched *run, double now) {
    return run->train.there ? fmax(now - run->train.changed, 0) : NAN;
}

/* Steps a second of the process that is training, up to its last row.  run.json is as old
 * as the process until it ends; in a copy both files may be new, and there is no pace. */
static double session_pace(const Watched *run) {
    const Sessions *all = run->recipe ? &run->recipe->sessions : NULL;
    const Session *last = all && all->count ? &all->list[all->count - 1] : NULL;
    if (!last || last->exit != SESSION_OPEN) return NAN;
    double steps = watched_step(run) - (double)last->from;
    double seconds = run->train.changed - run->session_changed;
    return steps > 0 && seconds > 0 ? steps / seconds : NAN;
}

/* Steps a second: as seen here, else by the rate of the last row, else by the time that
 * they took. */
static double pace_of(const Watched *run) {
    const Point *last = history_at(&run->history, INFINITY);
    if (run->pace > 0) return run->pace;
    double pace = last ? last->value[POINT_RATE] / run->batch : NAN;
    return isnan(pace) ? session_pace(run) : pace;
}

bool watched_counts_tokens(const Watched *run) {
    if (run->recipe && runlog_counts_tokens(run->recipe)) return true;
    if (run->recipe && run->recipe->setting_count) return false;
    for (size_t i = 0; i < run->eval_count; i++)
        for (size_t m = 0; m < METRIC_COUNT; m++)
            if (metrics[m].of_tokens && isfinite(run->evals[i].scores[m])) return true;
    return false;
}

double watched_left(const Watched *run) {
    double left = run->steps - watched_step(run);
    return left > 0 ? left / pace_of(run) : left; /* NaN stays NaN */
}

/* Steps between the last two rows. */
static double row_steps(const Watched *run) {
    const History *h = &run->history;
    return h->count > 1 ? h->points[h->count - 1].step - h->points[h->count - 2].step : 1;
}

/* What the last process said when it ended; STATE_RUNNING: it has not. */
static WatchedState ending_of(const Watched *run) {
    const Sessions *all = run->recipe ? &run->recipe->sessions : NULL;
    const Session *last = all && all->count ? &all->list[all->count - 1] : NULL;
    if (!last || last->exit == SESSION_OPEN) return STATE_RUNNING;
    bool took_all = last->step && last->step >= last->steps;
    if (last->exit == OK || (last->exit == FAIL_DIVERGED && took_all))
        return STATE_FINISHED;
    return last->exit == FAIL_INTERRUPTED ? STATE_INTERRUPTED : STATE_FAILED;
}

WatchedState watched_state(const Watched *run, double now) {
    struct stat info;
    if (stat(run->dir, &info)) return STATE_GONE;
    WatchedState ending = ending_of(run);
    if (!run->history.count) return ending == STATE_RUNNING ? STATE_WAITING : ending;
    const WatchedEvent *last =
        run->event_count ? &run->events[run->event_count - 1] : NULL;
    if (last && !strcmp(last->kind, RUNLOG_NONFINITE) && last->step >= watched_step(run))
        return STATE_BROKEN;
    if (ending != STATE_RUNNING) return ending;
    if (watched_step(run) >= run->steps) return STATE_FINISHED;
    double row = row_steps(run) / pace_of(run);
    double patience = fmax(QUIET_SECONDS, isfinite(row) ? QUIET_ROWS * row : 0);
    return watched_age(run, now) > patience ? STATE_QUIET : STATE_RUNNING;
}

/* ---- what is wrong with its logs ---- */

static double last_logged(const Watched *run) {
    double last = watched_step(run);
    for (size_t i = 0; i < run->event_count; i++) last = fmax(last, run->events[i].step);
    return last;
}

bool watched_unreadable(const Watched *run, char text[WATCHED_FAULT]) {
    const struct {
        const RowFile *file;
        const char *name;
    } logs[] = {{&run->train, "train.jsonl"},
                {&run->probe, "probe.jsonl"},
                {&run->eval, "eval.jsonl"}};
    size_t used = 0;
    *text = 0;
    for (size_t i = 0; i < COUNT(logs); i++)
        if (logs[i].file->bad)
            used += (size_t)snprintf(text + used, WATCHED_FAULT - used, "%s%s",
                                     used ? ", " : "", logs[i].name);
    if (used) snprintf(text + used, WATCHED_FAULT - used, ": unreadable lines");
    return used;
}

bool watched_missing(const Watched *run, char text[WATCHED_FAULT]) {
    double logged = last_logged(run);
    *text = 0;
    if (!run->recipe || !runstate_lacks_rows(run->recipe, logged)) return false;
    const Sessions *all = &run->recipe->sessions;
    snprintf(text, WATCHED_FAULT, "rows of steps %.0f to %zu are missing", logged + 1,
             all->list[all->count - 1].step);
    return true;
}
