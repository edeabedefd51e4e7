/* rundiff_print: the differences of two runs as text and JSON (tools/run/rundiff.h). */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "engine/core/text.h"
#include "tools/program/output.h"
#include "tools/run/rundiff.h"
#include "tools/run/rundir.h"

enum { COLUMNS_SHOWN = 6, VALUE = 300 };

static const char *const FILES[RUNDIFF_PARTS] = {[RUNDIFF_TRAIN] = "train.jsonl",
                                                 [RUNDIFF_EVENTS] = "events",
                                                 [RUNDIFF_EVAL] = "eval.jsonl",
                                                 [RUNDIFF_PROBE] = "probe.jsonl"};

static bool is_asked(const RunDiff *diff, RunDiffPart part) {
    return diff->options.parts >> part & 1;
}

/* Says which run has nothing of the part, if one has. */
static bool print_missing(const RunDiff *diff, RunDiffPart part, FILE *out) {
    bool a = diff->missing[0] >> part & 1, b = diff->missing[1] >> part & 1;
    if (rundiff_can(diff, part)) return false;
    fprintf(out, "%s: not compared (%s)\n", rundiff_names[part],
            a && b ? "neither run has any"
            : a    ? "A has none"
                   : "B has none");
    return true;
}

/* ---- texts ---- */

static void shown(const char *text, char out[VALUE]) {
    if (!*text) text_format(out, VALUE, "-");
    else utf8_show(text, strlen(text), out, VALUE);
}

static size_t count_texts(const RunDiff *diff, RunDiffPart part) {
    size_t count = 0;
    for (size_t i = 0; i < diff->text_count; i++) count += diff->texts[i].part == part;
    return count;
}

/* "version" and the like, without a list: the value itself. */
static void print_same(const RunDiff *diff, RunDiffPart part, FILE *out) {
    const Sessions *a = &diff->run[0]->sessions;
    fprintf(out, "%s: equal", rundiff_names[part]);
    if (part == RUNDIFF_VERSION) fprintf(out, " (%s)", a->list[a->count - 1].version);
    fputs("\n", out);
}

static void print_texts(const RunDiff *diff, RunDiffPart part, FILE *out) {
    size_t count = count_texts(diff, part), width = 0;
    if (!is_asked(diff, part) || print_missing(diff, part, out)) return;
    if (!count) {
        print_same(diff, part, out);
        return;
    }
    for (size_t i = 0; i < diff->text_count; i++)
        if (diff->texts[i].part == part)
            width = MAX(width, MIN(strlen(diff->texts[i].name), (size_t)40));
    fprintf(out, "%s: %zu difference%s\n", rundiff_names[part], count,
            count == 1 ? "" : "s");
    for (size_t i = 0; i < diff->text_count; i++) {
        char a[VALUE], b[VALUE], name[VALUE];
        const TextDiff *text = &diff->texts[i];
        if (text->part != part) continue;
        shown(text->name, name);
        shown(text->a, a);
        shown(text->b, b);
        fprintf(out, "  %-*s  %s | %s\n", (int)width, name, a, b);
    }
}

/* ---- rows ---- */

static void print_numbers(double a, double b, FILE *out) {
    fprintf(out, "%.9g | %.9g", a, b);
    if (isfinite(a) && isfinite(b))
        fprintf(out, "  (%+.3g, %.3g %%)", b - a, 100 * rundiff_relative(a, b));
}

static void print_alone(const LogDiff *log, FILE *out) {
    if (!log->alone[0] && !log->alone[1]) return;
    fprintf(out, "  rows that only one run has: %zu of A, %zu of B, from step %.0f on\n",
            log->alone[0], log->alone[1], log->first_alone);
}

/* "  loss  step 2  2.4154 | 2.4637  (+0.0483, 1.96 %)", and where it is largest. */
static void print_column(const NumberDiff *c, FILE *out) {
    char name[VALUE];
    shown(c->name, name);
    fprintf(out, "  %s  step %.0f  ", name, c->first_step);
    print_numbers(c->first_a, c->first_b, out);
    if (c->step != c->first_step) {
        fprintf(out, "; largest at step %.0f  ", c->step);
        print_numbers(c->a, c->b, out);
    }
    fputs("\n", out);
}

static void print_log(const RunDiff *diff, RunDiffPart part, FILE *out) {
    const LogDiff *log = &diff->log[part];
    if (!is_asked(diff, part) || print_missing(diff, part, out)) return;
    fprintf(out, "%s: %zu row%s compared", FILES[part], log->compared,
            log->compared == 1 ? "" : "s");
    if (log->count) fprintf(out, ", first difference at step %.0f\n", log->first);
    else fputs(log->compared ? ", all equal\n" : "\n", out);
    for (size_t i = 0; i < MIN(log->count, (size_t)COLUMNS_SHOWN); i++)
        print_column(&log->columns[i], out);
    if (log->count > COLUMNS_SHOWN)
        fprintf(out, "  and %zu more numbers (all with --json)\n",
                log->count - COLUMNS_SHOWN);
    print_alone(log, out);
}

