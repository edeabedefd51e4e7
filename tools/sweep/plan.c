/* plan: what a sweep is to be, before its first run (tools/sweep/sweep.h). */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/file/openfile.h"
#include "tools/program/say.h"
#include "tools/program/textstream.h"
#include "tools/program/version.h"
#include "tools/run/rundir.h"
#include "tools/sweep/state.h"

static const char KIND[] = "steady sweep";

/* ---- a plan from a file ---- */

/* What a hand has put there would be no criterion, or no method, without a word. */
static bool is_text_or_nothing(const json_t *plan, const char *name) {
    const json_t *value = json_object_get(plan, name);
    return !value || json_is_null(value) || json_is_string(value);
}

static bool is_plan(const json_t *plan) {
    const char *kind = json_string_value(json_object_get(plan, "plan"));
    return kind && !strcmp(kind, KIND) && json_is_array(json_object_get(plan, "words")) &&
           json_array_size(json_object_get(plan, "recipes")) > 0 &&
           is_text_or_nothing(plan, "fail") && is_text_or_nothing(plan, "method") &&
           is_text_or_nothing(plan, "baseline") && is_text_or_nothing(plan, "definition");
}

/* NULL with err OK: there is no such file. */
static json_t *load(const char *path, const char *root, Err *err) {
    if (!openfile_exists(path, root)) return NULL;
    json_t *plan = openfile_json(path, root, err);
    if (!plan || is_plan(plan)) return plan;
    json_decref(plan);
    err_set(err, FAIL_DATA, "%s:1: not the plan of a sweep; choose another --plan", path);
    return NULL;
}

static const char *text_of(const json_t *plan, const char *key) {
    const char *text = json_string_value(json_object_get(plan, key));
    return text ? text : "";
}

char **sweep_plan_words(const char *path, size_t *count, Err *err) {
    Err why = ERR_NONE;
    json_t *plan = load(path, NULL, &why);
    char **words = plan ? words_of(json_object_get(plan, "words"), count) : NULL;
    json_decref(plan);
    if (why.status) err_set(err, why.status, "%s", why.text);
    else if (!words)
        err_set(err, FAIL_USAGE,
                "--plan %s: no such file; to write it, give the grid of the sweep", path);
    return words;
}

/* ---- a plan of a sweep ---- */

/* Seeds of the cells, each once. */
static json_t *seeds_json(const Sweep *sweep, Err *err) {
    json_t *list = json_array();
    Recipe *recipe = mem_alloc(sizeof *recipe);
    for (size_t c = 0; c < sweep->cell_count && !err->status; c++) {
        if (sweep_recipe(sweep, c, recipe, err)) break;
        json_int_t seed = (json_int_t)recipe->train.seed;
        size_t i = 0;
        while (i < json_array_size(list) &&
               json_integer_value(json_array_get(list, i)) != seed)
            i++;
        if (i == json_array_size(list)) json_array_append_new(list, json_integer(seed));
    }
    mem_free(recipe);
    return list;
}

