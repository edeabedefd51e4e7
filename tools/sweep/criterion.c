/* criterion: which cells fail, by the user's own definition (tools/sweep/sweep.h). */
#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/textbuffer.h"
#include "engine/core/grow.h"
#include "tools/program/nearest.h"
#include "tools/sweep/column.h"
#include "tools/sweep/level.h"
#include "tools/sweep/word.h"

/* ---- a term ---- */

typedef enum { TERM_NUMBER, TERM_MIDPOINT, TERM_DIVERGED, TERM_COLLAPSED } TermKind;

/* Names that need no number. */
static const struct {
    const char *name;
    TermKind kind;
} WHOLE_TERMS[] = {
    {"midpoint", TERM_MIDPOINT},
    {"diverged", TERM_DIVERGED},
    {"collapsed", TERM_COLLAPSED},
};

typedef struct Term {
    TermKind kind;
    size_t offset; /* of a number in SweepCell */
    bool above, equal;
    double bound;
} Term;

struct SweepCriterion {
    Term *terms;
    size_t count, room;
    TextBuffer text; /* "loss > 1.48 or midpoint" */
    Levels levels;   /* of midpoint: the sweep's own, or those of all that are judged */
    bool together;   /* with it */
};

static bool holds(const Term *term, double x) {
    if (term->equal && x == term->bound) return true;
    return term->above ? x > term->bound : x < term->bound;
}

static SweepFate fate_of(bool known, bool fails) {
    if (!known) return FATE_UNKNOWN;
    return fails ? FATE_FAILED : FATE_PASSED;
}

/* Numbers of what may not happen: where a run has the number that they are seen by, an
 * empty one is 0 - it did not fall - or, of how long, without an end. */
static const struct {
    size_t number, happened, seen_by;
} EVENTS[] = {
#define EVENT(number, happened, seen_by)                                                 \
    {                                                                                    \
        offsetof(SweepCell, result.number), offsetof(SweepCell, result.happened),        \
            offsetof(SweepCell, result.seen_by)                                          \
    }
    EVENT(probe_fall, probe_fall, scores[METRIC_PROBE_TOP1]),
    EVENT(probe_epochs, probe_fall, scores[METRIC_PROBE_TOP1]),
    EVENT(spike_depth, spike_depth, loss),
    EVENT(spike_steps, spike_depth, loss),
#undef EVENT
};

static double number_at(const SweepCell *cell, size_t offset) {
    return *(const double *)((const char *)cell + offset);
}

/* NaN: not known. */
static double term_number(const Term *term, const SweepCell *cell) {
    double x = number_at(cell, term->offset);
    for (size_t i = 0; i < COUNT(EVENTS) && isnan(x); i++)
        if (term->offset == EVENTS[i].number &&
            isfinite(number_at(cell, EVENTS[i].seen_by)))
            return isnan(number_at(cell, EVENTS[i].happened)) ? 0 : INFINITY;
    return x;
}

static SweepFate midpoint_fate(const SweepResult *r, const Levels *levels) {
    const Level *level = levels_find(levels, r->chance);
    return fate_of(level && isfinite(r->loss), level && r->loss > level_loss(level));
}

static SweepFate term_fate(const Term *term, const SweepCell *cell,
                           const Levels *levels) {
    const SweepResult *r = &cell->result;
    switch (term->kind) {
    case TERM_DIVERGED: return fate_of(true, r->diverged);
    case TERM_COLLAPSED: return fate_of(isfinite(r->entropy), r->collapsed);
    case TERM_MIDPOINT: return midpoint_fate(r, levels);
    case TERM_NUMBER: break;
    }
    double x = term_number(term, cell);
    return fate_of(!isnan(x), holds(term, x));
}

/* ---- from text ---- */

static bool is_whole_term(const char *name, Term *term) {
    for (size_t i = 0; i < COUNT(WHOLE_TERMS); i++)
        if (!strcmp(name, WHOLE_TERMS[i].name)) {
            term->kind = WHOLE_TERMS[i].kind;
            return true;
        }
    return false;
}

