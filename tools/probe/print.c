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
    table_add(t, "%s head %zu", s->name, h);
    table_add_number(t, 4, s->head[HEAD_ENTROPY][h]);
    add_share(t, s->head[HEAD_ENTROPY][h], s->value[SITE_UNIFORM]);
    table_add_number(t, 4, s->head[HEAD_BOUND][h]);
    table_add_number(t, 4, probed_gap(s, h));
    table_add_number(t, 3, s->head[HEAD_SEC][h]);
    table_add_number(t, 3, s->head[HEAD_STABLE_RANK][h]);
    table_end_row(t);
}

static void print_heads(const Probed *p, FILE *out) {
    Table t = {0};
    table_heading(&t, "||of|Theorem 3.1||QK:|stable");
    table_heading(&t, "attention head|entropy|uniform|bound|gap|SEC|rank");
    for (size_t i = 0; i < p->sites; i++)
        for (size_t h = 0; h < p->site[i].heads; h++) add_head(&t, &p->site[i], h);
    table_print(&t, out);
    table_free(&t);
}

/* Of the head that is nearest to its bound. */
static void add_bound(Table *t, const ProbedSite *s) {
    double gap = NAN, bound = NAN;
    for (size_t h = 0; h < s->heads; h++)
        if (!(gap <= probed_gap(s, h)))
            gap = probed_gap(s, h), bound = s->head[HEAD_BOUND][h];
    table_add_number(t, 4, bound);
    table_add_number(t, 4, gap);
}

static void add_site(Table *t, const ProbedSite *s) {
    Spread entropy = spread_of(s->head[HEAD_ENTROPY], s->heads);
    table_add(t, "%s", s->name);
    table_add(t, "%zu", s->heads);
    table_add_number(t, 4, entropy.low);
    table_add_number(t, 4, entropy.mean);
    table_add_number(t, 4, entropy.high);
    add_share(t, entropy.mean, s->value[SITE_UNIFORM]);
    add_bound(t, s);
    table_add_number(t, 3, s->value[SITE_MAX_LOGIT]);
    table_add_number(t, 3, spread_of(s->head[HEAD_SEC], s->heads).high);
    table_add_number(t, 3, spread_of(s->head[HEAD_STABLE_RANK], s->heads).low);
    table_add_number(t, 3, s->value[SITE_RANK]);
    table_end_row(t);
}

static void print_sites(const Probed *p, FILE *out) {
    Table t = {0};
    table_heading(&t, "||entropy|||of|Theorem 3.1|smallest|largest|QK:|stable|output");
    table_heading(
        &t, "attention|heads|lowest|mean|highest|uniform|bound|gap|logit|SEC|rank|rank");
    for (size_t i = 0; i < p->sites; i++) add_site(&t, &p->site[i]);
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

static void add_tensor(Table *t, const ProbedTensor *x) {
    table_add(t, "%s", x->name);
    add_shape(t, x);
    table_add_number(t, 3, x->value[TENSOR_NORM]);
    table_add_number(t, 4, x->layer ? x->layer->value[LAYER_SIGMA] : NAN);
    table_add_number(t, 4, x->layer ? x->layer->value[LAYER_GAMMA] : NAN);
    table_add_number(t, 3, x->value[TENSOR_GRAD_NORM]);
    table_add_number(t, 3, x->value[TENSOR_GRAD_INF]);
    table_end_row(t);
}

/* Weights of layers, and what is outside of the blocks. */
static bool is_shown(const ProbedTensor *x) {
    return x->layer || !layer_name(x->name).in_block;
}

/* What of the tensors is not shown, in a line. */
static void print_rest(const Probed *p, FILE *out) {
    const ProbedTensor *most = NULL;
    size_t count = 0;
    for (size_t i = 0; i < p->tensors; i++) {
        const ProbedTensor *x = &p->tensor[i];
        if (is_shown(x)) continue;
        count++;
        bool more = !most || x->value[TENSOR_GRAD_NORM] > most->value[TENSOR_GRAD_NORM];
        if (more) most = x;
    }
    if (!count) return;
    char text[32];
    table_number(text, 3, most->value[TENSOR_GRAD_NORM]);
    fprintf(
        out,
        "and %zu biases, norms and gains; largest gradient: %s, %s (all: --tensors)\n",
        count, most->name, text);
}

static void print_tensors(const Probed *p, bool all, FILE *out) {
    Table t = {0};
    table_heading(&t, "|||spectral|gain|gradient|largest");
    table_heading(&t, "tensor|shape|norm|norm σ|γ|norm|entry");
    for (size_t i = 0; i < p->tensors; i++)
        if (all || is_shown(&p->tensor[i])) add_tensor(&t, &p->tensor[i]);
    table_print(&t, out);
    table_free(&t);
    if (!all) print_rest(p, out);
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

static double share_of(const ProbedSite *s) {
    return 100 * entropy_share(spread_of(s->head[HEAD_ENTROPY], s->heads).mean,
                               s->value[SITE_UNIFORM]);
}

static double gap_of(const ProbedSite *s) {
    double least = NAN;
    for (size_t h = 0; h < s->heads; h++) least = fmin(least, probed_gap(s, h));
    return least;
}

static double highest(const Probed *p, bool logit) {
    double most = NAN;
    for (size_t i = 0; i < p->sites && logit; i++)
        most = fmax(most, p->site[i].value[SITE_MAX_LOGIT]);
    for (size_t i = 0; i < p->layers && !logit; i++)
        most = fmax(most, p->layer[i].value[LAYER_SIGMA]);
    return most;
}

void probe_print_all(Probed *const *p, size_t count, const PrintOptions *o, FILE *out) {
    Table t = {0};
    table_heading(&t, "||gradient|lowest entropy||smallest||largest|largest");
    table_heading(&t, "step|loss|norm|% of uniform|at|gap|at|logit|σ");
    for (size_t i = 0; i < count; i++) {
        table_add(&t, "%zu", p[i]->step);
        table_add_number(&t, 4, p[i]->loss);
        table_add_number(&t, 3, p[i]->grad_norm);
        add_lowest(&t, p[i], share_of);
        add_lowest(&t, p[i], gap_of);
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
    char loss[32], grad[32];
    table_number(loss, 4, p->loss);
    table_number(grad, 3, p->grad_norm);
    fprintf(out, "%s", of);
    if (p->step) fprintf(out, ", step %zu", p->step);
    if (p->checkpoint && !p->step) fprintf(out, ", %s", p->checkpoint);
    if (!p->checkpoint) fprintf(out, ", initial weights");
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
    print_tensors(p, o->tensors, out);
    fprintf(out, "\n");
    print_reading(p, out);
}
