/* rundiff_rows: the logs of two runs, row by row (tools/run/rundiff.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/grow.h"
#include "tools/run/rundiff.h"

/* ---- a number of both ---- */

static NumberDiff *find_column(LogDiff *log, const char *name) {
    size_t known = stringmap_find(&log->names, name, strlen(name));
    if (known != SIZE_MAX) return &log->columns[known];
    stringmap_add(&log->names, name, strlen(name));
    GROW(log->columns, log->count, log->room, 1);
    NumberDiff *column = &log->columns[log->count++];
    *column = (NumberDiff){.name = mem_strdup(name), .first_step = NAN, .step = NAN};
    return column;
}

static void see(RunDiff *diff, RunDiffPart part, const char *name, double step, double a,
                double b) {
    double relative = rundiff_relative(a, b);
    if (relative <= diff->options.tolerance) return;
    LogDiff *log = &diff->log[part];
    NumberDiff *column = find_column(log, name);
    if (isnan(column->first_step)) {
        column->first_step = step;
        column->first_a = a;
        column->first_b = b;
    }
    if (isnan(column->step) || relative > rundiff_relative(column->a, column->b)) {
        column->step = step;
        column->a = a;
        column->b = b;
    }
    log->first = fmin(log->first, step);
}

/* ---- steps that both have ---- */

/* Ascending steps of each run, and where the walk along them is. */
typedef struct Pairs {
    const double *step[2];
    size_t count[2], at[2];
} Pairs;

/* The next step of both; `at` are its rows.  Those of one run alone are counted. */
static bool next_pair(Pairs *p, LogDiff *log) {
    while (p->at[0] < p->count[0] || p->at[1] < p->count[1]) {
        double x = p->at[0] < p->count[0] ? p->step[0][p->at[0]] : INFINITY,
               y = p->at[1] < p->count[1] ? p->step[1][p->at[1]] : INFINITY;
        if (x == y) {
            log->compared++;
            return true;
        }
        log->first_alone = fmin(log->first_alone, fmin(x, y));
        log->alone[y < x]++;
        p->at[y < x]++;
    }
    return false;
}

static void step_on(Pairs *p) { p->at[0]++, p->at[1]++; }

void rundiff_train(RunDiff *diff) {
    LogDiff *log = &diff->log[RUNDIFF_TRAIN];
    const TrainLog *a = &diff->run[0]->train, *b = &diff->run[1]->train;
    const struct {
        const char *name;
        const double *a, *b;
    } columns[] = {{"loss", a->loss, b->loss},
                   {"lr", a->lr, b->lr},
                   {"grad_norm", a->grad_norm, b->grad_norm},
                   {"epoch", a->epoch, b->epoch},
                   {"feature_std", a->feature_std, b->feature_std},
                   {"bf16", a->bf16, b->bf16}};
    Pairs p = {{a->step, b->step}, {a->count, b->count}, {0, 0}};
    log->rows[0] = a->count;
    log->rows[1] = b->count;
    for (; next_pair(&p, log); step_on(&p))
        for (size_t k = 0; k < COUNT(columns); k++)
            see(diff, RUNDIFF_TRAIN, columns[k].name, a->step[p.at[0]],
                columns[k].a[p.at[0]], columns[k].b[p.at[1]]);
}

/* ---- evaluations: a row for each step and split ---- */

/* Of rows of the same step and split the last one counts, as where a log was not cut. */
static const EvalRow *find_row(const RunLog *run, const EvalRow *like) {
    for (size_t i = run->eval_count; i-- > 0;)
        if (run->evals[i].step == like->step && !strcmp(run->evals[i].split, like->split))
            return &run->evals[i];
    return NULL;
}

static void compare_evals(RunDiff *diff, const EvalRow *a, const EvalRow *b) {
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        char name[80];
        text_format(name, sizeof name, "%s %s", a->split, metrics[m].key);
        see(diff, RUNDIFF_EVAL, name, a->step, a->scores[m], b->scores[m]);
    }
}

void rundiff_eval(RunDiff *diff) {
    LogDiff *log = &diff->log[RUNDIFF_EVAL];
    for (size_t r = 0; r < 2; r++) {
        const RunLog *run = diff->run[r], *other = diff->run[!r];
        log->rows[r] = run->eval_count;
        for (size_t i = 0; i < run->eval_count; i++) {
            const EvalRow *row = &run->evals[i], *found = find_row(other, row);
            if (find_row(run, row) != row) continue;
            if (!found) {
                log->alone[r]++;
                log->first_alone = fmin(log->first_alone, row->step);
            } else if (r == 0) {
                log->compared++;
                compare_evals(diff, row, found);
            }
        }
    }
}

/* ---- probes ---- */

static const SiteLog *find_site(const ProbeLog *probe, const char *name, size_t guess) {
    if (guess < probe->site_count && !strcmp(probe->sites[guess].name, name))
        return &probe->sites[guess];
    for (size_t i = 0; i < probe->site_count; i++)
        if (!strcmp(probe->sites[i].name, name)) return &probe->sites[i];
    return NULL;
}

static const WeightLog *find_weight(const ProbeLog *probe, const char *name,
                                    size_t guess) {
    if (guess < probe->weight_count && !strcmp(probe->weights[guess].name, name))
        return &probe->weights[guess];
    for (size_t i = 0; i < probe->weight_count; i++)
        if (!strcmp(probe->weights[i].name, name)) return &probe->weights[i];
    return NULL;
}

