#include "tools/probe/print.h"

#include <math.h>
#include <string.h>

#include "tools/probe/reading.h"
#include "tools/probe/table.h"
#include "tools/run/layer.h"
#include "tools/run/verdict.h"

static void print_reading(const Probed *p, FILE *out) {
    TextBuffer text = {0};
    reading_of(p, &text);
    fprintf(out, "%s", text.text);
    text_free(&text);
}

/* ---- attention ---- */

/* "43 %", of what uniform attention has. */
static void add_share(Table *t, double entropy, double uniform) {
    double share = entropy_share(entropy, uniform);
    if (isfinite(share)) table_add(t, "%.0f %%", 100 * share);
    else table_add(t, "-");
}

static void add_head(Table *t, const ProbedSite *s, size_t h) {
    table_add(t, "%s", h ? "" : s->name);
    table_add(t, "%zu", h);
    table_add_number(t, 4, s->entropy[h]);
    add_share(t, s->entropy[h], s->uniform);
    table_add_number(t, 4, s->head[HEAD_BOUND][h]);
    table_add_number(t, 4, probed_gap(s, h));
    table_add_number(t, 3, s->head[HEAD_PAIR][h]);
    table_add_number(t, 3, s->head[HEAD_SEC][h]);
    table_add_number(t, 3, s->head[HEAD_STABLE_RANK][h]);
    table_end_row(t);
}

static void print_heads(const Probed *p, FILE *out) {
    Table t = {0};
    table_heading(&t, "||entropy|of|lower||query-key matrix||stable");
    table_heading(&t, "attention|head|(nats)|uniform|bound|gap|σ|SEC|rank");
    for (size_t i = 0; i < p->sites; i++)
        for (size_t h = 0; h < p->site[i].heads; h++) add_head(&t, &p->site[i], h);
    table_print(&t, out);
    table_free(&t);
}

/* Of the head that is nearest to its bound. */
static void add_bound(Table *t, const ProbedSite *s) {
    double gap = probed_least_gap(s), bound = NAN;
    for (size_t h = 0; h < s->heads; h++)
        if (probed_gap(s, h) == gap) bound = s->head[HEAD_BOUND][h];
    table_add_number(t, 4, bound);
    table_add_number(t, 4, gap);
}

static bool is_cross(const ProbedSite *s) { return isfinite(s->value[SITE_MEMORY]); }

static void add_site(Table *t, const ProbedSite *s) {
    Spread entropy = spread_of(s->entropy, s->heads);
    table_add(t, "%s", s->name);
    table_add(t, "%zu", s->heads);
    table_add_number(t, 4, entropy.low);
    table_add_number(t, 4, entropy.mean);
    table_add_number(t, 4, entropy.high);
    add_share(t, entropy.mean, s->uniform);
    add_bound(t, s);
    table_add_number(t, 3, s->value[SITE_RANK]);
    if (is_cross(s) || isnan(s->value[SITE_RANK])) table_add(t, "-");
    else table_add(t, "%.0f", s->keys);
    table_end_row(t);
}

/* What entropy is, and how near to what it can be. */
static void print_sites(const Probed *p, FILE *out) {
    Table t = {0};
    table_heading(&t, "||entropy|||of|lower|smallest|output's|of");
    table_heading(&t, "attention|heads|lowest|mean|highest|uniform|bound|gap|rank|keys");
    for (size_t i = 0; i < p->sites; i++) add_site(&t, &p->site[i]);
    table_print(&t, out);
    table_free(&t);
}

static void add_factors(Table *t, const ProbedSite *s) {
    table_add(t, "%s", s->name);
    table_add_number(t, 3, s->max_logit);
    table_add_number(t, 3, s->value[SITE_LOGIT_BOUND]);
    table_add_number(t, 3, s->value[SITE_INPUT]);
    if (isfinite(s->value[SITE_COMMON]))
        table_add(t, "%.0f %%", 100 * s->value[SITE_COMMON]);
    else table_add(t, "-");
    table_add_number(t, 3, s->value[SITE_MEMORY]);
    table_add_number(t, 3, s->value[SITE_SIGMA2]);
    table_add_number(t, 3, spread_of(s->head[HEAD_PAIR], s->heads).high);
    table_add_number(t, 3, spread_of(s->head[HEAD_SEC], s->heads).high);
    table_add_number(t, 3, spread_of(s->head[HEAD_STABLE_RANK], s->heads).low);
    table_end_row(t);
}