static void print_event(const RunEvent *event, const char *run, FILE *out) {
    char text[VALUE], kind[VALUE];
    if (!event) {
        fprintf(out, "  %s  none\n", run);
        return;
    }
    shown(event->text, text);
    shown(event->kind, kind);
    fprintf(out, "  %s  step %.0f, %s: %s\n", run, event->step, kind, text);
}

static void print_events(const RunDiff *diff, FILE *out) {
    bool by_name = diff->options.parts != RUNDIFF_ALL;
    if (!is_asked(diff, RUNDIFF_EVENTS)) return;
    if (!by_name && !diff->events[0] && !diff->events[1]) return;
    if (print_missing(diff, RUNDIFF_EVENTS, out)) return;
    bool equal = !diff->event[0] && !diff->event[1];
    fprintf(out, "events: %zu | %zu%s\n", diff->events[0], diff->events[1],
            equal ? ", all equal" : ", first difference:");
    if (equal) return;
    print_event(diff->event[0], "A", out);
    print_event(diff->event[1], "B", out);
}

void rundiff_print(const RunDiff *diff, FILE *out) {
    char a[VALUE], b[VALUE];
    shown(diff->run[0]->path, a);
    shown(diff->run[1]->path, b);
    fprintf(out, "A: %s\nB: %s\n", a, b);
    print_texts(diff, RUNDIFF_RECIPE, out);
    print_texts(diff, RUNDIFF_VERSION, out);
    print_texts(diff, RUNDIFF_DATA, out);
    print_log(diff, RUNDIFF_TRAIN, out);
    print_events(diff, out);
    print_log(diff, RUNDIFF_EVAL, out);
    print_log(diff, RUNDIFF_PROBE, out);
    fprintf(out, "%s\n",
            diff->differ    ? "the runs differ"
            : !diff->equal  ? "too little to compare"
            : diff->unknown ? "the runs are equal in what was compared"
                            : "the runs are equal");
}

/* ---- JSON ---- */

static json_t *texts_json(const RunDiff *diff, RunDiffPart part) {
    json_t *list = json_array();
    for (size_t i = 0; i < diff->text_count; i++) {
        const TextDiff *text = &diff->texts[i];
        if (text->part == part)
            json_array_append_new(list,
                                  json_pack("{s:o, s:o, s:o}", "name",
                                            json_text(text->name), "a",
                                            json_text(text->a), "b", json_text(text->b)));
    }
    return list;
}

static json_t *place_json(double step, double a, double b) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "step", json_number(step), "a",
                     json_number(a), "b", json_number(b), "difference",
                     json_number(b - a), "relative", json_number(rundiff_relative(a, b)));
}

static json_t *log_json(const LogDiff *log) {
    json_t *columns = json_object();
    for (size_t i = 0; i < log->count; i++) {
        const NumberDiff *c = &log->columns[i];
        json_object_set_new(columns, c->name,
                            json_pack("{s:o, s:o}", "first",
                                      place_json(c->first_step, c->first_a, c->first_b),
                                      "largest", place_json(c->step, c->a, c->b)));
    }
    return json_pack("{s:[I, I], s:I, s:[I, I], s:o, s:o}", "rows",
                     (json_int_t)log->rows[0], (json_int_t)log->rows[1], "compared",
                     (json_int_t)log->compared, "alone", (json_int_t)log->alone[0],
                     (json_int_t)log->alone[1], "first", json_number(log->first),
                     "columns", columns);
}

static json_t *event_json(const RunEvent *event) {
    if (!event) return json_null();
    return json_pack("{s:o, s:o, s:o}", "step", json_number(event->step), "event",
                     json_text(event->kind), "text", json_text(event->text));
}

void rundiff_print_json(const RunDiff *diff) {
    json_t *root =
        json_pack("{s:o, s:o, s:o}", "a", json_text(diff->run[0]->path), "b",
                  json_text(diff->run[1]->path), "equal",
                  diff->differ || diff->equal ? json_boolean(diff->equal) : json_null());
    for (RunDiffPart p = 0; p < RUNDIFF_PARTS; p++) {
        if (!is_asked(diff, p)) continue;
        json_t *part = !rundiff_can(diff, p) ? json_null()
                       : p == RUNDIFF_RECIPE || p == RUNDIFF_VERSION || p == RUNDIFF_DATA
                           ? texts_json(diff, p)
                       : p == RUNDIFF_EVENTS
                           ? json_pack("[o, o]", event_json(diff->event[0]),
                                       event_json(diff->event[1]))
                           : log_json(&diff->log[p]);
        json_object_set_new(root, rundiff_names[p], part);
    }
    output_json(root, JSON_COMPACT | JSON_REAL_PRECISION(9));
}
