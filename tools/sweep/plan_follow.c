/* plan_follow: did a sweep become what its plan says?  (tools/sweep/sweep.h) */
#include <stdarg.h>
#include <string.h>

#include "tools/program/version.h"
#include "tools/run/rundir.h"
#include "tools/sweep/state.h"

enum { NAMES_SHOWN = 3 };

static const char *text_of(const json_t *plan, const char *key) {
    const char *text = json_string_value(json_object_get(plan, key));
    return text ? text : "";
}

void plan_say(json_t *list, const char *format, ...) {
    char text[1400];
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

static void compare_criteria(const Sweep *sweep, json_t *list) {
    const char *planned = text_of(sweep->plan, "fail"), *now = sweep_fail_text(sweep);
    if (strcmp(planned, now))
        plan_say(list, "criterion changed: %s -> %s", *planned ? planned : "none",
                 *now ? now : "none");
}

/* Words of earlier versions that mean the same. */
static char *reworded(const char *definition) {
    static const struct {
        const char *was, *now;
    } words[] = {{"a loss or gradient that is not finite",
                  "a non-finite loss or gradient"},
                 {"the middle between", "the midpoint between"}};
    char *text = mem_strdup(definition);
    for (size_t i = 0; i < COUNT(words); i++) {
        const char *at = strstr(text, words[i].was);
        if (!at) continue;
        size_t size = strlen(text) + strlen(words[i].now) + 1;
        char *next = mem_alloc(size);
        text_format(next, size, "%.*s%s%s", (int)(at - text), text, words[i].now,
                    at + strlen(words[i].was));
        mem_free(text);
        text = next;
    }
    return text;
}

/* The part after the last "; " in front of the first difference. */
static size_t common_parts(const char *a, const char *b) {
    size_t part = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == ';' && a[i + 1] == ' ' && b[i + 1] == ' ') part = i + 2;
    return part;
}

/* Does this program mean the same by the criterion as that which wrote the plan? */
static void compare_definitions(Sweep *planned, const json_t *plan, json_t *list) {
    const char *fail = text_of(plan, "fail"), *said = text_of(plan, "definition");
    char now[SWEEP_DEFINITION];
    if (!*fail || !*said || sweep_restore_fail(planned, fail, NULL)) return;
    sweep_fail_definition(planned, now, sizeof now);
    char *then = reworded(said);
    size_t from = common_parts(then, now);
    if (strcmp(then, now))
        plan_say(list, "definition of the criterion changed: %.400s -> %.400s",
                 then + from, now + from);
    mem_free(then);
}

static bool is_among(const json_t *list, const json_t *item) {
    const json_t *one;
    size_t i;
    json_array_foreach(list, i, one) {
        if (json_equal((json_t *)one, (json_t *)item)) return true;
    }
    return false;
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
        plan_say(list, "seeds added: %s (%zu run%s)", text, of_seeds,
                 of_seeds > 1 ? "s" : "");
    size_t count = name_some(sweep, extra, text, sizeof text);
    if (count)
        plan_say(list, "grid extended by %zu run%s (%s)", count, count > 1 ? "s" : "",
                 text);
    json_decref(added);
    mem_free(recipe);
    return why.status ? err_set(err, why.status, "%s", why.text) : OK;
}

static Status compare_cells(const Sweep *sweep, const Sweep *planned, bool begun,
                            json_t *list, Err *err) {
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
        plan_say(list, "not in the grid: %zu planned (%s)", count, text);
    if (!status && !begun && (count = name_some(sweep, open, text, sizeof text)))
        plan_say(list, "unfinished: %zu planned (%s)", count, text);
    if (!status) status = compare_extra(sweep, extra, list, err);
    mem_free(place);
    mem_free(extra);
    mem_free(open);
    mem_free(lost);
    return status;
}

static bool has_keys(const json_t *plan) {
    const json_t *first = json_array_get(json_object_get(plan, "recipes"), 0);
    return json_is_object(json_object_get(first, "keys"));
}

/* A plan with digests alone says nothing of the recipes of runs that are read, which may
 * have changed, or be elsewhere, since: what was found at the end of the sweep counts. */
static Status compare_recipes(const Sweep *sweep, const Sweep *planned, json_t *list,
                              Err *err) {
    static const char RECIPE[] = "recipe ";
    if (!sweep->trained || has_keys(sweep->plan) || !json_is_array(sweep->told))
        return plan_compare_recipes(planned, sweep->plan, list, err);
    for (size_t i = 0; i < json_array_size(sweep->told); i++) {
        json_t *item = json_array_get(sweep->told, i);
        const char *text = json_string_value(item);
        if (text && !strncmp(text, RECIPE, strlen(RECIPE))) json_array_append(list, item);
    }
    return OK;
}

/* `begun`: what has not ended yet is no deviation. */
static json_t *deviations(const Sweep *sweep, bool begun, Err *err) {
    Sweep planned;
    Err why = ERR_NONE;
    json_t *list = json_array();
    compare_criteria(sweep, list);
    choice_compare(sweep, sweep->plan, list);
    Status status = plan_open(sweep, &planned, &why);
    if (!status) {
        char text[500];
        if (!plan_agrees(&planned, sweep->plan, text, sizeof text))
            plan_say(list, "it contradicts itself: %s", text);
        status = compare_recipes(sweep, &planned, list, &why);
        if (!status) compare_definitions(&planned, sweep->plan, list);
        if (!status) status = compare_cells(sweep, &planned, begun, list, &why);
        sweep_close(&planned);
    }
    if (!status) return list;
    json_decref(list);
    err_set(err, why.status, "%s", why.text);
    return NULL;
}

json_t *sweep_deviations(const Sweep *sweep, Err *err) {
    return deviations(sweep, false, err);
}

static void print_list(const json_t *list, FILE *out) {
    const json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
        fprintf(out, "%s %s", i ? ";" : ":", json_string_value(item));
    fputs("\n", out);
}

/* "plan: followed (...)", in one line */
void sweep_print_plan(const Sweep *sweep, FILE *out) {
    Err err = ERR_NONE;
    json_t *list = sweep_deviations(sweep, &err);
    const char *version = text_of(sweep->plan, "version"), *now = STEADY_VERSION;
    const char *commit = text_of(sweep->plan, "commit");
    if (*commit && *version_commit() && strcmp(commit, version_commit()))
        now = version_text();
    if (!list) {
        fprintf(out, "plan: cannot be compared: %s\n", err.text);
        return;
    }
    fprintf(out, "plan: %s (written %s, %" JSON_INTEGER_FORMAT " runs; version %s%s%s%s",
            json_array_size(list) ? "NOT followed" : "followed",
            text_of(sweep->plan, "written"),
            json_integer_value(json_object_get(sweep->plan, "runs")), version,
            *commit ? " (commit " : "", commit, *commit ? ")" : "");
    if (strcmp(version, now)) fprintf(out, ", now %s", now);
    fputs(")", out);
    print_list(list, out);
    json_decref(list);
}

void sweep_print_plan_ahead(const Sweep *sweep, FILE *out) {
    Err err = ERR_NONE;
    if (!sweep->plan || sweep->plan_written) return;
    json_t *list = deviations(sweep, true, &err);
    if (!list) fprintf(out, "plan: cannot be compared: %s\n", err.text);
    else if (json_array_size(list)) {
        fprintf(out, "plan: these runs deviate from it (written %s)",
                text_of(sweep->plan, "written"));
        print_list(list, out);
    }
    json_decref(list);
}
