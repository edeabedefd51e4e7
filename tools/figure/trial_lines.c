#include "tools/figure/trial_lines.h"

#include <math.h>
#include <string.h>

#include "tools/figure/parts.h"
#include "tools/figure/trials.h"

enum { LEGEND_LAYERS = 6 };

static void take_points(Line *line, const LineSource *source, const double *step,
                        const double *y, size_t count) {
    line->x = mem_array(2 * count + 1, sizeof *line->x);
    line->y = line->x + count;
    line->count = 0;
    for (size_t i = 0; i < count; i++) {
        double x = source->epochs ? runlog_epoch(source->run, step[i]) : step[i];
        if (!isfinite(x) || !isfinite(y[i])) continue;
        line->x[line->count] = x;
        line->y[line->count++] = y[i];
    }
}

static bool read_train(const LineSource *source, size_t n, Line *line, const double *y) {
    const TrainLog *train = &source->run->train;
    if (n || !train->count) return false;
    double *mean = chart_smooth(y, train->count);
    take_points(line, source, train->step, mean, train->count);
    mem_free(mean);
    return true;
}

static bool read_loss(const LineSource *source, size_t n, Line *line) {
    return read_train(source, n, line, source->run->train.loss);
}

static bool read_grad(const LineSource *source, size_t n, Line *line) {
    return read_train(source, n, line, source->run->train.grad_norm);
}

static bool read_rate(const LineSource *source, size_t n, Line *line) {
    return read_train(source, n, line, source->run->train.lr);
}

static bool read_score(const LineSource *source, size_t n, Line *line) {
    const RunLog *run = source->run;
    if (source->metric == METRIC_COUNT) return read_loss(source, n, line);
    if (n || !run->eval_count) return false;
    double *step = mem_array(2 * run->eval_count, sizeof *step);
    size_t count = 0;
    for (const EvalRow *row = run->evals; row < run->evals + run->eval_count; row++) {
        if (strcmp(row->split, source->split)) continue;
        step[count] = row->step;
        step[run->eval_count + count++] =
            metrics[source->metric].factor * row->scores[source->metric];
    }
    take_points(line, source, step, step + run->eval_count, count);
    mem_free(step);
    return true;
}

static bool read_probe(const LineSource *source, Line *line, const double *y) {
    const ProbeLog *probe = &source->run->probe;
    take_points(line, source, probe->step, y, probe->count);
    return true;
}

/* The n-th chosen site; NULL: there is none. */
static const SiteLog *site_at(const LineSource *source, size_t n) {
    const ProbeLog *probe = &source->run->probe;
    for (size_t i = 0; i < probe->site_count; i++)
        if (layer_chosen(source->choice, probe->sites[i].name) && !n--)
            return &probe->sites[i];
    return NULL;
}

/* Its numbers; NULL: it has none, but its neighbours may. */
typedef const double *OfSite(const RunLog *run, const SiteLog *site);

static bool read_site(const LineSource *source, size_t n, Line *line, OfSite *of) {
    const SiteLog *site = site_at(source, n);
    if (!site) return false;
    const double *y = of(source->run, site);
    line->name = site->name;
    line->several = source->choice->count > 1;
    line->shade = layer_shade(source->choice, site->name);
    line->named = layer_in_legend(source->choice, site->name, LEGEND_LAYERS);
    return y ? read_probe(source, line, y) : true;
}

static const double *of_query(const RunLog *run, const SiteLog *site,
                              WeightNumber number) {
    const WeightLog *weight = figure_query_weight(run, site->name);
    return weight ? weight->value[number] : NULL;
}

#define SITE_ROW(name, numbers)                                                          \
    static const double *of_##name(const RunLog *run, const SiteLog *site) {             \
        (void)run;                                                                       \
        return numbers;                                                                  \
    }                                                                                    \
    static bool read_##name(const LineSource *source, size_t n, Line *line) {            \
        return read_site(source, n, line, of_##name);                                    \
    }

