/* rundiff_rows: the logs of two runs, row by row (tools/run/rundiff.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/grow.h"
#include "tools/run/rundiff.h"

/* ---- a number of both ---- */

static NumberDiff *find_column(LogDiff *log, const char *name) {
    for (size_t i = 0; i < log->count; i++)
        if (!strcmp(log->columns[i].name, name)) return &log->columns[i];
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

static void compare_site(RunDiff *diff, const SiteLog *a, const SiteLog *b, size_t i,
                         size_t k, double step) {
    for (size_t h = 0; h < MIN(a->heads, b->heads); h++)
        see_of(diff, a->name, "entropy", step, a->entropy[i * a->heads + h],
               b->entropy[k * b->heads + h]);
    see_of(diff, a->name, "max_logit", step, a->max_logit[i], b->max_logit[k]);
    see_of(diff, a->name, "keys", step, a->keys[i], b->keys[k]);
}

static void compare_weight(RunDiff *diff, const WeightLog *a, const WeightLog *b,
                           size_t i, size_t k, double step) {
#define KEY(NUMBER, key, label) key,
    static const char *const KEYS[] = {WEIGHT_LIST(KEY)};
    for (size_t n = 0; n < WEIGHT_NUMBERS; n++)
        see_of(diff, a->name, KEYS[n], step, a->value[n][i], b->value[n][k]);
}

void rundiff_probe(RunDiff *diff) {
    LogDiff *log = &diff->log[RUNDIFF_PROBE];
    const ProbeLog *a = &diff->run[0]->probe, *b = &diff->run[1]->probe;
    Pairs p = {{a->step, b->step}, {a->count, b->count}, {0, 0}};
    log->rows[0] = a->count;
    log->rows[1] = b->count;
    for (; next_pair(&p, log); step_on(&p)) {
        size_t i = p.at[0], k = p.at[1];
        for (size_t s = 0; s < a->site_count; s++) {
            const SiteLog *other = find_site(b, a->sites[s].name, s);
            if (other) compare_site(diff, &a->sites[s], other, i, k, a->step[i]);
        }
        for (size_t w = 0; w < a->weight_count; w++) {
            const WeightLog *other = find_weight(b, a->weights[w].name, w);
            if (other) compare_weight(diff, &a->weights[w], other, i, k, a->step[i]);
        }
    }
}
