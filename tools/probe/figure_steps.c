/* figure_steps: several checkpoints of a run, by step (tools/probe/figure_parts.h). */
#include <math.h>
#include <string.h>

#include "tools/probe/figure_parts.h"
#include "tools/run/verdict.h"

/* The i-th site's, or tensor's, number at each checkpoint. */
typedef double NumberAt(const Drawing *d, const Probed *p, size_t i);

static bool draw(const Drawing *d, NumberAt *number, size_t i, Style style,
                 const char *label) {
    double *x = mem_alloc(2 * d->count * sizeof *x), *y = x + d->count;
    bool any = false;
    for (size_t c = 0; c < d->count; c++) {
        x[c] = (double)d->probed[c]->step;
        y[c] = number(d, d->probed[c], i);
        any |= isfinite(y[c]);
    }
    if (any && d->panel) panel_line(d->panel, x, y, d->count, style, label);
    mem_free(x);
    return any;
}

/* ---- sites: the deeper, the lighter ---- */

static const Hue HUES[KIND_COUNT] = {[KIND_ENCODER] = HUE_BLUE,
                                     [KIND_CROSS] = HUE_GREEN,
                                     [KIND_DECODER] = HUE_ORANGE,
                                     [KIND_PLAIN] = HUE_BLUE};

static bool draw_sites(const Drawing *d, NumberAt *number, bool legend) {
    const Probed *p = d->probed[0];
    size_t all = 0, n = 0;
    bool any = false;
    for (size_t i = 0; i < p->sites; i++) all += layer_kind(p->site[i].name) == d->kind;
    for (size_t i = 0; i < p->sites; i++) {
        if (layer_kind(p->site[i].name) != d->kind) continue;
        bool named = n == 0 || n == all - 1 || (n == all / 2 && d->kind == KIND_PLAIN);
        double depth = all > 1 ? (double)n / (double)(all - 1) : 0.5;
        Style style = {.width = 1.1, .mark = MARK_DOT};
        if (d->chart) style.colour = chart_ramp(d->chart, HUES[d->kind], depth);
        any |= draw(d, number, i, style, named && legend ? p->site[i].name : "");
        n++;
    }
    return any;
}

static double entropy_at(const Drawing *d, const Probed *p, size_t i) {
    (void)d;
    return 100 * probed_share(&p->site[i]);
}

static double gap_at(const Drawing *d, const Probed *p, size_t i) {
    (void)d;
    return probed_least_gap(&p->site[i]);
}

static double sec_at(const Drawing *d, const Probed *p, size_t i) {
    (void)d;

    return spread_of(p->site[i].head[HEAD_SEC], p->site[i].heads).high;
}

static double rank_at(const Drawing *d, const Probed *p, size_t i) {
    (void)d;
    return p->site[i].value[SITE_RANK];
}

static bool paint_entropy(const Drawing *d) {
    if (d->panel) {
        panel_range_y(d->panel, 0, 108);
        panel_zone(d->panel, 0, COLLAPSE_PERCENT,
                   (Style){.colour = chart_warning(d->chart), .alpha = 0.13},
                   "collapse (< 10 %)");
    }
    return draw_sites(d, entropy_at, true);
}

static bool paint_gap(const Drawing *d) { return draw_sites(d, gap_at, false); }
static bool paint_sec(const Drawing *d) { return draw_sites(d, sec_at, false); }
static bool paint_rank(const Drawing *d) { return draw_sites(d, rank_at, false); }

/* ---- tensors: of all blocks together ---- */

/* Of the i-th tensor and those of its label in all blocks. */
static double gradient_at(const Drawing *d, const Probed *p, size_t i) {
    double sum = 0;
    for (size_t k = i; k < p->tensors; k++)
        if (figure_alike(d, i, k)) sum += pow(p->tensor[k].value[TENSOR_GRAD_NORM], 2);
    return sqrt(sum);
}

static bool paint_gradient(const Drawing *d) {
    const Probed *p = d->probed[0];
    bool any = false;
    for (size_t i = 0; i < p->tensors; i++) {
        if (!figure_leads(d, i)) continue;
        FigureLabel label = figure_label(p->tensor[i].name);
        Style style = {.width = 1.1, .mark = MARK_DOT};
        if (d->chart) style.colour = figure_colour(d, &label);
        style.dashed = !layer_name(p->tensor[i].name).in_block;
        any |= draw(d, gradient_at, i, style, label.text);
    }
    return any;
}

/* clang-format off */
const FigureRow figure_step_rows[] = {
    {"entropy, % of uniform",       false, paint_entropy},
    {"smallest gap (nats)",         false, paint_gap},
    {"SEC, highest head",           false, paint_sec},
    {"rank of the output",          true,  paint_rank},
    {"gradient norm",               true,  paint_gradient},
    {NULL, false, NULL},
};
/* clang-format on */
