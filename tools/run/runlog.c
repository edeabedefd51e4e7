#include "tools/run/runlog.h"

#include <errno.h>
#include <ini.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/file/openfile.h"
#include "engine/core/grow.h"
#include "tools/program/say.h"
#include "tools/run/layer.h"

#define RECIPE_MOST ((size_t)1 << 20)
#define LOG_MOST ((size_t)4 << 30)
#define CELLS_LEAST ((size_t)64 << 20) /* numbers that any log may take: 512 MB */
#define STEP_MOST 1e15
#define NUMBER_MOST 1e39 /* beyond all floats */
#define NUMBER_LEAST 1e-60

enum {
    ROW_LEAST = sizeof "{\"step\":1}" - 1, /* bytes of the shortest row */
    LINE_MOST = 16 << 20,
    NAMES_MOST = 20000, /* sites, heads of one, weights */
    KINDS_MOST = 200,   /* of sites or weights: names without the number of their block */
};

static double *nan_array(size_t count) {
    double *array = mem_alloc(count * sizeof *array);
    for (size_t i = 0; i < count; i++) array[i] = NAN;
    return array;
}

/* NaN for what is no number, or larger than any that a run logs; 0 for what is
 * smaller. */
static double number_in(const json_t *value) {
    double x = json_is_number(value) ? json_number_value(value) : NAN;
    if (fabs(x) < NUMBER_LEAST) return 0;
    return fabs(x) <= NUMBER_MOST ? x : NAN;
}

static double number(const json_t *row, const char *key) {
    return number_in(json_object_get(row, key));
}

static const char *text_of(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    return json_is_string(value) ? json_string_value(value) : NULL;
}

/* One row of a run into the arrays, which have room for `space` rows. */
typedef void RowReader(RunLog *run, const json_t *row, double step, size_t space);

/* An intervention has a key and two values in place of a text. */
static char *event_text(const json_t *row) {
    const char *text = text_of(row, "text"), *key = text_of(row, "key");
    if (text || !key) return mem_strdup(text ? text : "");
    char *from = json_dumps(json_object_get(row, "from"), JSON_ENCODE_ANY);
    char *to = json_dumps(json_object_get(row, "to"), JSON_ENCODE_ANY);
    char line[300];
    snprintf(line, sizeof line, "%s was %s, is %s", key, from ? from : "?",
             to ? to : "?");
    free(from);
    free(to);
    return mem_strdup(line);
}

static void read_event(RunLog *run, const json_t *row, double step, size_t space) {
    if (!run->events) run->events = mem_zalloc(space * sizeof *run->events);
    run->events[run->event_count++] = (RunEvent){step, mem_strdup(text_of(row, "event")),
                                                 event_text(row), number(row, "count")};
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
                   {&train->items_per_s, "items_per_s"}};
    if (text_of(row, "event")) {
        read_event(run, row, step, space);
        return;
    }
    while (train->count && train->step[train->count - 1] >= step) train->count--;
    for (size_t i = 0; i < COUNT(columns); i++) {
        if (!*columns[i].array) *columns[i].array = nan_array(space);
        (*columns[i].array)[train->count] = number(row, columns[i].key);
    }
    train->count++;
}

/* A name that is too long is kept without its end. */
static bool is_named(const char *kept, size_t room, const char *name) {
    return !strncmp(kept, name, room - 1);
}

/* Its number among the names that came before; SIZE_MAX: it is new. */
static size_t find_name(const StringMap *names, const char *name, size_t room) {
    return stringmap_find(names, name, strnlen(name, room - 1));
}

/* Figures compare each kind with all names.  A name of one kind too many is left out. */
static bool has_kind(StringMap *kinds, const char *name) {
    char text[sizeof(LayerName)];
    LayerName part = layer_name(name);
    text_format(text, sizeof text, "%d%s %s", part.in_block, part.prefix, part.suffix);
    size_t length = strlen(text);
    if (stringmap_find(kinds, text, length) != SIZE_MAX) return true;
    return kinds->count < KINDS_MOST && stringmap_add(kinds, text, length) < KINDS_MOST;
}

/* Each name takes numbers for each row.  Of rows that belong together they are fewer than
 * the bytes that name them; what strangers write must not take all memory.  False: the
 * name is left out, which is said (runlog_note). */
