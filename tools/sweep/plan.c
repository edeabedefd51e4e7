/* plan: what a sweep is to be, and whether it became that (tools/sweep/sweep.h). */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/file/openfile.h"
#include "tools/program/textstream.h"
#include "tools/run/rundir.h"
#include "tools/sweep/state.h"

static const char KIND[] = "steady sweep";

enum { NAMES_SHOWN = 3 };

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
           is_text_or_nothing(plan, "fail") && is_text_or_nothing(plan, "method");
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

static json_t *digest_json(uint64_t digest) {
    char text[20];
    text_format(text, sizeof text, "%016" PRIx64, digest);
    return json_string(text);
}

static uint64_t recipe_digest(const char *name, Err *err) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    *recipe = recipe_default();
    uint64_t digest = recipe_load(recipe, name, err) ? 0 : sweep_digest(recipe);
    mem_free(recipe);
    return digest;
}

static json_t *recipes_json(const Sweep *sweep, Err *err) {
    const SweepAxis *recipes = &sweep->axes[0];
    json_t *list = json_array();
    for (size_t r = 0; r < recipes->count && !err->status; r++) {
        uint64_t digest = recipe_digest(recipes->values[r], err);
        json_array_append_new(list, json_pack("{s:o, s:o}", "recipe",
                                              word_json(recipes->values[r]), "digest",
                                              digest_json(digest)));
    }
    return list;
}