static Status refuse_name(const char *text, const char *name, Err *err) {
    const char *names[COLUMNS_MOST + METRIC_COUNT + COUNT(WHOLE_TERMS) + 1];
    size_t count = column_names(names);
    for (size_t i = 0; i < COUNT(WHOLE_TERMS); i++) names[count++] = WHOLE_TERMS[i].name;
    names[count] = NULL;
    char hint[NEAREST_HINT];
    TextBuffer list = {0};
    for (size_t i = 0; i < count; i++) {
        if (i) text_append(&list, ", ", 2);
        text_append(&list, names[i], strlen(names[i]));
    }
    err_set(err, FAIL_USAGE, "--fail %s: `%s` is not a number of a run%s (%s)", text,
            name, nearest_hint(nearest_word(name, names), hint), list.text);
    text_free(&list);
    return FAIL_USAGE;
}

/* "1.48" or "10%" */
static bool read_bound(const char *text, double *bound, bool *percent) {
    char *end;
    *bound = strtod(text, &end);
    if (end == text || !isfinite(*bound)) return false;
    while (isspace((unsigned char)*end)) end++;
    *percent = *end == '%';
    if (*percent) *bound /= 100, end++;
    return !*end;
}

/* Of the score that runs of the sweep's recipes are judged by, as column_factor; 0: it
 * differs, or is not known. */
static double score_factor(const Sweep *sweep) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    double factor = 0;
    for (size_t c = 0; c < sweep->cell_count; c++) {
        if (c && sweep_index(sweep, c, 0) == sweep_index(sweep, c - 1, 0)) continue;
        size_t i = 0;
        double own = 0;
        if (!sweep_recipe(sweep, c, recipe, NULL)) {
            while (metric_shown(i) < METRIC_COUNT &&
                   !task_is(recipe->task, metrics[metric_shown(i)].tasks))
                i++;
            if (metric_shown(i) < METRIC_COUNT) own = metrics[metric_shown(i)].factor;
        }
        if (c && own != factor) own = 0;
        factor = own;
        if (!(own > 0)) break;
    }
    mem_free(recipe);
    return factor;
}

/* A share above 1 is a per cent that was meant, and a per cent of a number that is no
 * share means nothing: `top1<30` and `bleu<10%` would count all runs, or none. */
static Status check_scale(const Sweep *sweep, const char *whole, const char *name,
                          double bound, bool percent, Err *err) {
    double factor = column_factor(name);
    if (!(factor > 0)) factor = score_factor(sweep);
    if (factor == 100 && !percent && fabs(bound) > 1)
        return err_set(err, FAIL_USAGE,
                       "--fail %s: `%s` is a share (1 is 100 %%); write %.9g%% or %.9g%%",
                       whole, name, bound, 100 * bound);
    if (factor > 0 && factor != 100 && percent)
        return err_set(err, FAIL_USAGE,
                       "--fail %s: `%s` is not a share; write a number without %%, such "
                       "as %.9g",
                       whole, name, 100 * bound);
    return OK;
}

/* sweep: whose runs have the number; NULL: on any scale. */
static Status read_term(const Sweep *sweep, const char *whole, char *part, Term *term,
                        Err *err) {
    char *mark = strpbrk(part, "<>");
    bool percent;
    *term = (Term){.kind = TERM_NUMBER};
    if (!mark && is_whole_term(part, term)) return OK;
    if (!mark)
        return err_set(err, FAIL_USAGE,
                       "--fail %s: `%s` is not a condition; expected NAME<NUMBER, "
                       "NAME>NUMBER or midpoint, joined by `or`",
                       whole, part);
    term->above = *mark == '>';
    term->equal = mark[1] == '=';
    if (!read_bound(mark + 1 + term->equal, &term->bound, &percent))
        return err_set(err, FAIL_USAGE,
                       "--fail %s: `%s` is not a number; expected 1.48 or 10%%", whole,
                       text_trim(mark + 1 + term->equal));
    *mark = 0;
    char *name = text_trim(part);
    term->offset = column_offset(name);
    if (term->offset == SIZE_MAX) return refuse_name(whole, name, err);
    return sweep ? check_scale(sweep, whole, name, term->bound, percent, err) : OK;
}

