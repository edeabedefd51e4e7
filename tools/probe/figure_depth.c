/* figure_depth: one checkpoint: what is at which depth (tools/probe/figure_parts.h). */
#include <math.h>
#include <string.h>

#include "tools/probe/figure_parts.h"
#include "tools/run/verdict.h"

typedef struct Points {
    double *x, *y;
    size_t count;
} Points;

static Points points_new(size_t room) {
    room = MAX(room, (size_t)1);
    return (Points){mem_alloc(room * sizeof(double)), mem_alloc(room * sizeof(double)),
                    0};
}

static void points_add(Points *p, double x, double y) {
    p->x[p->count] = x;
    p->y[p->count++] = y;
}

static bool any_finite(const Points *p) {
    for (size_t i = 0; i < p->count; i++)
        if (isfinite(p->y[i])) return true;
    return false;
}

/* Draws them unless there is no panel; true: there was something. */
static bool draw(const Drawing *d, Points *p, Style style, const char *label) {
    bool any = any_finite(p);
    if (any && d->panel) panel_line(d->panel, p->x, p->y, p->count, style, label);
    mem_free(p->x);
    mem_free(p->y);
    return any;
}

/* ---- attention ---- */

static size_t heads_of(const Probed *p) {
    size_t count = 0;
    for (size_t i = 0; i < p->sites; i++) count += p->site[i].heads;
    return count;
}

/* Heads of a site lie beside each other, over the number of their block. */
static double place_of(const ProbedSite *s, size_t head) {
    double beside = s->heads > 1 ? (double)head / (double)(s->heads - 1) - 0.5 : 0;
    return (double)layer_name(s->name).block + 0.5 * beside;
}

static bool is_drawn(const Drawing *d, const ProbedSite *s) {
    return layer_kind(s->name) == d->kind;
}

/* Numbers of a site's heads, [heads]; a number of the site. */
typedef const double *NumbersOf(const ProbedSite *s);
typedef double NumberOfSite(const ProbedSite *s);

static bool draw_heads(const Drawing *d, NumbersOf *numbers, Style style,
                       const char *label) {
    const Probed *p = d->probed[0];
    Points points = points_new(heads_of(p));
    for (size_t i = 0; i < p->sites; i++)
        for (size_t h = 0; h < p->site[i].heads && is_drawn(d, &p->site[i]); h++)
            points_add(&points, place_of(&p->site[i], h), numbers(&p->site[i])[h]);
    return draw(d, &points, style, label);
}

static bool draw_sites(const Drawing *d, NumberOfSite *number, Style style,
                       const char *label) {
    const Probed *p = d->probed[0];
    Points points = points_new(p->sites);
    for (size_t i = 0; i < p->sites; i++)
        if (is_drawn(d, &p->site[i]))
            points_add(&points, (double)layer_name(p->site[i].name).block,
                       number(&p->site[i]));
    return draw(d, &points, style, label);
}

static const double *entropies(const ProbedSite *s) { return s->entropy; }
static const double *bounds(const ProbedSite *s) { return s->head[HEAD_BOUND]; }
static const double *secs(const ProbedSite *s) { return s->head[HEAD_SEC]; }
static const double *stable(const ProbedSite *s) { return s->head[HEAD_STABLE_RANK]; }
static double uniform_of(const ProbedSite *s) { return s->uniform; }
static double rank_of(const ProbedSite *s) { return s->value[SITE_RANK]; }

static Style style_of(const Drawing *d, size_t colour, double width, Mark mark) {
    Style style = {.width = width, .mark = mark};
    if (d->chart) style.colour = chart_palette(d->chart, colour);
    return style;
}

static double highest_uniform(const Drawing *d) {
    const Probed *p = d->probed[0];
    double top = 0;
    for (size_t i = 0; i < p->sites; i++)
        if (p->site[i].uniform > top) top = p->site[i].uniform;
    return top;
}