static bool afford(RunLog *run, const char *name, StringMap *kinds, size_t count,
                   size_t space, size_t each) {
    size_t cells;
    bool good = count < NAMES_MOST && has_kind(kinds, name) &&
                size_mul(space, each, &cells) &&
                cells <= run->room - MIN(run->room, run->cells);
    if (good) run->cells += cells;
    if (good || !run->room) return good;
    run->room = 0; /* said once */
    if (!run->bad_rows++)
        snprintf(run->bad_first, sizeof run->bad_first,
                 "probe.jsonl: from %.60s on there are too many names for its rows",
                 name);
    return false;
}

/* Rows list their sites and weights in one order: `guess`, the place in the row, is where
 * the name mostly stands. */
static SiteLog *find_site(RunLog *run, const char *name, size_t guess, size_t heads,
                          size_t space) {
    ProbeLog *probe = &run->probe;
    enum { ROOM = sizeof probe->sites->name };
    if (guess < probe->site_count && is_named(probe->sites[guess].name, ROOM, name))
        return &probe->sites[guess];
    size_t known = find_name(&run->site_names, name, ROOM);
    if (known != SIZE_MAX) return &probe->sites[known];
    if (heads > NAMES_MOST ||
        !afford(run, name, &run->site_kinds, probe->site_count, space, 4 + heads))
        return NULL;
    GROW(probe->sites, probe->site_count, probe->site_room, 1);
    SiteLog *site = &probe->sites[probe->site_count++];
    snprintf(site->name, sizeof site->name, "%s", name);
    stringmap_add(&run->site_names, site->name, strlen(site->name));
    site->heads = heads;
    site->entropy = nan_array(space * MAX(heads, 1));
    site->mean = nan_array(space);
    site->max_logit = nan_array(space);
    site->keys = nan_array(space);
    site->uniform = nan_array(space);
    return site;
}

static void read_site(RunLog *run, const json_t *row, size_t guess, size_t at,
                      size_t space) {
    const char *name = text_of(row, "site");
    const json_t *entropy = json_object_get(row, "entropy");
    size_t heads = json_array_size(entropy);
    SiteLog *site = name ? find_site(run, name, guess, heads, space) : NULL;
    if (!site) return;
    double *nats = site->entropy + at * site->heads;
    for (size_t h = 0; h < site->heads; h++)
        nats[h] = number_in(json_array_get(entropy, h));
    site->mean[at] = entropy_mean(nats, site->heads);
    site->max_logit[at] = number(row, "max_logit");
    double keys = number(row, "keys"), uniform = number(row, "uniform");
    site->keys[at] = keys;
    site->uniform[at] = isfinite(uniform) ? uniform : keys >= 1 ? log(keys) : NAN;
}

static WeightLog *find_weight(RunLog *run, const char *name, size_t guess, size_t space) {
    ProbeLog *probe = &run->probe;
    enum { ROOM = sizeof probe->weights->name };
    if (guess < probe->weight_count && is_named(probe->weights[guess].name, ROOM, name))
        return &probe->weights[guess];
    size_t known = find_name(&run->weight_names, name, ROOM);
    if (known != SIZE_MAX) return &probe->weights[known];
    if (!afford(run, name, &run->weight_kinds, probe->weight_count, space,
                WEIGHT_NUMBERS))
        return NULL;
    GROW(probe->weights, probe->weight_count, probe->weight_room, 1);
    WeightLog *weight = &probe->weights[probe->weight_count++];
    snprintf(weight->name, sizeof weight->name, "%s", name);
    stringmap_add(&run->weight_names, weight->name, strlen(weight->name));
    for (size_t k = 0; k < WEIGHT_NUMBERS; k++) weight->value[k] = nan_array(space);
    return weight;
}

#define KEY(NUMBER, key, label) key,
static const char *const KEYS[] = {WEIGHT_LIST(KEY)};

static void read_weight(RunLog *run, const json_t *row, size_t guess, size_t at,
                        size_t space) {
    const char *name = text_of(row, "name");
    WeightLog *weight = name ? find_weight(run, name, guess, space) : NULL;
    if (!weight) return;
    for (size_t k = 0; k < WEIGHT_NUMBERS; k++)
        weight->value[k][at] = number(row, KEYS[k]);
}

