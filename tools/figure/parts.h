/* parts: the panels of a training figure.  For the files of figures alone: figures.c
 * chooses rows and puts them together, entropy.c, gradients.c and paint.c paint them. */
#ifndef STEADY_FIGURE_PARTS_H
#define STEADY_FIGURE_PARTS_H

#include "tools/figure/figures.h"
#include "tools/figure/layers.h"

/* What a row painter gets: one run in one panel. */
typedef struct Cell {
    const RunLog *const *runs; /* all of the figure */
    size_t run_count;
    const RunLog *run;
    const LayerChoice *choice;
    LayerKind kind; /* of attention: rows of entropy */
    Metric metric;  /* rows of scores */
    const Chart *chart;
    Panel *panel;
} Cell;

typedef void PaintCell(const Cell *cell);

PaintCell paint_loss, paint_entropy, paint_logit, paint_sigma, paint_score,
    paint_gradient, paint_gradients, paint_updates, paint_grad_inf, paint_front_grad,
    paint_rate, paint_input, paint_sigma2, paint_sec, paint_rank, paint_sharpness,
    paint_raw_sharpness;

/* Do the probes have that number of the weight, of any weight? */
bool figure_is_measured(const ProbeLog *probe, const WeightLog *weight,
                        WeightNumber number);
bool figure_has_weight(const RunLog *run, WeightNumber number);

/* One colour a split, in all figures: training has the ink of the axes, validation and
 * test a hue each. */
Colour figure_split_colour(const Chart *chart, const char *split);

/* Colour and width of a site's line. */
Style figure_site_style(const Cell *cell, size_t site);

/* What the legend calls a site's line: `name`, or the site's; "" where there are too
 * many. */
void figure_legend_label(const Cell *cell, const char *site, const char *name,
                         char label[120]);
void figure_site_label(const Cell *cell, const char *site, char label[120]);

/* Nats under which attention of that kind has collapsed in the run: each run of a figure
 * has its own, though they share an axis. */
double figure_collapse_top(const RunLog *run, LayerKind kind);

/* Dashed, beside what was measured; nothing where the log has no bounds. */
void figure_entropy_bound(const Cell *cell, size_t site);
void figure_logit_bound(const Cell *cell, size_t site);

/* Was the preconditioned, the raw spectrum measured? */
bool figure_has_sharpness(const RunLog *run);
bool figure_has_raw_sharpness(const RunLog *run);

/* A line at each event of the run; `named`: the legend says what they are, of a few
 * interventions the keys and values. */
void figure_events(const Chart *chart, Panel *panel, const RunLog *run, bool named);

/* What people call a kind of event: "entropy alarm" of "alarm"; another: itself. */
const char *figure_event_word(const char *kind);

/* How the line of an event looks; the kinds that have a look of their own, NULL behind
 * the last. */
Style figure_event_style(const Chart *chart, const char *kind);
const char *figure_event_kind(size_t i);

/* The weight that makes the queries of a site, or NULL: "blocks.0.attn.qkv" of
 * "blocks.0.attn". */
const WeightLog *figure_query_weight(const RunLog *run, const char *site);

/* The first weight from `from` on that makes what the first block reads: patch embedding,
 * table of embeddings, speech convolution; weight_count: there is none. */
size_t figure_front_weight(const ProbeLog *probe, size_t from);

/* Why the rows of a weight (NULL: there is no such weight) have no gradient, in a few
 * words: "frozen: it has no gradient". */
const char *figure_why_no_gradient(const ProbeLog *probe, const WeightLog *weight);

#endif