static bool paint_entropy(const Drawing *d) {
    double top = highest_uniform(d);
    if (d->panel && top > 0) {
        panel_range_y(d->panel, -0.04 * top, 1.08 * top);
        panel_zone(d->panel, 0, COLLAPSE_SHARE * top,
                   (Style){.colour = chart_warning(d->chart), .alpha = 0.13},
                   "collapse (< 10 %)");
    }
    Style uniform = style_of(d, 6, 0.9, MARK_NONE);
    uniform.dashed = true;
    draw_sites(d, uniform_of, uniform, "uniform attention");
    draw_heads(d, bounds, style_of(d, 1, -1, MARK_RING), "bound (Theorem 3.1)");
    return draw_heads(d, entropies, style_of(d, 0, -1, MARK_DOT), "entropy of a head");
}

static bool paint_sec(const Drawing *d) {
    if (d->panel) panel_range_y(d->panel, 0, 1.05);
    return draw_heads(d, secs, style_of(d, 2, -1, MARK_DOT), "a head's query-key matrix");
}

static bool paint_rank(const Drawing *d) {
    bool heads = draw_heads(d, stable, style_of(d, 3, -1, MARK_DOT),
                            "stable rank of a head's query-key matrix");
    bool output = draw_sites(d, rank_of, style_of(d, 4, 1.4, MARK_RING),
                             "rank of attention's output");
    return heads || output;
}

/* ---- tensors ---- */

static double last_block(const Drawing *d) {
    const Probed *p = d->probed[0];
    double last = 0;
    for (size_t i = 0; i < p->sites; i++)
        if (is_drawn(d, &p->site[i]))
            last = fmax(last, (double)layer_name(p->site[i].name).block);
    return last;
}

/* What is before the blocks is at -1, what is behind them at the end. */
static double depth_of(const Drawing *d, size_t tensor) {
    const Probed *p = d->probed[0];
    LayerName name = layer_name(p->tensor[tensor].name);
    if (name.in_block) return (double)name.block;
    for (size_t i = 0; i < tensor; i++)
        if (layer_name(p->tensor[i].name).in_block &&
            figure_kind(p, p->tensor[i].name) == d->kind)
            return last_block(d) + 1;
    return -1;
}

void figure_depth_range(const Drawing *d) {
    double low = 0, high = last_block(d);
    for (size_t i = 0; i < d->probed[0]->tensors; i++) {
        if (!figure_alike(d, i, i)) continue;
        low = fmin(low, depth_of(d, i));
        high = fmax(high, depth_of(d, i));
    }
    panel_range_x(d->panel, low - 0.6, high + 0.6);
}

typedef double NumberOf(const ProbedTensor *t);

static bool draw_like(const Drawing *d, size_t first, NumberOf *number, bool named) {
    const Probed *p = d->probed[0];
    Points points = points_new(p->tensors);
    for (size_t k = first; k < p->tensors; k++)
        if (figure_alike(d, first, k))
            points_add(&points, depth_of(d, k), number(&p->tensor[k]));
    bool in_block = layer_name(p->tensor[first].name).in_block;
    FigureLabel label = figure_label(p->tensor[first].name);
    Style style = {.width = in_block ? 1.1 : -1,
                   .mark = in_block ? MARK_DOT : MARK_CROSS};
    if (d->chart) style.colour = figure_colour(d, &label);
    return draw(d, &points, style, named ? label.text : "");
}

/* A line for each kind of weight; `named`: they stand in the legend. */
static bool draw_weights(const Drawing *d, NumberOf *number, bool named) {
    bool any = false;
    for (size_t i = 0; i < d->probed[0]->tensors; i++)
        if (figure_leads(d, i)) any |= draw_like(d, i, number, named);
    return any;
}

static double gradient_of(const ProbedTensor *t) { return t->value[TENSOR_GRAD_NORM]; }

static double sigma_of(const ProbedTensor *t) {
    return t->layer ? t->layer->value[LAYER_SIGMA] : NAN;
}

static bool paint_gradient(const Drawing *d) {
    return draw_weights(d, gradient_of, true);
}
static bool paint_sigma(const Drawing *d) { return draw_weights(d, sigma_of, false); }

/* clang-format off */
const FigureRow figure_depth_rows[] = {
    {"entropy (nats)",              false, paint_entropy},
    {"SEC: share of σ² in 4",       false, paint_sec},
    {"rank",                        true,  paint_rank},
    {"gradient norm",               true,  paint_gradient},
    {"spectral norm σ",             true,  paint_sigma},
    {NULL, false, NULL},
};
/* clang-format on */