static void read_probe_row(RunLog *run, const json_t *row, double step, size_t space) {
    ProbeLog *probe = &run->probe;
    if (!probe->step) {
        probe->step = nan_array(space);
        probe->sharpness = nan_array(space);
    }
    while (probe->count && probe->step[probe->count - 1] >= step) probe->count--;
    size_t at = probe->count++, i;
    const json_t *item, *first = json_array_get(json_object_get(row, "sharpness"), 0);
    probe->step[at] = step;
    probe->sharpness[at] = number_in(first);
    json_array_foreach(json_object_get(row, "attention"), i, item)
        read_site(run, item, i, at, space);
    json_array_foreach(json_object_get(row, "weights"), i, item)
        read_weight(run, item, i, at, space);
}

static void read_eval_row(RunLog *run, const json_t *row, double step, size_t space) {
    if (!run->evals) run->evals = mem_zalloc(space * sizeof *run->evals);
    EvalRow *eval = &run->evals[run->eval_count++];
    const char *split = text_of(row, "split");
    *eval = (EvalRow){.step = step, .score = NAN};
    snprintf(eval->split, sizeof eval->split, "%s", split ? split : "val");
    for (size_t m = 0; m < METRIC_COUNT; m++)
        eval->scores[m] = number(row, metrics[m].key);
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
}

/* False with the reason in `why`. */
static bool read_line(RunLog *run, RowReader *reader, const char *line, size_t length,
                      size_t space, char *why, size_t why_size) {
    json_error_t error;
    json_t *row = length <= LINE_MOST ? json_loadb(line, length, 0, &error) : NULL;
    double step = number(row, "step");
    bool good = step >= 0 && step <= STEP_MOST;
    if (good) reader(run, row, step, space);
    else if (length > LINE_MOST) snprintf(why, why_size, "a row of %zu bytes", length);
    else snprintf(why, why_size, "%s", row ? "a row has no \"step\"" : error.text);
    json_decref(row);
    return good;
}

static Status read_rows(RunLog *run, const char *file, RowReader *reader, Err *err) {
    char path[4096], why[200];
    text_format(path, sizeof path, "%s/%s", run->path, file);
    size_t size = 0, space = 1;
    if (!openfile_exists(path, run->path) && errno == ENOENT) return OK;
    char *text = openfile_text(path, run->path, LOG_MOST, &size, err);
    if (!text) return err->status;
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
            snprintf(run->bad_first, sizeof run->bad_first, "%.280s:%zu: %s", path,
                     line_number, why);
        line += length + 1;
    }
    mem_free(text);
    return OK;
}

void runlog_note(const RunLog *run, char *text, size_t size) {
    *text = 0;
    if (run->bad_rows)
        snprintf(text, size, "%zu line%s of the logs %s not used (%s%s)", run->bad_rows,
                 run->bad_rows == 1 ? "" : "s", run->bad_rows == 1 ? "is" : "are",
                 run->bad_rows == 1 ? "" : "first: ", run->bad_first);
}

void runlog_say(const RunLog *run) {
    char text[600];
    runlog_note(run, text, sizeof text);
    if (*text) say("steady: note: %s", text);
}

static int keep_setting(void *user, const char *section, const char *key,
                        const char *value) {
    RunLog *run = user;
    char name[256];
    snprintf(name, sizeof name, "%s.%s", section, key);
    GROW(run->settings, run->setting_count, run->setting_room, 1);
    run->settings[run->setting_count++] = (Setting){mem_strdup(name), mem_strdup(value)};
    return 1;
}

static void read_recipe(RunLog *run) {
    char path[4096];
    size_t size;
    text_format(path, sizeof path, "%s/recipe.ini", run->path);
    run->recipe = openfile_text(path, run->path, RECIPE_MOST, &size, NULL);
    if (!run->recipe) run->recipe = mem_strdup("");
    /* Lines that are no settings are shown as text and otherwise passed over. */
    ini_parse_string(run->recipe, keep_setting, run);
}

/* The task says what guessing costs; a classifier's older task.json leaves
 * it to ln(classes). */
static void read_facts(RunLog *run) {
    char path[4096];
    text_format(path, sizeof path, "%s/task.json", run->path);
    json_t *facts = openfile_json(path, run->path, NULL);
    double chance = number(facts, "chance"), classes = number(facts, "classes");
    if (isfinite(chance)) run->chance = chance;
    else if (classes > 1) run->chance = log(classes);
    json_decref(facts);
}