SITE_ROW(entropy, site->mean)
SITE_ROW(logit, site->max_logit)
SITE_ROW(sigma, of_query(run, site, WEIGHT_SIGMA))
SITE_ROW(grad_inf, of_query(run, site, WEIGHT_GRAD_INF))
SITE_ROW(input, site->value[SITE_INPUT])
SITE_ROW(sigma2, site->value[SITE_SIGMA2])
SITE_ROW(rank, site->value[SITE_RANK])

static bool read_front_grad(const LineSource *source, size_t n, Line *line) {
    const ProbeLog *probe = &source->run->probe;
    size_t i = figure_front_weight(probe, 0), all = 0;
    for (size_t j = i; j < probe->weight_count; j = figure_front_weight(probe, j + 1))
        if (all++ == n) i = j;
    if (n >= all) return false;
    line->name = probe->weights[i].name;
    line->several = all > 1;
    line->shade = all > 1 ? (double)n / (double)(all - 1) : 0.5;
    return read_probe(source, line, probe->weights[i].value[WEIGHT_GRAD_INF]);
}

/* ---- why there is no line ---- */

static const char *why_train(const LineSource *source) {
    return source->run->train.count ? "no finite number" : "no logged step";
}

static const char *why_score(const LineSource *source) {
    if (source->metric == METRIC_COUNT) return why_train(source);
    return source->run->eval_count ? "no such score" : "never evaluated";
}

static const char *why_site(const LineSource *source) {
    const ProbeLog *probe = &source->run->probe;
    if (!probe->count) return "no probes";
    return probe->site_count ? "not measured" : "no probes of attention";
}

static const char *why_query(const LineSource *source) {
    const ProbeLog *probe = &source->run->probe;
    for (size_t n = 0; n < probe->site_count; n++) {
        const WeightLog *weight = figure_query_weight(source->run, probe->sites[n].name);
        if (weight) return figure_why_no_gradient(probe, weight);
    }
    return why_site(source);
}

static const char *why_sigma(const LineSource *source) {
    return source->run->probe.weight_count ? "not measured (probe.spectral)"
                                           : why_site(source);
}

static const char *why_front(const LineSource *source) {
    const ProbeLog *probe = &source->run->probe;
    size_t i = figure_front_weight(probe, 0);
    return figure_why_no_gradient(probe,
                                  i < probe->weight_count ? &probe->weights[i] : NULL);
}

/* ---- rows ---- */

static const TrialRow ROWS[] = {
    {"score", NULL, read_score, why_score, Y_SCORE, 120},
    {"loss", "training loss", read_loss, why_train, Y_LOSS, 110},
    {"entropy", "attention entropy (nats)", read_entropy, why_site, Y_ZERO, 110},
    {"logit", "largest logit", read_logit, why_site, Y_LOG, 100},
    {"sigma", "spectral norm σ", read_sigma, why_sigma, Y_LOG, 100},
    {"grad", "gradient norm", read_grad, why_train, Y_LOG, 100},
    {"grad-inf", "‖gradient‖∞, attention", read_grad_inf, why_query, Y_LOG, 110},
    {"front-grad", "‖gradient‖∞, front", read_front_grad, why_front, Y_LOG, 110},
    {"lr", "learning rate", read_rate, why_train, Y_PLAIN, 70},
    {"input", "input ‖x‖²", read_input, why_site, Y_LOG, 100},
    {"sigma2", "σ² of q and k", read_sigma2, why_site, Y_LOG, 100},
    {"rank", "rank of output", read_rank, why_site, Y_PLAIN, 100},
};

const char *trial_rows(void) {
    return "score,loss,entropy,logit,sigma,grad,grad-inf,front-grad,lr,input,sigma2,rank";
}

const TrialRow *trial_row_find(const char *name) {
    for (size_t i = 0; i < COUNT(ROWS); i++)
        if (!strcmp(ROWS[i].name, name)) return &ROWS[i];
    return NULL;
}