/* "loss > 1.48", always in the same way */
static void write_term(SweepCriterion *criterion, const Term *term, const char *name) {
    text_append_format(&criterion->text, "%s%s", criterion->count ? " or " : "", name);
    if (term->kind == TERM_NUMBER)
        text_append_format(&criterion->text, " %c%s %.9g", term->above ? '>' : '<',
                           term->equal ? "=" : "", term->bound);
}

/* The next term of "a or b, c": cut off in place. */
static char *next_part(char **rest) {
    char *begin = *rest, *c = begin;
    if (!begin) return NULL;
    for (; *c && *c != ','; c++) {
        bool word = c > begin && isspace((unsigned char)c[-1]) && !strncmp(c, "or", 2);
        if (word && (isspace((unsigned char)c[2]) || !c[2])) break;
    }
    *rest = *c ? c + (*c == ',' ? 1 : 2) : NULL;
    *c = 0;
    return text_trim(begin);
}

static void free_criterion(SweepCriterion *criterion) {
    if (!criterion) return;
    mem_free(criterion->terms);
    text_free(&criterion->text);
    levels_free(&criterion->levels);
    mem_free(criterion);
}

void sweep_clear_fail(Sweep *sweep) {
    free_criterion(sweep->fail);
    sweep->fail = NULL;
}

/* With what else there is to say of it, it fits into SWEEP_DEFINITION. */
enum { TEXT_MOST = 500 };

static Status set_fail(Sweep *sweep, const char *text, bool scaled, Err *err) {
    SweepCriterion *criterion = mem_zalloc(sizeof *criterion);
    char *copy = mem_strdup(text), *rest = copy, *part;
    Status status = OK;
    while (!status && (part = next_part(&rest))) {
        Term term;
        status = read_term(scaled ? sweep : NULL, text, part, &term, err);
        if (status) break;
        write_term(criterion, &term, part);
        GROW(criterion->terms, criterion->count, criterion->room, 1);
        criterion->terms[criterion->count++] = term;
    }
    mem_free(copy);
    if (!status && criterion->text.length > TEXT_MOST)
        status = err_set(err, FAIL_USAGE, "--fail %.60s...: more than %d characters",
                         text, TEXT_MOST);
    if (status) {
        free_criterion(criterion);
        return status;
    }
    sweep_clear_fail(sweep);
    sweep->fail = criterion;
    return OK;
}

Status sweep_set_fail(Sweep *sweep, const char *text, Err *err) {
    return set_fail(sweep, text, true, err);
}

Status sweep_restore_fail(Sweep *sweep, const char *text, Err *err) {
    return set_fail(sweep, text, false, err);
}

/* METRIC_COUNT: the number is no score. */
static Metric metric_of(const Term *term) {
    size_t first = offsetof(SweepCell, result.scores);
    if (term->kind != TERM_NUMBER || term->offset < first) return METRIC_COUNT;
    size_t m = (term->offset - first) / sizeof(double);
    return m < METRIC_COUNT ? (Metric)m : METRIC_COUNT;
}

Status sweep_check_fail(const Sweep *sweep, Err *err) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    unsigned missing = 0;
    for (size_t i = 0; sweep->fail && i < sweep->fail->count; i++)
        if (metric_of(&sweep->fail->terms[i]) < METRIC_COUNT)
            missing |= 1u << metric_of(&sweep->fail->terms[i]);
    unsigned known = 0;
    for (size_t c = 0; c < sweep->cell_count && missing & ~known; c++)
        for (size_t m = 0; m < METRIC_COUNT && !sweep_recipe(sweep, c, recipe, NULL); m++)
            if (task_is(recipe->task, metrics[m].tasks)) known |= 1u << m;
    mem_free(recipe);
    missing &= ~known;
    if (!missing) return OK;
    TextBuffer list = {0};
    size_t first = 0;
    while (!(missing >> first & 1)) first++;
    for (size_t m = 0; m < METRIC_COUNT; m++)
        if (known >> m & 1)
            text_append_format(&list, "%s%s", list.length ? ", " : "", metrics[m].key);
    err_set(err, FAIL_USAGE,
            "--fail %s: no run of this sweep has the score `%s`; expected one of %s, or "
            "another column of sweep.csv",
            sweep_fail_text(sweep), metrics[first].key, list.text);
    text_free(&list);
    return FAIL_USAGE;
}