static void name_run(RunLog *run) {
    char *real_path = realpath(run->path, NULL);
    const char *whole = real_path ? real_path : run->path, *slash = strrchr(whole, '/');
    snprintf(run->name, sizeof run->name, "%.120s",
             slash && slash[1] ? slash + 1 : whole);
    free(real_path);
}

RunLog *runlog_open(const char *dir, Err *err) {
    struct stat info;
    if (stat(dir, &info) || !S_ISDIR(info.st_mode) || strlen(dir) > 4000) {
        err_set(err, FAIL_USAGE, "%.800s: there is no such run folder", dir);
        return NULL;
    }
    RunLog *run = mem_zalloc(sizeof *run);
    run->path = mem_strdup(dir);
    run->chance = NAN;
    name_run(run);
    read_recipe(run);
    read_facts(run);
    if (!datafacts_load(dir, &run->data, err) &&
        !read_rows(run, "train.jsonl", read_train_row, err) &&
        !read_rows(run, "probe.jsonl", read_probe_row, err) &&
        !read_rows(run, "eval.jsonl", read_eval_row, err))
        return run;
    runlog_free(run);
    return NULL;
}

void runlog_free(RunLog *run) {
    if (!run) return;
    datarecord_free(&run->data);
    stringmap_free(&run->site_names);
    stringmap_free(&run->site_kinds);
    stringmap_free(&run->weight_kinds);
    stringmap_free(&run->weight_names);
    json_decref(run->worst);
    TrainLog *train = &run->train;
    double *columns[] = {train->step, train->epoch,     train->loss,
                         train->lr,   train->grad_norm, train->items_per_s};
    for (size_t i = 0; i < COUNT(columns); i++) mem_free(columns[i]);
    for (size_t i = 0; i < run->probe.site_count; i++) {
        SiteLog *site = &run->probe.sites[i];
        double *owned[] = {site->entropy, site->mean, site->max_logit, site->keys,
                           site->uniform};
        for (size_t j = 0; j < COUNT(owned); j++) mem_free(owned[j]);
    }
    for (size_t i = 0; i < run->probe.weight_count; i++) {
        WeightLog *weight = &run->probe.weights[i];
        for (size_t k = 0; k < WEIGHT_NUMBERS; k++) mem_free(weight->value[k]);
    }
    for (size_t i = 0; i < run->event_count; i++) {
        mem_free(run->events[i].kind);
        mem_free(run->events[i].text);
    }
    for (size_t i = 0; i < run->setting_count; i++) {
        mem_free(run->settings[i].key);
        mem_free(run->settings[i].value);
    }
    void *lists[] = {run->probe.step,  run->probe.sharpness,
                     run->probe.sites, run->probe.weights,
                     run->evals,       run->settings,
                     run->recipe,      run->path,
                     run->events};
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

EntropyLow runlog_lowest(const RunLog *run) {
    EntropyLow low = ENTROPY_LOW_NONE;
    for (size_t p = 0; p < run->probe.count; p++)
        for (size_t i = 0; i < run->probe.site_count; i++) {
            const SiteLog *site = &run->probe.sites[i];
            entropy_low_see(&low, site->name, site->uniform[p], site->mean[p],
                            (size_t)run->probe.step[p]);
        }
    return low;
}

/* " 8 of 16 training examples could not be read and were left out." */
static void add_skips(const RunLog *run, char *text, size_t size) {
    double count = 0;
    char of[40] = "";
    for (size_t i = 0; i < run->event_count; i++)
        if (!strcmp(run->events[i].kind, "skip") && run->events[i].count > 0)
            count += run->events[i].count;
    size_t used = strlen(text), all = run->data.split[SPLIT_TRAIN].count;
    if (!(count > 0)) return;
    if (all) text_format(of, sizeof of, " of %zu", all);
    snprintf(text + used, size - used,
             " %.0f%s training examples could not be read and were left out.", count, of);
}

Verdict runlog_verdict(const RunLog *run) {
    const char *reparam = runlog_setting(run, "model.reparam");
    Verdict verdict =
        run_verdict(&(VerdictInput){.loss = run->train.loss,
                                    .step = run->train.step,
                                    .count = run->train.count,
                                    .chance = run->chance,
                                    .sigma = reparam && !strcmp(reparam, "sigma"),
                                    .low = runlog_lowest(run)});
    datarecord_text(&run->data, verdict.data, sizeof verdict.data - 120);
    add_skips(run, verdict.data, sizeof verdict.data);
    return verdict;
}