static json_t *make(const Sweep *sweep, Err *err) {
    char written[40];
    struct tm utc;
    time_t now = time(NULL);
    strftime(written, sizeof written, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    char definition[SWEEP_DEFINITION] = "";
    const char *fail = sweep_fail_text(sweep);
    if (*fail) sweep_fail_definition(sweep, definition, sizeof definition);
    json_t *recipes = plan_recipes(sweep, err), *seeds = seeds_json(sweep, err);
    return json_pack("{s:s, s:s, s:s, s:s*, s:o, s:s*, s:s*, s:s*, s:s*, s:I, s:o, s:o}",
                     "plan", KIND, "written", written, "version", STEADY_VERSION,
                     "commit", *version_commit() ? version_commit() : NULL, "words",
                     words_json(sweep), "fail", *fail ? fail : NULL, "definition",
                     *fail ? definition : NULL, "method", sweep->methods, "baseline",
                     sweep->base, "runs", (json_int_t)sweep->cell_count, "seeds", seeds,
                     "recipes", recipes);
}

static Status save(json_t *plan, const char *path, const char *root, Err *err) {
    TextStream text;
    if (textstream_open(&text, err)) return err->status;
    bool failed = json_dumpf(plan, text.file, JSON_INDENT(1)) != 0;
    fputc('\n', text.file);
    if (textstream_close(&text, err)) return err->status;
    CHECK(!failed, "%s: an object that jansson did not build", path);
    Status status = openfile_save(path, root, text.text, text.size, err);
    free(text.text);
    return status;
}

/* ---- whose plan it is ---- */

static Status take_fail(Sweep *sweep, const char *path, Err *err) {
    const char *fail = text_of(sweep->plan, "fail");
    if (!*fail || sweep->fail || !sweep_restore_fail(sweep, fail, err)) return OK;
    err->status = FAIL_DATA;
    return err_wrap(err, "%s", path);
}

Status plan_open(const Sweep *sweep, Sweep *planned, Err *err) {
    size_t count;
    char **words = words_of(json_object_get(sweep->plan, "words"), &count);
    Status status = sweep_open(planned, (const char *const *)words, count, err);
    if (!status) planned->trained = sweep->trained;
    sweep_free_words(words, count);
    return status;
}

/* What was changed by hand in one place, and not in another, would not be followed by
 * anybody. */
static Status check_agrees(const Sweep *sweep, const char *path, Err *err) {
    Sweep planned;
    char text[500];
    if (plan_open(sweep, &planned, err)) return err_wrap(err, "%s", path);
    bool agrees = plan_agrees(&planned, sweep->plan, text, sizeof text);
    sweep_close(&planned);
    if (agrees) return OK;
    return err_set(err, FAIL_DATA,
                   "%s: the plan contradicts itself: %s; restore the file, or write "
                   "another plan",
                   path, text);
}

Status sweep_read_plan(Sweep *sweep, const char *path, Err *err) {
    Err why = ERR_NONE;
    sweep->plan_path = path;
    sweep->plan = load(path, NULL, &why);
    if (why.status) return err_set(err, why.status, "%s", why.text);
    if (!sweep->plan) return OK;
    Status status = check_agrees(sweep, path, err);
    return status ? status : take_fail(sweep, path, err);
}

/* A plan is obeyed by its own grid; what is run later may be more. */
static Status check_grid(const Sweep *sweep, Err *err) {
    Sweep planned;
    if (plan_open(sweep, &planned, err))
        return err_wrap(err, "--plan %s", sweep->plan_path);
    size_t *place = mem_alloc(planned.cell_count * sizeof *place), lost = 0;
    Status status = sweep_match(&planned, sweep, place, err);
    for (size_t c = 0; c < planned.cell_count && !status; c++)
        lost += place[c] == SIZE_MAX;
    if (!status && (lost || planned.cell_count != sweep->cell_count))
        status = err_set(err, FAIL_USAGE,
                         "--plan %s is the plan of another grid; choose another file, "
                         "or run that grid: steady sweep --plan %s",
                         sweep->plan_path, sweep->plan_path);
    mem_free(place);
    sweep_close(&planned);
    return status;
}

static bool has_begun(const Sweep *sweep) {
    char dir[PATH_SIZE];
    for (size_t c = 0; c < sweep->cell_count; c++) {
        sweep_cell_dir(sweep, c, dir, sizeof dir);
        if (rundir_holds_run(dir)) return true;
    }
    return false;
}

/* The folder has no plan yet. */
static Status check_new(const Sweep *sweep, Err *err) {
    if (!sweep->plan_path) return OK;
    if (has_begun(sweep))
        return err_set(err, FAIL_USAGE,
                       "%s has runs without a plan, but a plan must be written before "
                       "the first run; choose another --out, or leave out --plan",
                       sweep->dir);
    return sweep->plan ? check_grid(sweep, err) : OK;
}

/* Of a folder that has a plan: no other takes its place. */
static Status check_same(const Sweep *sweep, const json_t *own, Err *err) {
    if (!sweep->plan_path || (sweep->plan && json_equal((json_t *)own, sweep->plan)))
        return OK;
    return err_set(err, FAIL_USAGE,
                   "%s already has a plan, plan.json, written %s, but %s is %s; leave "
                   "out --plan, or choose another --out",
                   sweep->dir, text_of(own, "written"), sweep->plan_path,
                   sweep->plan ? "another" : "not there");
}

/* A plan that is taken away, or changed, after the sweep has begun would be followed
 * without a word.  NULL: neither the folder nor its state has one, or err says why. */
static json_t *plan_of_folder(Sweep *sweep, const json_t *state, Err *err) {
    char path[PATH_SIZE];
    json_t *had = json_object_get(json_object_get(state, "plan"), "plan");
    rundir_path(path, sweep->dir, "plan.json");
    json_t *own = load(path, sweep->dir, err);
    if (err->status || !is_plan(had) || (own && json_equal(own, had))) return own;
    json_decref(own);
    if (own && !sweep->trained) {
        err_set(err, FAIL_DATA,
                "%s is not the plan that the sweep began with; restore it, or remove it: "
                "sweep.json has that plan",
                path);
        return NULL;
    }
    if (!sweep->plan_restored)
        say("steady: note: %s %s; the plan is that of sweep.json", path,
            own ? "is not the plan that the sweep began with" : "is missing");
    sweep->plan_restored = true;
    return json_incref(had);
}

Status sweep_take_plan(Sweep *sweep, const json_t *state, Err *err) {
    char path[PATH_SIZE];
    Err why = ERR_NONE;
    rundir_path(path, sweep->dir, "plan.json");
    json_t *own = plan_of_folder(sweep, state, &why);
    if (why.status) return err_set(err, why.status, "%s", why.text);
    if (!own) return check_new(sweep, err);
    Status status = check_same(sweep, own, err);
    json_decref(sweep->plan);
    sweep->plan = own;
    if (!status && !sweep->trained) status = check_agrees(sweep, path, err);
    return status ? status : take_fail(sweep, path, err);
}

Status sweep_write_plan(Sweep *sweep, Err *err) {
    if (!sweep->plan_path || sweep->plan) return OK;
    Err why = ERR_NONE;
    sweep->plan = make(sweep, &why);
    if (why.status) return err_set(err, why.status, "%s", why.text);
    sweep->plan_written = true;
    return save(sweep->plan, sweep->plan_path, NULL, err);
}

Status sweep_keep_plan(const Sweep *sweep, Err *err) {
    char path[PATH_SIZE];
    rundir_path(path, sweep->dir, "plan.json");
    if (!sweep->plan || openfile_exists(path, sweep->dir)) return OK;
    return save(sweep->plan, path, sweep->dir, err);
}