const char *sweep_fail_text(const Sweep *sweep) {
    return sweep->fail ? sweep->fail->text.text : "";
}

static bool has_midpoint(const Sweep *sweep) {
    for (size_t i = 0; sweep->fail && i < sweep->fail->count; i++)
        if (sweep->fail->terms[i].kind == TERM_MIDPOINT) return true;
    return false;
}

/* ---- fates ---- */

static SweepFate judge_cell(const SweepCriterion *criterion, const SweepCell *cell) {
    SweepFate fate = FATE_PASSED;
    if (!sweep_has_ended(cell)) return FATE_UNKNOWN;
    if (sweep_broke_off(cell)) return FATE_FAILED;
    for (size_t i = 0; i < criterion->count; i++) {
        SweepFate one = term_fate(&criterion->terms[i], cell, &criterion->levels);
        if (one == FATE_FAILED) return FATE_FAILED;
        if (one == FATE_UNKNOWN) fate = FATE_UNKNOWN;
    }
    return fate;
}

static void judge(Sweep *sweep) {
    for (size_t c = 0; c < sweep->cell_count; c++)
        sweep->cells[c].fate =
            sweep->fail ? judge_cell(sweep->fail, &sweep->cells[c]) : FATE_UNKNOWN;
}

void sweep_judge(Sweep *sweep) {
    if (sweep->fail) levels_free(&sweep->fail->levels);
    if (has_midpoint(sweep)) levels_add(&sweep->fail->levels, sweep);
    judge(sweep);
}

void sweep_judge_together(Sweep *sweeps, size_t count) {
    for (size_t s = 0; s < count; s++) {
        SweepCriterion *fail = sweeps[s].fail;
        if (!fail) continue;
        levels_free(&fail->levels);
        for (size_t i = 0; i < count && has_midpoint(&sweeps[s]); i++)
            levels_add(&fail->levels, &sweeps[i]);
        fail->together = count > 1;
        judge(&sweeps[s]);
    }
}

static bool has_loss(const Sweep *sweep) {
    for (size_t i = 0; i < sweep->fail->count; i++) {
        const Term *term = &sweep->fail->terms[i];
        if (term->kind == TERM_NUMBER && term->offset == offsetof(SweepCell, result.loss))
            return true;
    }
    return has_midpoint(sweep);
}

static void append(char *text, size_t size, const char *more) {
    size_t used = strlen(text);
    text_format(text + used, size - used, "%s", more);
}

/* ", (2.303 + 1.077) / 2 = 1.69" */
static void append_levels(const Levels *levels, char *text, size_t size) {
    enum { SHOWN = 4 };
    char level[120];
    for (size_t i = 0; i < MIN(levels->count, (size_t)SHOWN); i++) {
        const Level *l = &levels->list[i];
        if (level_is_chance(l))
            text_format(level, sizeof level, "%s %.4g (chance; the lowest mean is %.4g)",
                        i ? ";" : ",", l->chance, l->best);
        else
            text_format(level, sizeof level, "%s (%.4g + %.4g) / 2 = %.4g", i ? ";" : ",",
                        l->chance, l->best, level_loss(l));
        append(text, size, level);
    }
    if (levels->count > SHOWN) append(text, size, "; ...");
    if (levels->count > 1) append(text, size, ", each for the runs with that chance");
}

void sweep_fail_definition(const Sweep *sweep, char *text, size_t size) {
    Levels own = {0};
    text_format(text, size, "fails: %s, or a non-finite loss or gradient",
                sweep_fail_text(sweep));
    if (has_loss(sweep))
        append(text, size, "; loss: mean of the last fifth of the steps");
    if (!has_midpoint(sweep)) return;
    append(text, size,
           "; midpoint: loss above the midpoint between chance and the lowest mean "
           "loss of a configuration");
    if (sweep->fail->together) {
        append(text, size, " of all sweeps");
        append_levels(&sweep->fail->levels, text, size);
        return;
    }
    levels_add(&own, sweep);
    append_levels(&own, text, size);
    levels_free(&own);
}