/* What logits are made of: input and weights. */
static void print_factors(const Probed *p, FILE *out) {
    Table t = {0};
    table_heading(&t, "|largest||input|in|memory|σ of Q|head's|highest|least stable");
    table_heading(&t, "logits|logit|limit|‖x‖²|common|‖x‖²|times K|σ of QK|SEC|rank");
    for (size_t i = 0; i < p->sites; i++) add_factors(&t, &p->site[i]);
    table_print(&t, out);
    table_free(&t);
}

/* ---- tensors ---- */

static void add_shape(Table *t, const ProbedTensor *x) {
    char text[100] = "";
    size_t at = 0;
    for (size_t i = 0; i < x->dims && at < sizeof text; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, i ? " x %zu" : "%zu",
                               x->shape[i]);
    table_add(t, "%s", text);
}

typedef double NumberOf(const ProbedTensor *x);

static double norm(const ProbedTensor *x) { return x->value[TENSOR_NORM]; }
static double gradient(const ProbedTensor *x) { return x->value[TENSOR_GRAD_NORM]; }
static double largest(const ProbedTensor *x) { return x->value[TENSOR_GRAD_INF]; }
static double sigma(const ProbedTensor *x) {
    return x->layer ? x->layer->value[LAYER_SIGMA] : (double)NAN;
}
static double gain(const ProbedTensor *x) {
    return x->layer ? x->layer->value[LAYER_GAMMA] : (double)NAN;
}

static NumberOf *const NUMBERS[] = {norm, sigma, gain, gradient, largest};

static void add_tensor(Table *t, const ProbedTensor *x) {
    table_add(t, "%s", x->name);
    add_shape(t, x);
    for (size_t k = 0; k < COUNT(NUMBERS); k++) table_add_number(t, 3, NUMBERS[k](x));
    table_end_row(t);
}

static void print_every_tensor(const Probed *p, FILE *out) {
    Table t = {0};
    table_heading(&t, "|||spectral||gradient's|largest");
    table_heading(&t, "tensor|shape|‖W‖|norm σ|gain γ|norm|entry");
    for (size_t i = 0; i < p->tensors; i++) add_tensor(&t, &p->tensor[i]);
    table_print(&t, out);
    table_free(&t);
}

/* The same tensor of another block, or the same. */
static bool is_like(const ProbedTensor *a, const ProbedTensor *b) {
    LayerName x = layer_name(a->name), y = layer_name(b->name);
    return layer_same_kind(&x, &y);
}

/* Gains are a column beside their weights. */
static bool is_gain(const ProbedTensor *x) {
    const char *dot = strrchr(x->name, '.');
    return dot && !strcmp(dot, ".gamma");
}

/* "0.82 - 0.93", or one number where it is the same in all blocks. */
static void add_range(Table *t, const Probed *p, size_t first, NumberOf *number) {
    double low = NAN, high = NAN;
    char from[32], to[32];
    for (size_t i = first; i < p->tensors; i++)
        if (is_like(&p->tensor[i], &p->tensor[first])) {
            low = fmin(low, number(&p->tensor[i]));
            high = fmax(high, number(&p->tensor[i]));
        }
    table_number(from, 3, low);
    table_number(to, 3, high);
    if (strcmp(from, to)) table_add(t, "%s - %s", from, to);
    else table_add(t, "%s", from);
}

static void add_kind(Table *t, const Probed *p, size_t first) {
    LayerName name = layer_name(p->tensor[first].name);
    size_t count = 0;
    for (size_t i = first; i < p->tensors; i++)
        count += is_like(&p->tensor[i], &p->tensor[first]);
    if (name.in_block) table_add(t, "%sblocks.*.%s", name.prefix, name.suffix);
    else table_add(t, "%s", p->tensor[first].name);
    if (count > 1) table_add(t, "%zu", count);
    else table_add(t, "%s", "");
    add_shape(t, &p->tensor[first]);
    for (size_t k = 0; k < COUNT(NUMBERS); k++) add_range(t, p, first, NUMBERS[k]);
    table_end_row(t);
}

