#include "tools/run/rundiff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/textbuffer.h"
#include "engine/core/grow.h"
#include "tools/recipe/keys.h"

#define NAME(PART, name) name,
const char *const rundiff_names[RUNDIFF_PARTS + 1] = {RUNDIFF_LIST(NAME) NULL};

double rundiff_relative(double a, double b) {
    if (a == b || (isnan(a) && isnan(b))) return 0;
    if (!isfinite(a) || !isfinite(b)) return INFINITY;
    return fabs(a - b) / fmax(fabs(a), fabs(b));
}

static void add_text(RunDiff *diff, RunDiffPart part, const char *name, const char *a,
                     const char *b) {
    GROW(diff->texts, diff->text_count, diff->text_room, 1);
    diff->texts[diff->text_count++] =
        (TextDiff){part, mem_strdup(name), mem_strdup(a ? a : ""),
                   mem_strdup(b ? b : "")};
}

/* ---- recipes: as they are written, and a key that one leaves out by its default ---- */

static const char *standard_of(const char *key, const Recipe *standard,
                               char text[KEY_VALUE_MAX]) {
    const Key *known = key_find(key);
    if (!known || !key_is_stored(known)) return "";
    key_print(known, standard, text, KEY_VALUE_MAX);
    return text;
}

static void compare_setting(RunDiff *diff, const char *key, const Recipe *standard) {
    char text[KEY_VALUE_MAX];
    const char *value[2];
    for (size_t i = 0; i < 2; i++) {
        value[i] = runlog_setting(diff->run[i], key);
        if (!value[i]) value[i] = standard_of(key, standard, text);
    }
    if (strcmp(value[0], value[1]))
        add_text(diff, RUNDIFF_RECIPE, key, value[0], value[1]);
}

/* Is it the last row of its key, which counts? */
static bool is_seen(const RunLog *run, size_t i) {
    for (size_t k = i + 1; k < run->setting_count; k++)
        if (!strcmp(run->settings[k].key, run->settings[i].key)) return true;
    return false;
}

static void compare_recipes(RunDiff *diff) {
    const RunLog *a = diff->run[0], *b = diff->run[1];
    Recipe *standard = mem_alloc(sizeof *standard);
    *standard = recipe_default();
    for (size_t i = 0; i < a->setting_count; i++)
        if (!is_seen(a, i)) compare_setting(diff, a->settings[i].key, standard);
    for (size_t i = 0; i < b->setting_count; i++)
        if (!is_seen(b, i) && !runlog_setting(a, b->settings[i].key))
            compare_setting(diff, b->settings[i].key, standard);
    mem_free(standard);
    const char *left = sessions_init_crc(&a->sessions),
               *right = sessions_init_crc(&b->sessions);
    if (left && right && strcmp(left, right))
        add_text(diff, RUNDIFF_RECIPE, "train.init, CRC-32 of its weights", left, right);
}

/* ---- versions: of the last process ---- */

static const Session *last_session(const RunLog *run) {
    return run->sessions.count ? &run->sessions.list[run->sessions.count - 1] : NULL;
}

static void compare_versions(RunDiff *diff) {
    const Session *a = last_session(diff->run[0]), *b = last_session(diff->run[1]);
    const char *left = a ? a->version : NULL, *right = b ? b->version : NULL;
    if (left && right && strcmp(left, right))
        add_text(diff, RUNDIFF_VERSION, "version", left, right);
    left = a ? a->commit : NULL, right = b ? b->commit : NULL;
    if (left && right && strcmp(left, right))
        add_text(diff, RUNDIFF_VERSION, "commit", left, right);
}

/* ---- data ---- */

static void hash_text(uint64_t hash, char text[24]) {
    text_format(text, 24, "%016llx", (unsigned long long)hash);
}

static void compare_notes(RunDiff *diff, const char *where, const DataFacts *a,
                          const DataFacts *b) {
    char name[40];
    text_format(name, sizeof name, "%s note", where);
    for (size_t i = 0; i < MAX(a->notes, b->notes); i++) {
        const char *left = i < a->notes ? a->note[i].text : "",
                   *right = i < b->notes ? b->note[i].text : "";
        if (strcmp(left, right)) add_text(diff, RUNDIFF_DATA, name, left, right);
    }
}

static void compare_split(RunDiff *diff, Split split) {
    const DataRecord *a = &diff->run[0]->data, *b = &diff->run[1]->data;
    const DataFacts *x = &a->split[split], *y = &b->split[split];
    char left[24], right[24], name[40];
    if (!a->there[split] && !b->there[split]) return;
    if (a->there[split] != b->there[split]) {
        add_text(diff, RUNDIFF_DATA, split_name(split), a->there[split] ? "there" : "",
                 b->there[split] ? "there" : "");
        return;
    }
    if (x->count != y->count) {
        text_format(left, sizeof left, "%zu", x->count);
        text_format(right, sizeof right, "%zu", y->count);
        text_format(name, sizeof name, "%s count", split_name(split));
        add_text(diff, RUNDIFF_DATA, name, left, right);
    }
    if (x->hash && y->hash && x->hash != y->hash) {
        hash_text(x->hash, left);
        hash_text(y->hash, right);
        text_format(name, sizeof name, "%s hash", split_name(split));
        add_text(diff, RUNDIFF_DATA, name, left, right);
    }
    compare_notes(diff, split_name(split), x, y);
}

static bool knows_data(const RunLog *run) {
    return run->data.there[SPLIT_TRAIN] || run->data.there[SPLIT_VAL] ||
           run->data.there[SPLIT_TEST] || run->data.task.notes;
}

static void compare_data(RunDiff *diff) {
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) compare_split(diff, s);
    compare_notes(diff, "task", &diff->run[0]->data.task, &diff->run[1]->data.task);
}

