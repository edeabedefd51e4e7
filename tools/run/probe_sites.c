#include "tools/run/probe_sites.h"

#include <math.h>

#include "tools/run/rundir.h"
#include "tools/run/site_numbers.h"

/* ---- the numbers: one function each ---- */

typedef struct SiteView {
    const Site *site;
    double query, key; /* spectral norms of what makes queries and keys */
} SiteView;

static double input(const SiteView *p) { return site_input(p->site, false); }
static double common(const SiteView *p) { return site_common(p->site, false); }
static double input_max(const SiteView *p) { return site_input_largest(p->site, false); }
static double memory(const SiteView *p) { return site_input(p->site, true); }
static double memory_common(const SiteView *p) { return site_common(p->site, true); }
static double memory_max(const SiteView *p) { return site_input_largest(p->site, true); }
static double rank_of(const SiteView *p) { return site_rank(p->site); }

static double sigma2(const SiteView *p) {
    return p->site->measured.level ? p->query * p->key : (double)NAN;
}

/* |q| |k| / (sqrt(K) tau), with |q| <= sigma_q max |x| + max |b_q|, k likewise. */
static double logit_bound(const SiteView *p) {
    const Site *site = p->site;
    const Measured *m = &site->measured;
    double width = (double)(site->width / site->heads);
    double query = p->query * sqrt(input_max(p)) + m->bias[0];
    double key = p->key * sqrt(site_input_largest(site, site->cross)) + m->bias[1];
    return query * key / (sqrt(width) * m->temperature);
}

static double (*const of_site[SITE_NUMBERS])(const SiteView *p) = {
    [SITE_INPUT] = input,
    [SITE_COMMON] = common,
    [SITE_INPUT_MAX] = input_max,
    [SITE_MEMORY] = memory,
    [SITE_MEMORY_COMMON] = memory_common,
    [SITE_MEMORY_MAX] = memory_max,
    [SITE_SIGMA2] = sigma2,
    [SITE_LOGIT_BOUND] = logit_bound,
    [SITE_RANK] = rank_of,
};

static double pair(const Site *s, size_t h) { return s->measured.weights[h].pair; }
static double sec(const Site *s, size_t h) { return s->measured.weights[h].sec; }
static double stable_rank(const Site *s, size_t h) {
    return s->measured.weights[h].stable_rank;
}

static double (*const of_head[HEAD_NUMBERS])(const Site *site, size_t head) = {
    [HEAD_BOUND] = site_bound,
    [HEAD_PAIR] = pair,
    [HEAD_SEC] = sec,
    [HEAD_STABLE_RANK] = stable_rank,
};

/* ---- a row ---- */

static double sigma_of(const Model *model, const double *sigma, const LinearLayer *l) {
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layers[i] == l) return sigma[i];
    return (double)NAN;
}

static void add_site_numbers(json_t *row, const SiteView *p) {
    if (p->site->measured.level < MEASURE_INPUTS) return;
    for (size_t k = 0; k < SITE_NUMBERS; k++) {
        double value = of_site[k](p);
        if (!isnan(value))
            json_object_set_new(row, site_numbers[k].key, json_number(value));
    }
}

static void add_head_numbers(json_t *row, const Site *site) {
    if (site->measured.level < MEASURE_HEADS) return;
    for (size_t k = 0; k < HEAD_NUMBERS; k++) {
        json_t *values = json_array();
        for (size_t h = 0; h < site->heads; h++)
            json_array_append_new(values, json_number(of_head[k](site, h)));
        json_object_set_new(row, head_numbers[k].key, values);
    }
}

static json_t *site_row(const Model *model, const Site *site, const double *sigma) {
    json_t *entropy = json_array();
    double largest = -INFINITY;
    for (size_t h = 0; h < site->heads; h++) {
        json_array_append_new(entropy, json_number(site->entropy[h]));
        if (!(largest >= site->largest[h])) largest = site->largest[h];
    }
    json_t *row =
        json_pack("{s:s, s:o, s:o, s:I, s:o}", "site", site->name, "entropy", entropy,
                  "max_logit", json_number(largest), "keys", (json_int_t)site->keys,
                  "uniform", json_number(site->uniform));
    SiteView view = {.site = site,
                     .query = sigma_of(model, sigma, site->query),
                     .key = sigma_of(model, sigma, site->key)};
    add_site_numbers(row, &view);
    add_head_numbers(row, site);
    return row;
}

json_t *probe_sites(const Model *model, const double *sigma) {
    json_t *rows = json_array();
    for (size_t i = 0; i < model->site_count; i++)
        json_array_append_new(rows, site_row(model, model->sites[i], sigma));
    return rows;
}