static bool is_first(const Probed *p, size_t tensor) {
    for (size_t i = 0; i < tensor; i++)
        if (is_like(&p->tensor[i], &p->tensor[tensor])) return false;
    return true;
}

/* A row for each kind: lowest and highest of its blocks. */
static void print_kinds(const Probed *p, FILE *out) {
    Table t = {0};
    table_heading(&t, "||||spectral||gradient's|largest");
    table_heading(&t, "tensor|blocks|shape|‖W‖|norm σ|gain γ|norm|entry");
    for (size_t i = 0; i < p->tensors; i++)
        if (is_first(p, i) && !is_gain(&p->tensor[i])) add_kind(&t, p, i);
    table_print(&t, out);
    table_free(&t);
}

/* ---- checkpoints ---- */

/* The lowest of a number over the sites, and where. */
static void add_lowest(Table *t, const Probed *p, double (*number)(const ProbedSite *)) {
    const ProbedSite *lowest = NULL;
    for (size_t i = 0; i < p->sites; i++)
        if (isfinite(number(&p->site[i])) &&
            (!lowest || number(&p->site[i]) < number(lowest)))
            lowest = &p->site[i];
    table_add_number(t, 3, lowest ? number(lowest) : NAN);
    table_add(t, "%s", lowest ? lowest->name : "-");
}

static double share_of(const ProbedSite *s) { return 100 * probed_share(s); }

static double highest(const Probed *p, bool logit) {
    double most = NAN;
    for (size_t i = 0; i < p->sites && logit; i++)
        most = fmax(most, p->site[i].max_logit);
    for (size_t i = 0; i < p->layers && !logit; i++)
        most = fmax(most, p->layer[i].value[LAYER_SIGMA]);
    return most;
}

void probe_print_all(Probed *const *p, size_t count, const PrintOptions *o, FILE *out) {
    Table t = {0};
    table_heading(&t, "||gradient|lowest site||smallest||largest|largest");
    table_heading(&t, "step|loss|norm|% of uniform|at|gap|at|logit|σ");
    for (size_t i = 0; i < count; i++) {
        table_add(&t, "%zu", p[i]->step);
        table_add_number(&t, 4, p[i]->loss);
        table_add_number(&t, 3, p[i]->grad_norm);
        add_lowest(&t, p[i], share_of);
        add_lowest(&t, p[i], probed_least_gap);
        table_add_number(&t, 3, highest(p[i], true));
        table_add_number(&t, 3, highest(p[i], false));
        table_end_row(&t);
    }
    fprintf(out, "%s: %zu examples of the %s split\n\n", o->of, p[0]->sample,
            p[0]->split);
    table_print(&t, out);
    table_free(&t);
    fprintf(out, "\nStep %zu:\n", p[count - 1]->step);
    print_reading(p[count - 1], out);
}

/* ---- all of it ---- */

static void print_head(const Probed *p, const char *of, FILE *out) {
    char loss[32], grad[32], weights[PROBED_WEIGHTS];
    table_number(loss, 4, p->loss);
    table_number(grad, 3, p->grad_norm);
    probed_weights(p, of, weights);
    fprintf(out, "%s", weights);
    if (p->average) fprintf(out, " (mean of %zu checkpoints)", p->average);
    if (p->ema) fprintf(out, " (averaged weights)");
    fprintf(out, ": %zu examples of the %s split, loss %s, gradient norm %s", p->sample,
            p->split, loss, grad);
    if (p->temperature != 1) fprintf(out, ", temperature %g", p->temperature);
    fprintf(out, "\n\n");
}

void probe_print(const Probed *p, const PrintOptions *o, FILE *out) {
    print_head(p, o->of, out);
    if (o->heads) print_heads(p, out);
    else print_sites(p, out);
    fprintf(out, "\n");
    print_factors(p, out);
    fprintf(out, "\n");
    if (o->tensors) print_every_tensor(p, out);
    else print_kinds(p, out);
    fprintf(out, "\n");
    print_reading(p, out);
}