static void see_of(RunDiff *diff, const char *of, const char *what, double step, double a,
                   double b) {
    char name[200];
    if (rundiff_relative(a, b) <= diff->options.tolerance) return;
    text_format(name, sizeof name, "%s %s", of, what);
    see(diff, RUNDIFF_PROBE, name, step, a, b);
}

/* What a run has nothing of is NaN: a site or weight that only the other has differs. */
static double number_at(const double *numbers, size_t i) {
    return numbers ? numbers[i] : NAN;
}

static double head_at(const SiteLog *site, const double *numbers, size_t i, size_t h) {
    return h < site->heads ? number_at(numbers, i * site->heads + h) : NAN;
}

static void compare_heads(RunDiff *diff, const char *what, const SiteLog *a,
                          const double *left, size_t i, const SiteLog *b,
                          const double *right, size_t k, double step) {
    const char *name = *a->name ? a->name : b->name;
    for (size_t h = 0; h < MAX(a->heads, b->heads); h++)
        see_of(diff, name, what, step, head_at(a, left, i, h), head_at(b, right, k, h));
}

static void compare_site(RunDiff *diff, const SiteLog *a, const SiteLog *b, size_t i,
                         size_t k, double step) {
    const char *name = *a->name ? a->name : b->name;
    const struct {
        const char *what;
        const double *a, *b;
    } single[] = {{"max_logit", a->max_logit, b->max_logit}, {"keys", a->keys, b->keys}};
    compare_heads(diff, "entropy", a, a->entropy, i, b, b->entropy, k, step);
    for (size_t n = 0; n < COUNT(single); n++)
        see_of(diff, name, single[n].what, step, number_at(single[n].a, i),
               number_at(single[n].b, k));
    for (size_t n = 0; n < SITE_NUMBERS; n++)
        see_of(diff, name, site_numbers[n].key, step, number_at(a->value[n], i),
               number_at(b->value[n], k));
    for (size_t n = 0; n < HEAD_NUMBERS; n++)
        compare_heads(diff, head_numbers[n].key, a, a->head[n], i, b, b->head[n], k,
                      step);
}

static void compare_weight(RunDiff *diff, const WeightLog *a, const WeightLog *b,
                           size_t i, size_t k, double step) {
#define KEY(NUMBER, key, label) key,
    static const char *const KEYS[] = {WEIGHT_LIST(KEY)};
    for (size_t n = 0; n < WEIGHT_NUMBERS; n++)
        see_of(diff, *a->name ? a->name : b->name, KEYS[n], step,
               number_at(a->value[n], i), number_at(b->value[n], k));
}

static void compare_probe(RunDiff *diff, size_t i, size_t k) {
    static const SiteLog NO_SITE = {.heads = 0};
    static const WeightLog NO_WEIGHT = {.name = ""};
    const ProbeLog *a = &diff->run[0]->probe, *b = &diff->run[1]->probe;
    double step = a->step[i];
    for (size_t s = 0; s < a->site_count; s++) {
        const SiteLog *other = find_site(b, a->sites[s].name, s);
        compare_site(diff, &a->sites[s], other ? other : &NO_SITE, i, k, step);
    }
    for (size_t s = 0; s < b->site_count; s++)
        if (!find_site(a, b->sites[s].name, s))
            compare_site(diff, &NO_SITE, &b->sites[s], i, k, step);
    for (size_t w = 0; w < a->weight_count; w++) {
        const WeightLog *other = find_weight(b, a->weights[w].name, w);
        compare_weight(diff, &a->weights[w], other ? other : &NO_WEIGHT, i, k, step);
    }
    for (size_t w = 0; w < b->weight_count; w++)
        if (!find_weight(a, b->weights[w].name, w))
            compare_weight(diff, &NO_WEIGHT, &b->weights[w], i, k, step);
}

/* Sharpness of the steps at which both runs had it measured. */
static void compare_sharpness(RunDiff *diff) {
    const ProbeLog *a = &diff->run[0]->probe, *b = &diff->run[1]->probe;
    for (size_t i = 0, k = 0; i < a->sharpness_count && k < b->sharpness_count;) {
        const SharpnessRow *x = &a->sharpness[i], *y = &b->sharpness[k];
        i += x->step <= y->step;
        k += y->step <= x->step;
        if (x->step != y->step) continue;
        for (size_t n = 0; n < SHARPNESS_MOST; n++) {
            see_of(diff, "sharpness", "raw", x->step, x->raw[n], y->raw[n]);
            see_of(diff, "sharpness", "preconditioned", x->step, x->preconditioned[n],
                   y->preconditioned[n]);
        }
        see_of(diff, "sharpness", "threshold", x->step, x->threshold, y->threshold);
    }
}

void rundiff_probe(RunDiff *diff) {
    LogDiff *log = &diff->log[RUNDIFF_PROBE];
    const ProbeLog *a = &diff->run[0]->probe, *b = &diff->run[1]->probe;
    Pairs p = {{a->step, b->step}, {a->count, b->count}, {0, 0}};
    log->rows[0] = a->count;
    log->rows[1] = b->count;
    for (; next_pair(&p, log); step_on(&p)) compare_probe(diff, p.at[0], p.at[1]);
    compare_sharpness(diff);
}