/* ---- events ---- */

static bool same_event(const RunEvent *a, const RunEvent *b) {
    return a->step == b->step && !strcmp(a->kind, b->kind) && !strcmp(a->text, b->text);
}

/* Where a run began is in its log, and no difference of what was trained. */
static bool is_course(const RunEvent *event) {
    return strcmp(event->kind, RUNLOG_BRANCH) != 0;
}

static size_t count_events(const RunLog *run) {
    size_t count = 0;
    for (size_t i = 0; i < run->event_count; i++) count += is_course(&run->events[i]);
    return count;
}

static const RunEvent *nth_event(const RunLog *run, size_t n) {
    for (size_t i = 0; i < run->event_count; i++)
        if (is_course(&run->events[i]) && !n--) return &run->events[i];
    return NULL;
}

static void compare_events(RunDiff *diff) {
    for (size_t i = 0;; i++) {
        const RunEvent *a = nth_event(diff->run[0], i), *b = nth_event(diff->run[1], i);
        if (!a && !b) return;
        if (a && b && same_event(a, b)) continue;
        diff->event[0] = a;
        diff->event[1] = b;
        return;
    }
}

/* ---- all of it ---- */

static unsigned missing_parts(const RunLog *run) {
    const Session *last = last_session(run);
    return (unsigned)(!*run->recipe) << RUNDIFF_RECIPE |
           (unsigned)!(last && last->version) << RUNDIFF_VERSION |
           (unsigned)!knows_data(run) << RUNDIFF_DATA |
           (unsigned)!run->train.count << RUNDIFF_TRAIN |
           (unsigned)!(run->train.count || run->event_count) << RUNDIFF_EVENTS |
           (unsigned)!run->eval_count << RUNDIFF_EVAL |
           (unsigned)!run->probe.count << RUNDIFF_PROBE;
}

static bool do_differ(const RunDiff *diff) {
    if (diff->text_count || diff->event[0] || diff->event[1]) return true;
    for (size_t p = 0; p < RUNDIFF_PARTS; p++) {
        const LogDiff *log = &diff->log[p];
        if (log->count || log->alone[0] || log->alone[1]) return true;
    }
    return false;
}

bool rundiff_can(const RunDiff *diff, RunDiffPart part) {
    bool a = diff->missing[0] >> part & 1, b = diff->missing[1] >> part & 1;
    return part == RUNDIFF_TRAIN ? !(a && b) : !(a || b);
}

static unsigned find_unknown(const RunDiff *diff) {
    unsigned unknown = 0;
    for (RunDiffPart p = 0; p < RUNDIFF_PARTS; p++)
        if (diff->options.parts >> p & 1 && !rundiff_can(diff, p)) unknown |= 1u << p;
    return unknown;
}

/* Of everything, without a choice, one log is enough. */
static bool is_too_little(const RunDiff *diff) {
    if (diff->options.parts != RUNDIFF_ALL) return diff->unknown;
    return (diff->unknown & RUNDIFF_LOGS) == RUNDIFF_LOGS;
}

Status rundiff_check(const RunDiff *diff, Err *err) {
    if (diff->differ || diff->equal) return OK;
    TextBuffer names = {0};
    for (RunDiffPart p = 0; p < RUNDIFF_PARTS; p++)
        if (diff->unknown >> p & 1)
            text_append_format(&names, "%s%s", names.length ? ", " : "",
                               rundiff_names[p]);
    err_set(
        err, FAIL_DATA,
        "%.300s and %.300s: not compared: %s; these files of a run are missing, empty "
        "or unreadable",
        diff->run[0]->path, diff->run[1]->path, names.text);
    text_free(&names);
    return err->status;
}

void rundiff(const RunLog *a, const RunLog *b, const RunDiffOptions *options,
             RunDiff *diff) {
    static void (*const COMPARE[RUNDIFF_PARTS])(RunDiff *) = {
        [RUNDIFF_RECIPE] = compare_recipes, [RUNDIFF_VERSION] = compare_versions,
        [RUNDIFF_DATA] = compare_data,      [RUNDIFF_TRAIN] = rundiff_train,
        [RUNDIFF_EVENTS] = compare_events,  [RUNDIFF_EVAL] = rundiff_eval,
        [RUNDIFF_PROBE] = rundiff_probe};
    *diff = (RunDiff){.run = {a, b}, .options = *options};
    for (size_t p = 0; p < RUNDIFF_PARTS; p++)
        diff->log[p].first = diff->log[p].first_alone = NAN;
    diff->missing[0] = missing_parts(a);
    diff->missing[1] = missing_parts(b);
    diff->events[0] = count_events(a);
    diff->events[1] = count_events(b);
    for (RunDiffPart p = 0; p < RUNDIFF_PARTS; p++)
        if (options->parts >> p & 1 && rundiff_can(diff, p)) COMPARE[p](diff);
    diff->differ = do_differ(diff);
    diff->unknown = find_unknown(diff);
    diff->equal = !diff->differ && !is_too_little(diff);
}

void rundiff_free(RunDiff *diff) {
    for (size_t i = 0; i < diff->text_count; i++) {
        mem_free(diff->texts[i].name);
        mem_free(diff->texts[i].a);
        mem_free(diff->texts[i].b);
    }
    mem_free(diff->texts);
    for (size_t p = 0; p < RUNDIFF_PARTS; p++) {
        for (size_t i = 0; i < diff->log[p].count; i++)
            mem_free(diff->log[p].columns[i].name);
        mem_free(diff->log[p].columns);
        stringmap_free(&diff->log[p].names);
    }
    *diff = (RunDiff){0};
}
