/* figures: from runs to charts.
 *
 *     if (figures_write_run("runs/mnist", &err)) ...        DIR/figures/{training,...}.png
 *
 *     const RunLog *runs[] = {baseline, sigma};             side by side, as in the paper
 *     Chart *chart = figure_training(runs, 2, &(FigureOptions){.rows = "loss,entropy"}, &err);
 *     if (chart && chart_write(chart, "pair.pdf", NULL, &err)) ...
 *
 * Whoever asks for a chart frees it with chart_free. */
#ifndef STEADY_FIGURES_H
#define STEADY_FIGURES_H

#include "tools/chart/chart.h"
#include "tools/run/runlog.h"

typedef struct FigureOptions {
    const char *rows; /* of figure_rows(), comma-separated; NULL: "loss,entropy" */
    const char *
        layers; /* all, or numbers, first, middle, last, lowest, collapsed; NULL: the default */
    const char *title; /* NULL or "": none */
    Theme theme;
} FigureOptions;

#define FIGURE_ROWS_DEFAULT "loss,entropy"
#define FIGURE_LAYERS_DEFAULT "first,middle,last,lowest,collapsed"

/* "loss,entropy,...": what a training figure can show.  "entropy" is a row for each kind
 * of attention that the runs have, as are "encoder", "cross" and "decoder" alone; "score"
 * is one for each score of the evaluations; "gradients" and "updates" have a line for
 * each block: its gradient norm, and the largest relative update of its weights;
 * "grad-inf" is the largest entry of the gradient of the weights that make queries,
 * "front-grad" that of patch embedding, tables of embeddings, speech convolution. */
const char *figure_rows(void);

/* The rows of figure_rows() that these runs have numbers for. */
void figure_rows_present(const RunLog *const *runs, size_t count, char *rows,
                         size_t size);

/* Columns are runs, whose settings that differ stand below their names; rows are as
 * asked, y axes are shared.  Of several runs a panel without numbers is left out, and so
 * is a row that none has, which is said.  Training is black, validation blue, test orange
 * in all figures.  Loss: every step pale, their
 * moving mean strong, validation (where there is none, test) and chance dashed.  Entropy:
 * for each chosen site the mean over heads, the deeper the lighter, of few sites a band
 * from the lowest to the highest head, uniform attention dashed, the collapse zone
 * shaded; Theorem 3.1's bound, mean over heads, dashed where the log has it, as is that
 * of the logits.  NULL: an unknown row or layer (FAIL_USAGE), or a run without rows
 * (FAIL_DATA). */
Chart *figure_training(const RunLog *const *runs, size_t count,
                       const FigureOptions *options, Err *err);

/* Layer x head at the last probe, and layer x step of the mean over heads, a panel
 * for each kind of attention; shares of what uniform attention has.  NULL: the run
 * has no attention probes. */
Chart *figure_entropy_heads(const RunLog *run, Theme theme);
Chart *figure_entropy_layers(const RunLog *run, Theme theme);

/* sigma, gamma and the largest gradient of every layer over the steps, a column for each
 * kind of weight; those of encoder, cross attention and decoder stand below each other.
 * NULL: the run has no probes of weights. */
Chart *figure_weights(const RunLog *run, Theme theme);

/* Writes DIR/figures/{training,entropy-heads,entropy-layers,weights}.png, those that the
 * run has numbers for. */
Status figures_write_run(const char *run_dir, Err *err);

/* One cell of a sweep: method x rate x seed. */
typedef struct SweepPoint {
    const char
        *method;  /* the line it belongs to; lines appear in order of first mention */
    double rate;  /* x */
    double score; /* y; NaN: none (the run broke off) */
    bool failed;  /* marked with a cross: at its y, with the worst, or at the top (cap) */
    bool flawed;  /* learned, but with a collapse or a spike; marked with a ring */
} SweepPoint;

/* A panel of the figure: one number of all cells. */
typedef struct SweepPanel {
    const SweepPoint *points;
    size_t count;
    const char *x;     /* "optim.lr" */
    const char *y;     /* "top-1 (test)" */
    const char *cross; /* what failed points are: "diverged" */
    double chance;     /* y of guessing; NaN: not drawn */
    bool lower;        /* the lower the better: what has no y is at the top */
    bool log_y;
    bool cap; /* y ends a little above chance: what is higher is at the top, as a cross */
    /* Interval of the mean of y[n], n > 0, NaN where there is none; NULL: never */
    void (*interval)(const double *y, size_t n, double *low, double *high);
} SweepPanel;

/* Panels below each other.  One line a method through the mean over seeds at each rate,
 * with bars of the mean's interval, a pale dot for each run, crosses for what failed and
 * rings for what learned with a collapse or a spike; the x axis is logarithmic where all
 * rates are positive.  title: NULL: none. */
Chart *figure_sweep(const SweepPanel *panels, size_t count, const char *title,
                    Theme theme);

#endif