/* Seeds of the cells for which `among` is true (NULL: of all), each once. */
static json_t *seeds_json(const Sweep *sweep, const bool *among, Err *err) {
    json_t *list = json_array();
    Recipe *recipe = mem_alloc(sizeof *recipe);
    for (size_t c = 0; c < sweep->cell_count && !err->status; c++) {
        if ((among && !among[c]) || sweep_recipe(sweep, c, recipe, err)) continue;
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
    json_t *recipes = recipes_json(sweep, err), *seeds = seeds_json(sweep, NULL, err);
    return json_pack("{s:s, s:s, s:s, s:o, s:s*, s:s*, s:s*, s:I, s:o, s:o}", "plan",
                     KIND, "written", written, "version", STEADY_VERSION, "words",
                     words_json(sweep), "fail", *fail ? fail : NULL, "definition",
                     *fail ? definition : NULL, "method", sweep->methods, "runs",
                     (json_int_t)sweep->cell_count, "seeds", seeds, "recipes", recipes);
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
    if (!*fail || sweep->fail || !sweep_set_fail(sweep, fail, err)) return OK;
    err->status = FAIL_DATA;
    return err_wrap(err, "%s", path);
}

Status sweep_read_plan(Sweep *sweep, const char *path, Err *err) {
    Err why = ERR_NONE;
    sweep->plan_path = path;
    sweep->plan = load(path, NULL, &why);
    if (why.status) return err_set(err, why.status, "%s", why.text);
    return sweep->plan ? take_fail(sweep, path, err) : OK;
}

static Status open_planned(const Sweep *sweep, Sweep *planned, Err *err) {
    size_t count;
    char **words = words_of(json_object_get(sweep->plan, "words"), &count);
    Status status = sweep_open(planned, (const char *const *)words, count, err);
    sweep_free_words(words, count);
    return status;
}

/* A plan is obeyed by its own grid; what is run later may be more. */
static Status check_grid(const Sweep *sweep, Err *err) {
    Sweep planned;
    if (open_planned(sweep, &planned, err))
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

const char *sweep_plan_method(const Sweep *sweep) {
    return json_string_value(json_object_get(sweep->plan, "method"));
}

Status sweep_take_plan(Sweep *sweep, Err *err) {
    char path[PATH_SIZE];
    Err why = ERR_NONE;
    rundir_path(path, sweep->dir, "plan.json");
    json_t *own = load(path, sweep->dir, &why);
    if (why.status) return err_set(err, why.status, "%s", why.text);
    if (!own) return check_new(sweep, err);
    Status status = check_same(sweep, own, err);
    json_decref(sweep->plan);
    sweep->plan = own;
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

/* ---- was it followed? ---- */

/* Adds a sentence to a list of them. */
static void add(json_t *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(json_t *list, const char *format, ...) {
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(list, json_text(text));
}

/* "a, b, c, ..." of the cells for which `among` is true. */
static size_t name_some(const Sweep *sweep, const bool *among, char *text, size_t size) {
    size_t count = 0;
    *text = 0;
    for (size_t c = 0; c < sweep->cell_count; c++) {
        size_t used = strlen(text);
        if (!among[c]) continue;
        if (++count <= NAMES_SHOWN)
            snprintf(text + used, size - used, "%s%s", used ? "; " : "",
                     sweep->cells[c].name);
        else if (count == NAMES_SHOWN + 1) snprintf(text + used, size - used, "; ...");
    }
    return count;
}

static Status compare_recipes(const Sweep *sweep, json_t *list, Err *err) {
    const json_t *row;
    size_t i;
    json_array_foreach(json_object_get(sweep->plan, "recipes"), i, row) {
        Err why = ERR_NONE;
        char *name = word_of(json_object_get(row, "recipe"));
        json_t *now = digest_json(recipe_digest(name, &why));
        if (why.status) err_set(err, why.status, "%s", why.text);
        else if (!json_equal(now, json_object_get(row, "digest")))
            add(list, "recipe %s changed", name);
        json_decref(now);
        mem_free(name);
        if (why.status) return why.status;
    }
    return OK;
}

static void compare_criteria(const Sweep *sweep, json_t *list) {
    const char *planned = text_of(sweep->plan, "fail"), *now = sweep_fail_text(sweep);
    if (strcmp(planned, now))
        add(list, "criterion changed: %s -> %s", *planned ? planned : "none",
            *now ? now : "none");
}

static bool is_among(const json_t *list, const json_t *item) {
    const json_t *one;
    size_t i;
    json_array_foreach(list, i,
                       one) if (json_equal((json_t *)one, (json_t *)item)) return true;
    return false;
}

static void compare_methods(const Sweep *sweep, json_t *list) {
    const char *planned = text_of(sweep->plan, "method");
    const char *now = sweep->methods ? sweep->methods : "";
    if (strcmp(planned, now))
        add(list, "--method changed: %s -> %s", *planned ? planned : "none",
            *now ? now : "none");
}

/* Cells that the plan has not: for their seeds, or for their values. */
static Status compare_extra(const Sweep *sweep, bool *extra, json_t *list, Err *err) {
    char text[900] = "";
    Err why = ERR_NONE;
    Recipe *recipe = mem_alloc(sizeof *recipe);
    json_t *planned = json_object_get(sweep->plan, "seeds"), *added = json_array();
    size_t of_seeds = 0;
    for (size_t c = 0; c < sweep->cell_count && !why.status; c++) {
        if (!extra[c] || sweep_recipe(sweep, c, recipe, &why)) continue;
        json_t *seed = json_integer((json_int_t)recipe->train.seed);
        if (!is_among(planned, seed)) {
            extra[c] = false;
            of_seeds++;
            if (!is_among(added, seed)) json_array_append(added, seed);
        }
        json_decref(seed);
    }
    for (size_t i = 0, used = 0; i < json_array_size(added); i++, used = strlen(text))
        snprintf(text + used, sizeof text - used, "%s%" JSON_INTEGER_FORMAT,
                 i ? ", " : "", json_integer_value(json_array_get(added, i)));
    if (of_seeds)
        add(list, "seeds added: %s (%zu run%s)", text, of_seeds, of_seeds > 1 ? "s" : "");
    size_t count = name_some(sweep, extra, text, sizeof text);
    if (count)
        add(list, "grid extended by %zu run%s (%s)", count, count > 1 ? "s" : "", text);
    json_decref(added);
    mem_free(recipe);
    return why.status ? err_set(err, why.status, "%s", why.text) : OK;
}

static Status compare_cells(const Sweep *sweep, const Sweep *planned, json_t *list,
                            Err *err) {
    char text[900];
    size_t *place = mem_alloc(planned->cell_count * sizeof *place), count;
    bool *extra = mem_alloc(sweep->cell_count * sizeof *extra);
    bool *open = mem_zalloc(sweep->cell_count * sizeof *open);
    bool *lost = mem_zalloc(planned->cell_count * sizeof *lost);
    for (size_t c = 0; c < sweep->cell_count; c++) extra[c] = true;
    Status status = sweep_match(planned, sweep, place, err);
    for (size_t c = 0; c < planned->cell_count && !status; c++) {
        lost[c] = place[c] == SIZE_MAX;
        if (lost[c]) continue;
        extra[place[c]] = false;
        open[place[c]] = !sweep_has_ended(&sweep->cells[place[c]]);
    }
    if (!status && (count = name_some(planned, lost, text, sizeof text)))
        add(list, "not in the grid: %zu planned (%s)", count, text);
    if (!status && (count = name_some(sweep, open, text, sizeof text)))
        add(list, "unfinished: %zu planned (%s)", count, text);
    if (!status) status = compare_extra(sweep, extra, list, err);
    mem_free(place);
    mem_free(extra);
    mem_free(open);
    mem_free(lost);
    return status;
}

json_t *sweep_deviations(const Sweep *sweep, Err *err) {
    Sweep planned;
    Err why = ERR_NONE;
    json_t *list = json_array();
    compare_criteria(sweep, list);
    compare_methods(sweep, list);
    Status status = compare_recipes(sweep, list, &why);
    if (!status) status = open_planned(sweep, &planned, &why);
    if (!status) {
        status = compare_cells(sweep, &planned, list, &why);
        sweep_close(&planned);
    }
    if (!status) return list;
    json_decref(list);
    err_set(err, why.status, "%s", why.text);
    return NULL;
}

/* "plan: followed (...)", in one line */
void sweep_print_plan(const Sweep *sweep, FILE *out) {
    Err err = ERR_NONE;
    json_t *list = sweep_deviations(sweep, &err), *item;
    const char *version = text_of(sweep->plan, "version");
    size_t i;
    if (!list) {
        fprintf(out, "plan: cannot be compared: %s\n", err.text);
        return;
    }
    fprintf(out, "plan: %s (written %s, %" JSON_INTEGER_FORMAT " runs; version %s",
            json_array_size(list) ? "NOT followed" : "followed",
            text_of(sweep->plan, "written"),
            json_integer_value(json_object_get(sweep->plan, "runs")), version);
    if (strcmp(version, STEADY_VERSION)) fprintf(out, ", now %s", STEADY_VERSION);
    fputs(")", out);
    json_array_foreach(list, i, item)
        fprintf(out, "%s %s", i ? ";" : ":", json_string_value(item));
    fputs("\n", out);
    json_decref(list);
}
